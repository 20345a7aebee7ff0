# SPDX-License-Identifier: Apache-2.0
"""A table among a run's results: rows of values with uncertainties that belong together and are compared.

The journal has single results with their limits; a table shows where they come from or how alternatives
compare. One JSON file each, ``tables/<name>.json``.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from pydantic import TypeAdapter

from hil.errors import ResultsError, one_line
from hil.measurement.uncertainty import Estimate
from hil.results.run import replace_file


class Chart(StrEnum):
    """How a column is drawn beside its table."""

    SHARES = "shares"
    """One bar, divided by the column's values, which add up to a whole."""
    BARS = "bars"
    """One bar per row, with its uncertainty."""


@dataclass(frozen=True)
class Cell:
    """One value. Text where ``value`` is None."""

    value: float | None = None
    expanded_uncertainty: float = 0.0
    unit: str = ""
    text: str = ""

    def __post_init__(self) -> None:
        if not math.isfinite((self.value or 0.0) + self.expanded_uncertainty):
            raise ValueError(f"{self.value!r} ± {self.expanded_uncertainty!r} is not a finite number")

    @classmethod
    def of(cls, estimate: Estimate, unit: str, scale: float = 1.0) -> Cell:
        """Return an estimate as a cell; ``scale`` is for units that are not SI's (100 for "%")."""
        return cls(scale * estimate.value, scale * estimate.expanded_uncertainty, unit)


@dataclass(frozen=True)
class Row:
    """One row under its label."""

    label: str
    cells: tuple[Cell, ...]
    marked: bool = False
    """The one that a reader looks for: the cheapest, the chosen one."""


@dataclass(frozen=True)
class ResultTable:
    """A table with what there is to say about it."""

    title: str
    label: str
    """What the rows are: the head of their labels' column."""
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    """Below the table, one statement each."""
    waveform: str = ""
    """Name of the waveform that the table was made from, if one is stored; it is shown there."""
    chart: Chart | None = None
    charted: int = 0
    """Which column the chart shows."""
    folded: int = 0
    """How many rows at the end are details that a reader has to ask for."""

    def __post_init__(self) -> None:
        if any(len(row.cells) != len(self.columns) for row in self.rows):
            raise ValueError(f"{self.title}: every row needs {len(self.columns)} cells")
        if self.rows and not 0 <= self.charted < len(self.columns):
            raise ValueError(f"{self.title}: has no column {self.charted} to chart")


def save(path: Path, table: ResultTable) -> None:
    """Write a table; an existing file is replaced.

    Raises:
        ResultsError: if the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ResultsError(str(error), where=str(path), operation="save table") from error
    replace_file(path, json.dumps(asdict(table), indent=1, ensure_ascii=False) + "\n")


_VALIDATOR = TypeAdapter(ResultTable)


def load(path: Path) -> ResultTable:
    """Read a table back.

    Raises:
        ResultsError: if the file is none that :func:`save` wrote.
    """
    try:
        return _VALIDATOR.validate_python(json.loads(path.read_text("utf-8")))
    except (OSError, RecursionError, ValueError) as error:  # pydantic's ValidationError is a ValueError
        raise ResultsError(
            f"is no table ({one_line(error)})", where=str(path), operation="load table"
        ) from error
