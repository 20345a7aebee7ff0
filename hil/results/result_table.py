# SPDX-License-Identifier: Apache-2.0
"""A table among a run's results: rows of values with uncertainties that belong together and are compared.

The journal has single results with their limits; a table shows where they come from or how alternatives
compare. One JSON file each, ``tables/<name>.json``.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from hil.errors import ResultsError
from hil.measurement.uncertainty import Estimate


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


def save(path: Path, table: ResultTable) -> None:
    """Write a table; an existing file is replaced.

    Raises:
        ResultsError: if the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(table), indent=1, ensure_ascii=False) + "\n", "utf-8")
    except OSError as error:
        raise ResultsError(str(error), where=str(path), operation="save table") from error


def load(path: Path) -> ResultTable:
    """Read a table back.

    Raises:
        ResultsError: if the file is none that :func:`save` wrote.
    """
    try:
        fields: dict[str, Any] = json.loads(path.read_text("utf-8"))
        rows = tuple(
            Row(row["label"], tuple(Cell(**cell) for cell in row["cells"]), row["marked"])
            for row in fields.pop("rows")
        )
        chart = fields.pop("chart")
        columns, notes = tuple(fields.pop("columns")), tuple(fields.pop("notes"))
        return ResultTable(
            **fields, columns=columns, notes=notes, rows=rows, chart=chart and Chart(chart)
        )
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ResultsError(f"is no table ({error})", where=str(path), operation="load table") from error
