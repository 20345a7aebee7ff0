# SPDX-License-Identifier: Apache-2.0
"""The program that a bench needs: started for the run, ready when it says so, gone when the run is."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hil.config import ServiceConfig
from hil.errors import ServiceError

_END_PATIENCE_S = 3.0
"""Wall time between closing the service's input, terminating it and killing it."""

_ERROR_LINES = 20
"""Last lines of the service's standard error that go into a message."""


@dataclass(frozen=True)
class _Ready:
    """What the ready line says."""

    addresses: Mapping[str, str]
    assumptions: tuple[str, ...]


class Service:
    """A running service. It lives as long as its standard input is open, so not longer than this process."""

    def __init__(self, config: ServiceConfig, rig_file: Path, arguments: Sequence[str] = ()) -> None:
        """Start the program and wait for its ready line.

        Args:
            config: the command, in which ``{python}`` and ``{rig_file}`` are filled in, and its time limit.
            rig_file: the rig's configuration file.
            arguments: appended to the command.

        Raises:
            ServiceError: it cannot be started, ends early, says something else, or takes too long.
        """
        values = {"python": sys.executable, "rig_file": str(rig_file.resolve())}
        self._command = [_fill(part, values) for part in (*config.command, *arguments)]
        self._said: deque[bytes] = deque(maxlen=_ERROR_LINES)
        self._reports: dict[str, list[str]] = {"harm": [], "remark": []}
        """What came in lines of ``{kind: text}`` since the service was ready, by kind."""
        self._reporter: threading.Thread | None = None
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                # Ctrl-C is for this process, which then ends the service in order, after the instruments.
                start_new_session=sys.platform != "win32",
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        except (OSError, ValueError) as error:  # a NUL in the command is a ValueError
            raise self._error(str(error), "start", hint="check [service] command") from error
        # Read all along: a pipe that nobody reads fills up and stops the service.
        self._listener = threading.Thread(target=self._listen, name="service stderr", daemon=True)
        self._listener.start()
        try:
            ready = self._wait_ready(config.ready_timeout_s)
        except BaseException:  # Ctrl-C too: nothing is left behind
            self.close()
            raise
        # Read all along as well: what it has to report of the bench, and a full pipe would stop it.
        self._reporter = threading.Thread(target=self._take_reports, name="service stdout", daemon=True)
        self._reporter.start()
        self.addresses: Mapping[str, str] = ready.addresses
        self.assumptions = ready.assumptions
        """What the service says it takes for granted, for the record of the run."""

    @property
    def harm(self) -> tuple[str, ...]:
        """What the service says has been done to the bench that a real one would not have survived."""
        return tuple(self._reports["harm"])

    @property
    def remarks(self) -> tuple[str, ...]:
        """What else the service has said for the record of the run, each statement once."""
        return tuple(dict.fromkeys(self._reports["remark"]))

    def close(self) -> None:
        """End the service: its input is closed, then it is terminated, then killed."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(_END_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.terminate()
            try:
                self._process.wait(_END_PATIENCE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._listener.join(_END_PATIENCE_S)
        if self._reporter is not None:
            self._reporter.join(_END_PATIENCE_S)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def kill(self) -> None:
        """End the program at once, from any thread."""
        self._process.kill()

    def _listen(self) -> None:
        stderr = self._process.stderr
        assert stderr is not None  # it is a pipe
        for line in stderr:
            self._said.append(line)

    def _take_reports(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None  # it is a pipe
        for line in stdout:
            try:
                ((kind, text),) = json.loads(line).items()
                self._reports[kind].append(str(text))
            except (ValueError, TypeError, KeyError, AttributeError):
                self._said.append(line)  # not for us; shown where the service fails

    def _wait_ready(self, timeout_s: float) -> _Ready:
        lines: queue.Queue[bytes] = queue.Queue()
        stdout = self._process.stdout
        assert stdout is not None  # it is a pipe
        threading.Thread(target=lambda: lines.put(stdout.readline()), daemon=True).start()
        try:
            line = lines.get(timeout=timeout_s)
        except queue.Empty:
            raise self._error(
                f"no ready line within {timeout_s:g} s", "start", hint="[service] ready_timeout"
            ) from None
        if not line:
            status = self._process.wait(_END_PATIENCE_S)
            self._listener.join(_END_PATIENCE_S)
            raise self._error(f"ended with status {status}", "start")
        try:
            message = json.loads(line)
            if message["ready"] is True:
                return _Ready(
                    {str(name): str(address) for name, address in message["addresses"].items()},
                    tuple(str(text) for text in message.get("assumptions", ())),
                )
        except (ValueError, TypeError, KeyError, AttributeError):
            pass  # reported below, with the line itself
        raise self._error(f"said {line!r}", "start", expected='{"ready": true, "addresses": {...}}')

    def _error(self, message: str, operation: str, *, expected: str = "", hint: str = "") -> ServiceError:
        said = b"".join(self._said).decode("utf-8", "replace").strip()
        if "\n" in said:
            message += f"; its standard error ends with:\n{said}\n"
        elif said:
            message += f": {said}"
        command = " ".join(self._command)
        return ServiceError(
            message, where=f"service `{command}`", operation=operation, expected=expected, hint=hint
        )


def _fill(part: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        part = part.replace(f"{{{name}}}", value)
    return part
