# SPDX-License-Identifier: Apache-2.0
"""A small process that switches a bench off when the controller dies: nothing in a killed process can.

It holds the reading end of a pipe of which only the controller has the other end. The pipe's end tells that
the controller is gone, however it went; a controller that has left its bench safe ends it. It lives in
a session of its own, so that what ends the controller's group leaves it alone. A power cut, or a service
manager that kills every process of a unit, takes it too: then the instruments' own watchdogs remain, and
``hil safe`` by hand.

What broke the controller may keep an instrument from the guardian, too: a connection that hangs, a network
switch that starts anew. So it tries again until all outputs are off, or the next run has the bench, which
begins by switching it off.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from hil.config import RigConfig, load_rig
from hil.errors import HilError, RigBusyError
from hil.instruments.interrupts import ENDING_SIGNALS
from hil.places import put_in_place
from hil.rig.safe_state import make_safe, preload

RECORD_FILE = "guardian.json"
"""What the guardian did, in the folder of a run."""

_NOW = b"n"
"""What the controller can say: that the bench is to be switched off at once."""

_TRIES_FOR_S = 600.0
"""Wall time after which nothing is tried any more (assumption: a network switch or an instrument has started
again in a few minutes; later somebody has to look)."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 30.0
"""Wall time between two tries, which doubles: each has the lock of the bench for a moment, in which a run
has to wait."""

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
        """Let it go: the bench is off, or else the guardian tries again, with connections of its own."""
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
    preload(config)  # now: after the controller's death every second counts
    word = sys.stdin.buffer.read(1)
    gone = threading.Event()
    threading.Thread(target=_wait_for_the_end, args=(gone,), daemon=True).start()
    why = "the run asked for it" if word == _NOW else "the run ended without switching the bench off"
    began = datetime.now(UTC)
    give_up_s = time.monotonic() + _TRIES_FOR_S
    pause_s = _FIRST_PAUSE_S
    tries = 0
    while True:
        tries += 1
        # While the controller lives it has the lock, and asked for this.
        done, errors = _try(config, locked=word == _NOW and not gone.is_set())
        if record is not None:
            told = {
                "why": why,
                "began_utc": began.isoformat(timespec="milliseconds"),
                "ended_utc": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "tries": tries,
                "done": done,
                "errors": [str(error) for error in errors],
            }
            with contextlib.suppress(OSError):  # a full disk must not keep an output on
                draft = record.with_name(f"{record.name}.new")
                draft.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", "utf-8")
                put_in_place(draft, record)
        if not errors or time.monotonic() > give_up_s:
            return
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _try(config: RigConfig, *, locked: bool) -> tuple[list[str], list[HilError]]:
    """Switch the bench off, once; what was done, and what could not be."""
    try:
        return make_safe(config, locked=locked)
    except RigBusyError as error:
        return [f"left to the next run, which begins by switching the bench off ({error})"], []
    except HilError as error:
        return [], [error]


def _wait_for_the_end(gone: threading.Event) -> None:
    """Wait until the controller is gone, whatever else it says."""
    while sys.stdin.buffer.read(1):
        pass
    gone.set()


if __name__ == "__main__":
    watch(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
