# SPDX-License-Identifier: Apache-2.0
"""Columns of numbers in a text file, with or without names and a column of times."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hil.golden.data.recordings.channel import Channel, refused

_UNIT = re.compile(r"^(?P<name>.*?)\s*[\[(](?P<unit>[^\])]+)[\])]\s*$")
_TIME_NAMES = ("time", "t", "timestamp", "seconds", "zeit", "temps", "tiempo")
_TIME_UNITS_S = {"s": 1.0, "sec": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6}


def read_csv(file: Path) -> list[Channel]:
    """The columns of `file` but that of times, from which the sampling rate is taken.

    Columns are separated by commas, semicolons, tabs or blanks; with semicolons, a comma may be the decimal
    point. The last line above the numbers may name the columns, with units: ``time [s], acceleration [g]``.
    Lines that begin with # are comments.

    Raises:
        RecordingError: no numbers, a line of another width, a missing number, or times that are not even.
        OSError: the file cannot be read.
    """
    lines = [(number, line) for number, line in enumerate(_text(file).splitlines(), 1) if _counts(line)]
    if not lines:
        raise refused(file, "is empty", expected="lines of numbers")
    first, separator = _first_numbers(file, lines)
    names = _names(lines[first - 1][1], separator) if first > 0 else []
    numbers = _numbers(file, lines[first:], separator)
    width = numbers.shape[1]
    if len(names) != width:
        names = [f"column {index}" for index in range(1, width + 1)]
    split = [_UNIT.match(name) for name in names]
    bare = [match["name"] if match else name for match, name in zip(split, names, strict=True)]
    units = [match["unit"].strip() if match else None for match in split]
    times = [index for index, name in enumerate(bare) if name.strip().lower() in _TIME_NAMES]
    rate_hz = None
    if times:
        rate_hz = _rate_hz(file, numbers[:, times[0]], units[times[0]])
    return [
        Channel(bare[index], numbers[:, index], rate_hz, units[index])
        for index in range(width)
        if index not in times[:1]
    ]


def _text(file: Path) -> str:
    content = file.read_bytes()
    if b"\0" in content[:4096]:
        raise refused(file, "holds bytes that are no text", expected="a text file of numbers")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")  # measuring programs write µ and ² so


def _counts(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _fields(line: str, separator: str | None) -> list[str]:
    return [field.strip().strip('"') for field in line.split(separator)]


def _is_number(text: str, separator: str | None) -> bool:
    try:
        float(text.replace(",", ".") if separator == ";" else text)
    except ValueError:
        return False
    return True


def _first_numbers(file: Path, lines: list[tuple[int, str]]) -> tuple[int, str | None]:
    """Index of the first line that is all numbers, and what separates them."""
    for index, (_number, line) in enumerate(lines):
        for separator in (";", "\t", ",", None):
            if separator is not None and separator not in line:
                continue
            if all(_is_number(field, separator) for field in _fields(line, separator)):
                return index, separator
    raise refused(file, f"no line of numbers; line {lines[0][0]} begins {lines[0][1][:40]!r}")


def _names(line: str, separator: str | None) -> list[str]:
    if separator is None:  # a blank before a unit does not begin another column
        return [name.strip('"') for name in re.split(r"\s+(?![\[(])", line.strip())]
    return _fields(line, separator)


def _numbers(file: Path, lines: list[tuple[int, str]], separator: str | None) -> npt.NDArray[np.float64]:
    width = len(_fields(lines[0][1], separator))
    rows: list[list[float]] = []
    for number, line in lines:
        plain = line.replace(",", ".") if separator == ";" else line
        try:  # the quick way, for lines as they should be
            row = [float(field) for field in plain.split(separator)]
        except ValueError:
            row = [_number_of(file, number, field, separator) for field in _fields(line, separator)]
        if len(row) != width:
            raise refused(file, f"line {number} has {len(row)} columns", expected=f"{width} as above")
        rows.append(row)
    return np.array(rows, dtype=np.float64)


def _number_of(file: Path, number: int, field: str, separator: str | None) -> float:
    if not _is_number(field, separator):
        what = f"{field[:40]!r} is no number" if field else "a number is missing"
        raise refused(file, f"line {number}: {what}")
    return float(field.replace(",", ".") if separator == ";" else field)


def _rate_hz(file: Path, times: npt.NDArray[Any], unit: str | None) -> float:
    if unit is not None and unit not in _TIME_UNITS_S:
        raise refused(file, f"times in {unit!r}", expected="s, ms or µs")
    times_s = times * _TIME_UNITS_S[unit or "s"]
    if times_s.size < 2 or not np.all(np.isfinite(times_s)) or times_s[-1] <= times_s[0]:
        raise refused(file, "its times do not rise", expected="one time per sample, evenly apart")
    rate_hz = (times_s.size - 1) / float(times_s[-1] - times_s[0])
    steps = np.diff(times_s) * rate_hz
    worst = int(np.argmax(np.abs(steps - 1.0)))
    if abs(steps[worst] - 1.0) > 0.5:  # a sample is missing or too many, or the times have too few digits
        raise refused(
            file,
            f"uneven times: between samples {worst + 1} and {worst + 2} lie {steps[worst]:.2f} periods",
            expected="one time per sample, evenly apart",
            hint="leave out the column of times and state the rate, if no sample is missing",
        )
    return rate_hz
