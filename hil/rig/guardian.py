# SPDX-License-Identifier: Apache-2.0
"""A small process that switches a bench off when the controller dies: nothing in a killed process can.

It holds the reading end of a pipe of which only the controller has the other end. The pipe's end tells that
the controller is gone, however it went; a controller that has left its bench safe ends it. It lives in
a session of its own, so that what ends the controller's group leaves it alone. A power cut, or a service
manager that kills every process of a unit, takes it too: then the instruments' own watchdogs remain, and
``hil safe`` by hand.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from hil.config import RigConfig, load_rig
from hil.errors import HilError, RigBusyError
from hil.instruments.interrupts import ENDING_SIGNALS
from hil.places import put_in_place

RECORD_FILE = "guardian.json"
"""What the guardian did, in the folder of a run."""

_NOW = b"n"
"""What the controller can say: that the bench is to be switched off at once."""

_left_alone: list[subprocess.Popen[bytes]] = []
"""Those that may outlive this process."""


class Guardian:
    """The process, seen from the controller."""

    def __init__(self, config: RigConfig, record_folder: Path | None) -> None:
        """Start it.

        Args:
            config: a rig whose instruments outlive the controller; its file is read again.
            record_folder: where it writes what it did, if it had to.
        """
        arguments = [str(config.file.resolve())]
        if record_folder is not None:
            arguments.append(str(record_folder.resolve() / RECORD_FILE))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hil.rig.guardian", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=sys.platform != "win32",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )

    def act_now(self) -> None:
        """Have the bench switched off by the guardian, while this process still holds it."""
        self._say(_NOW)

    def dismiss(self, *, safe: bool) -> None:
        """Let it go: the bench is off, or else the guardian tries once more, with connections of its own."""
        if safe:
            self._process.kill()
            self._process.wait()
        else:
            _left_alone.append(self._process)
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()

    def _say(self, word: bytes) -> None:
        stream = self._process.stdin
        if stream is not None and not stream.closed:
            with contextlib.suppress(OSError):  # it is gone: nothing can be said to it
                stream.write(word)
                stream.flush()


def watch(file: Path, record: Path | None) -> None:
    """What the process does: wait for the controller's word or end, then act on it."""
    for number in ENDING_SIGNALS:  # they are for the controller, whose end is what counts here
        signal.signal(number, signal.SIG_IGN)
    config = load_rig(file)
    from hil.rig.safe_state import make_safe, preload

    preload(config)  # now: after the controller's death every second counts
    word = sys.stdin.buffer.read(1)
    began = datetime.now(UTC)
    done: list[str] = []
    errors: list[HilError] = []
    try:
        # While the controller lives it has the lock, and asked for this.
        done, errors = make_safe(config, locked=word == _NOW)
    except RigBusyError as error:
        done.append(f"left to the next run, which begins by switching the bench off ({error})")
    except HilError as error:
        errors.append(error)
    if record is not None:
        told = {
            "why": "the run asked for it"
            if word == _NOW
            else "the run ended without switching the bench off",
            "began_utc": began.isoformat(timespec="milliseconds"),
            "ended_utc": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "done": done,
            "errors": [str(error) for error in errors],
        }
        draft = record.with_name(f"{record.name}.new")
        draft.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", "utf-8")
        put_in_place(draft, record)


if __name__ == "__main__":
    watch(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
