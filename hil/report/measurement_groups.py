# SPDX-License-Identifier: Apache-2.0
"""The table of measurements: by test file, with counts that say alike in one row."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from hil.measurement.limit import Outcome
from hil.measurement.measurement import Measurement
from hil.measurement.text import uncertain
from hil.report.margin import MarginBar, margin_bar
from hil.results.journal import JournalEntry


@dataclass(frozen=True)
class Row:
    """One row: a measurement, or several counts that passed the same limit."""

    name: str
    text: str
    """The value with its uncertainty; of several counts the values in the order of their names."""
    result: Measurement
    """The measurement, or the first of several: their limit, unit and outcome are the same."""
    bar: MarginBar | None


@dataclass(frozen=True)
class Group:
    """What the tests of one file measured."""

    title: str
    file: str
    rows: tuple[Row, ...]


def groups(entries: Sequence[JournalEntry]) -> list[Group]:
    """Return the groups in the order of their first measurement; nothing that did not pass is merged."""
    by_file: dict[str, list[Measurement]] = {}
    for entry in entries:
        by_file.setdefault(entry.test.partition("::")[0], []).append(entry.measurement)
    return [Group(_title(file), file, tuple(_rows(measured))) for file, measured in by_file.items()]


def _title(file: str) -> str:
    return PurePosixPath(file).stem.removeprefix("test_").replace("_", " ")


def _rows(measured: Sequence[Measurement]) -> list[Row]:
    alike: dict[object, list[Measurement]] = {}
    for number, measurement in enumerate(measured):
        mergeable = (
            measurement.expanded_uncertainty == 0
            and float(measurement.value).is_integer()
            and not measurement.notes
            and not measurement.headline
            and measurement.outcome in (Outcome.PASS, Outcome.NOT_JUDGED)
        )
        key = (measurement.limit, measurement.unit) if mergeable else number
        alike.setdefault(key, []).append(measurement)
    return [_row(same) for same in alike.values()]


def _row(same: Sequence[Measurement]) -> Row:
    first = same[0]
    texts = [uncertain(item.value, item.expanded_uncertainty, item.unit) for item in same]
    equal = len(set(texts)) == 1
    return Row(
        name=joined([item.name for item in same]),
        text=texts[0] if equal else " / ".join(texts),
        result=first,
        bar=margin_bar(first) if equal else None,
    )


def joined(names: Sequence[str]) -> str:
    """Say what names have in common once: "records lost", "records repeated" → "records lost / repeated"."""
    if len(names) == 1:
        return names[0]
    words = [name.split() for name in names]
    shortest = min(len(name) for name in words) - 1  # something must remain of each
    head = _common(words, shortest)
    tail = _common([name[::-1] for name in words], shortest - head)
    if head + tail == 0:
        return ", ".join(names)
    middles = [" ".join(name[head : len(name) - tail]) for name in words]
    last = words[0][len(words[0]) - tail :]
    return " ".join([*words[0][:head], " / ".join(middles), *last])


def _common(words: Sequence[Sequence[str]], at_most: int) -> int:
    """How many words all lists begin with."""
    same = itertools.takewhile(lambda column: len(set(column)) == 1, zip(*words, strict=False))
    return min(sum(1 for _ in same), at_most)
