# SPDX-License-Identifier: Apache-2.0
"""Columns of numbers in a text file, with or without names and a column of times."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hil.golden.data.recordings import column_names, table
from hil.golden.data.recordings.channel import Channel, Layout, refused
from hil.golden.data.recordings.sample_times import SampleTimes

_SEPARATORS = (";", "\t", ",", None)
_STAMP = re.compile(r"(?:(\d{4}-\d\d-\d\d)[T ])?(\d\d:\d\d:\d\d(?:[.,]\d{1,9})?)(?:Z| ?UTC|[+-]\d\d:?\d\d)?")


@dataclass(frozen=True)
class _Head:
    """What stands above the numbers."""

    names: list[str]
    rate_hz: float | None
    unit: str | None


def read_csv(file: Path, layout: Layout | None = None, axes: int | None = None) -> list[Channel]:
    """The columns of `file` but those of times and counters.

    Columns are separated by commas, semicolons, tabs or blanks; with semicolons, a comma may be the decimal
    point. The last line above the numbers may name the columns, with units: ``time [s], acceleration [g]``.
    Lines that begin with # are comments; rate and unit may stand in them, or in any line above the numbers.
    Times are numbers or ISO 8601 stamps. Columns of words are left out.

    Raises:
        RecordingError: no numbers, a line of another width, a missing number, or a
            stated layout that its names contradict.
        OSError: the file cannot be read.
    """
    every = list(enumerate(_text(file).splitlines(), 1))
    lines = [(number, line) for number, line in every if _counts(line)]
    if not lines:
        raise refused(file, "is empty", expected="lines of numbers")
    first, separator, words = _first_numbers(file, lines)
    cells = _Cells(file, separator, words, len(_fields(lines[first][1], separator)))
    lines = [*lines[:first], *cells.without_a_trailing_separator(lines[first:])]
    numbers = cells.numbers(lines[first:])
    kept = [index for index in range(cells.width) if index not in words]
    comments = [line for number, line in every if number < lines[first][0] and not _counts(line)]
    head = _head([line for _number, line in lines[:first]], comments, cells)
    if not head.names:
        return _nameless(file, numbers, layout, axes, head)
    if layout in (Layout.ROWS, Layout.STREAM):
        raise refused(
            file, f"has columns of names, such as {head.names[0][:40]!r}", hint="leave --layout out"
        )
    return _named(file, numbers, [head.names[index] for index in kept], head, cells.stamped)


def _text(file: Path) -> str:
    content = file.read_bytes()
    if b"\0" in content[:4096]:
        raise refused(file, "holds bytes that are no text", expected="a text file of numbers")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")  # measuring programs write µ and ² so


def _counts(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith(("#", "%"))


def _fields(line: str, separator: str | None) -> list[str]:
    return [field.strip().strip('"') for field in line.split(separator)]


def _is_number(text: str, separator: str | None) -> bool:
    try:
        float(text.replace(",", ".") if separator == ";" else text)
    except ValueError:
        return False
    return True


def _first_numbers(file: Path, lines: list[tuple[int, str]]) -> tuple[int, str | None, frozenset[int]]:
    """Index of the first line of numbers and stamps, what separates them, and the columns of words."""
    for words_too in (False, True):
        for index, (_number, line) in enumerate(lines[:1000] if words_too else lines):
            for separator in _SEPARATORS:
                if separator is not None and separator not in line:
                    continue
                fields = _fields(line, separator)
                while len(fields) > 1 and not fields[-1]:
                    fields.pop()
                words = _words(fields, separator)
                if not words or (words_too and _repeats(lines[index : index + 3], separator, words)):
                    return index, separator, frozenset(words)
    raise refused(file, f"no line of numbers; line {lines[0][0]} begins {lines[0][1][:40]!r}")


def _words(fields: list[str], separator: str | None) -> list[int]:
    return [
        index
        for index, field in enumerate(fields)
        if not _is_number(field, separator) and not (_STAMP.fullmatch(field) and len(fields) > 1)
    ]


def _repeats(lines: list[tuple[int, str]], separator: str | None, words: list[int]) -> bool:
    """Whether three lines have a number in the same columns and words in the same others."""
    fields = [_fields(line, separator) for _number, line in lines]
    return len(fields) == 3 and all(
        len(each) == len(fields[0]) > len(words) and _words(each, separator) == words for each in fields
    )


class _Cells:
    """The lines of numbers of one file."""

    def __init__(self, file: Path, separator: str | None, words: frozenset[int], width: int) -> None:
        self._file, self._separator, self._words = file, separator, words
        self.width = width
        self.stamped: int | None = None
        """Column that holds stamps, among those that are kept; its numbers are seconds."""

    @property
    def separator(self) -> str | None:
        """None: blanks."""
        return self._separator

    def without_a_trailing_separator(self, lines: list[tuple[int, str]]) -> list[tuple[int, str]]:
        """The lines without the separator at each one's end, as some programs write it."""
        if self._separator is None or not all(line.rstrip().endswith(self._separator) for _n, line in lines):
            return lines
        self.width -= 1
        return [(number, line.rstrip().removesuffix(self._separator)) for number, line in lines]

    def numbers(self, lines: list[tuple[int, str]]) -> npt.NDArray[np.float64]:
        """[lines, columns without words]."""
        kept = [index for index in range(self.width) if index not in self._words]
        fields = _fields(lines[0][1], self._separator)
        stamped = [at for at, index in enumerate(kept) if not _is_number(fields[index], self._separator)]
        self.stamped = stamped[0] if stamped else None
        plain = not self._words and not stamped
        rows: list[list[float]] = []
        for number, line in lines:
            text = line.replace(",", ".") if self._separator == ";" and plain else line
            try:  # the quick way, for lines as they should be
                row = [float(field) for field in text.split(self._separator)] if plain else None
            except ValueError:
                row = None
            if row is None:
                cells = _fields(line, self._separator)
                row = [
                    self._number(number, cell, at in stamped)
                    for at, cell in enumerate(
                        cell for index, cell in enumerate(cells) if index not in self._words
                    )
                ]
            if len(row) != len(kept):
                raise refused(
                    self._file,
                    f"line {number} has {len(row) + len(self._words)} columns",
                    expected=f"{self.width} as above",
                )
            rows.append(row)
        return np.array(rows, dtype=np.float64)

    def _number(self, number: int, cell: str, stamp: bool) -> float:
        if stamp:
            match = _STAMP.fullmatch(cell)
            try:
                if match is not None:
                    return _seconds(match[1], match[2])
            except ValueError:
                pass
            raise refused(
                self._file, f"line {number}: {cell[:40]!r} is no time as 2024-01-31T23:59:59.123456"
            )
        if not _is_number(cell, self._separator):
            what = f"{cell[:40]!r} is no number" if cell else "a number is missing"
            raise refused(self._file, f"line {number}: {what}")
        return float(cell.replace(",", ".") if self._separator == ";" else cell)


