# SPDX-License-Identifier: Apache-2.0
"""The figures that the datasheet prints, one per cell of a table, and what the bench read beside each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

RELATIVE_TOLERANCE = 0.02


@dataclass(frozen=True)
class Printed:
    """One cell of a table: a typical value with its conditions, in ``unit``."""

    line: str
    """The table's or the line's id in :mod:`hil.datasheet`."""
    source: str
    unit: str
    expected: float
    last_digit: float
    """One unit of the last digit that the table prints."""
    conditions: Mapping[str, float | str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Line and conditions."""
        where = ", ".join(
            f"{value:g} {key}" if isinstance(value, float) else value
            for key, value in self.conditions.items()
        )
        return f"{self.line}[{where}]" if where else self.line

    @property
    def tolerance(self) -> float:
        """How far a reading may be off: 2 %, or the last digit."""
        return max(RELATIVE_TOLERANCE * abs(self.expected), self.last_digit)


@dataclass(frozen=True)
class Correction:
    """What a reading contains and the printed figure does not."""

    what: str
    value: float
    source: str


@dataclass(frozen=True)
class Reading:
    """What the bench read for a printed figure."""

    printed: Printed
    raw: float
    corrections: tuple[Correction, ...] = ()

    @property
    def measured(self) -> float:
        """The reading less its corrections."""
        return self.raw - sum(correction.value for correction in self.corrections)

    @property
    def deviation(self) -> float:
        """Relative to the printed figure."""
        return self.measured / self.printed.expected - 1

    @property
    def within(self) -> bool:
        """Whether it is near enough; a grain beyond the last digit is rounding, not deviation."""
        off = abs(self.measured - self.printed.expected)
        return off <= self.printed.tolerance * (1 + 1e-9)


@dataclass(frozen=True)
class NotCovered:
    """A line of the datasheet that the bench cannot measure, how many figures it has, and why not."""

    line: str
    source: str
    figures: int
    reason: str


def last_digits(values: Iterable[float]) -> dict[float, float]:
    """One unit of the last printed digit for every value of a table.

    The data file drops trailing zeros (1.5 for 1.50), so values of one decade share the most decimals that
    any of them shows.
    """
    numbers = [value for value in values if not math.isnan(value)]
    shown: dict[int, int] = {}
    for value in numbers:
        text = f"{value:.12g}"
        decimals = len(text.partition(".")[2])
        shown[_decade(value)] = max(shown.get(_decade(value), 0), decimals)
    return {value: 10.0 ** -shown[_decade(value)] for value in numbers}


def _decade(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else 0
