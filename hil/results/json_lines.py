# SPDX-License-Identifier: Apache-2.0
"""A file of JSON objects, one a line, that only grows. A line is in it whole, or not at all.

Each line is written in one piece, past any buffer, and synced before the call returns. What a crash or a full
disk left of a line is cut off before the next one is written, so it never spoils its neighbour.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hil.errors import ResultsError


class JsonLines:
    """Appends objects to the file at ``path``, which is made if it does not exist."""

    def __init__(self, path: Path) -> None:
        """Open the file and cut off an unfinished last line. Raises ResultsError."""
        self.path = path
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
            content = path.read_bytes()
            self._length = content.rfind(b"\n") + 1
            self._cut = len(content) > self._length
        except OSError as error:
            raise ResultsError(str(error), where=str(path), operation="open") from error
        self._open = True

    def append(self, fields: Mapping[str, Any]) -> None:
        """Write one object and return when it is on the disk.

        Raises:
            ResultsError: it does not get there; then nothing of it stays in the file.
        """
        # A lone surrogate, which a test's name may hold, becomes the JSON escape that it is.
        line = (json.dumps(fields, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
        try:
            if self._cut:
                os.ftruncate(self._descriptor, self._length)
            self._cut = True  # until the whole line is there
            os.lseek(self._descriptor, self._length, os.SEEK_SET)
            written = 0
            while written < len(line):
                written += os.write(self._descriptor, line[written:])
            os.fsync(self._descriptor)
        except OSError as error:
            self._cut_now()
            raise ResultsError(str(error), where=str(self.path), operation="append") from error
        self._length += len(line)
        self._cut = False

    def _cut_now(self) -> None:
        try:
            os.ftruncate(self._descriptor, self._length)
        except OSError:
            return  # before the next line then
        self._cut = False

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        if self._open:
            self._open = False
            os.close(self._descriptor)


@dataclass(frozen=True)
class Line:
    """One line of such a file: its number from 1, and its object, or why there is none."""

    number: int
    fields: dict[str, Any] | None
    error: str = ""


def read(path: Path) -> list[Line]:
    """Return the lines of a file. What follows the last newline is no line: a crash cut it off.

    Raises:
        ResultsError: the file cannot be read at all.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ResultsError(str(error), where=str(path), operation="read") from error
    return [_line(number, text) for number, text in enumerate(content.split(b"\n")[:-1], start=1)]


def _line(number: int, text: bytes) -> Line:
    try:
        fields = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        return Line(number, None, f"{type(error).__name__}: {error}")
    if not isinstance(fields, dict):
        return Line(number, None, "TypeError: not an object")
    return Line(number, fields)