def _seconds(date: str | None, time: str) -> float:
    """Since 2000, so that microseconds keep their place in a float."""
    stamp = np.datetime64(f"{date or '2000-01-01'}T{time.replace(',', '.')}", "ns")
    return float((stamp - np.datetime64("2000-01-01", "ns")).astype(np.int64) / 1e9)


def _head(above: list[str], comments: list[str], cells: _Cells) -> _Head:
    names: list[str] = []
    if above:
        names = _names(above[-1], cells.separator)
        if len(names) == cells.width + 1 and not names[-1]:
            names.pop()
    elif comments and not re.search(r"[:=]", comments[-1]):  # as numpy.savetxt writes names
        names = _names(comments[-1].lstrip().lstrip("#% "), cells.separator)
    if len(names) != cells.width:
        names = []
    told = [*comments, *(above[:-1] if names else above)]
    rates = [rate for line in told if (rate := column_names.stated_rate_hz(line))]
    units = [unit for line in told if (unit := column_names.stated_unit(line))]
    return _Head(names, rates[0] if rates else None, units[0] if units else None)


def _names(line: str, separator: str | None) -> list[str]:
    if separator is None:  # a blank before a unit does not begin another column
        return [name.strip('"') for name in re.split(r"\s+(?![\[(])", line.strip())]
    return _fields(line, separator)


def _nameless(
    file: Path, numbers: npt.NDArray[np.float64], layout: Layout | None, axes: int | None, head: _Head
) -> list[Channel]:
    if table.is_of_rows(numbers.shape, layout):
        found = table.channels_of_rows(file, numbers, layout, axes)
        return [Channel(each.name, each.values, head.rate_hz, head.unit, None, each.notes) for each in found]
    width = numbers.shape[1]
    counted = width > 1 and _counts_up(numbers[:, 0])
    notes = ("its first column counts the lines: left out",) if counted else ()
    return [
        Channel(f"column {index + 1}", numbers[:, index], head.rate_hz, head.unit, None, notes)
        for index in range(1 if counted else 0, width)
    ]


def _named(
    file: Path, numbers: npt.NDArray[np.float64], names: list[str], head: _Head, stamped: int | None
) -> list[Channel]:
    split = [column_names.split_unit(name) for name in names]
    times, at = _times(file, numbers, split, stamped)
    channels = []
    for index, (name, unit) in enumerate(split):
        counts = column_names.is_counter(name) and numbers.shape[1] > 1 and _counts_up(numbers[:, index])
        if index != at and not counts:
            rate_hz = head.rate_hz
            channels.append(Channel(name, numbers[:, index], rate_hz, unit or head.unit, times))
    return channels


def _times(
    file: Path, numbers: npt.NDArray[np.float64], split: list[tuple[str, str | None]], stamped: int | None
) -> tuple[SampleTimes | None, int | None]:
    if stamped is not None:
        values = numbers[:, stamped]
        return SampleTimes(values - values[0], "s", split[stamped][0]), stamped
    for index, (name, unit) in enumerate(split):
        if column_names.is_time(name):
            try:
                told = column_names.time_unit(name, unit)
            except ValueError:
                raise refused(file, f"times in {unit!r}", expected="s, ms, µs or ns") from None
            values = numbers[:, index]
            return SampleTimes(values - values[0], told, name), index
    return None, None


def _counts_up(values: npt.NDArray[np.float64]) -> bool:
    return values.size > 1 and bool(np.all(np.diff(values) == 1.0))
