# SPDX-License-Identifier: Apache-2.0
"""A result table as the page shows it: formatted cells, and the data of its chart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hil.measurement.phases import PhaseName
from hil.measurement.text import prefixed, uncertain
from hil.report.figure import PHASE_COLOURS
from hil.results.result_table import Cell, Chart, ResultTable


@dataclass(frozen=True)
class RowView:
    """One row; ``colour`` is that of the phase it is named after, if it is, and ``share`` its part of the
    bar in per cent.
    """

    label: str
    texts: tuple[str, ...]
    marked: bool
    colour: str
    share: float


@dataclass(frozen=True)
class TableView:
    """A table ready for the template."""

    title: str
    label: str
    columns: tuple[str, ...]
    rows: tuple[RowView, ...]
    folded: tuple[RowView, ...]
    """Shown on demand."""
    notes: tuple[str, ...]
    shares: bool
    """Whether the rows' shares are drawn as one divided bar."""
    waveform: str
    """Name of the waveform that it was made from."""
    bars: dict[str, Any] | None
    """Title and rows of the bar chart, lengths in per cent of its width; None without one."""


def view(table: ResultTable) -> TableView:
    """Return what the template needs of a table."""
    charted = [row.cells[table.charted].value or 0.0 for row in table.rows]
    whole = sum(charted) or 1.0
    rows = tuple(
        RowView(row.label, tuple(_text(cell) for cell in row.cells), row.marked, _colour(row.label), share)
        for row, share in zip(table.rows, (100 * value / whole for value in charted), strict=True)
    )
    shown = len(rows) - table.folded
    return TableView(
        title=table.title[:1].upper() + table.title[1:],
        label=table.label,
        columns=table.columns,
        rows=rows[:shown],
        folded=rows[shown:],
        notes=table.notes,
        shares=table.chart is Chart.SHARES,
        waveform=table.waveform,
        bars=_bars(table) if table.chart is Chart.BARS else None,
    )


def _text(cell: Cell) -> str:
    return cell.text if cell.value is None else uncertain(cell.value, cell.expanded_uncertainty, cell.unit)


def _colour(label: str) -> str:
    return PHASE_COLOURS[PhaseName(label)] if label in set(PhaseName) else ""


def _bars(table: ResultTable) -> dict[str, Any]:
    """Rows that have a value, in one unit whose prefix suits the largest."""
    rows = [(row, row.cells[table.charted]) for row in table.rows]
    shown = [(row, cell, cell.value) for row, cell in rows if cell.value is not None]
    scale, unit = prefixed(max((abs(value) for _, _, value in shown), default=0.0), rows[0][1].unit)
    most = max((value + cell.expanded_uncertainty for _, cell, value in shown), default=0.0) or 1.0

    def percent(value: float) -> float:
        return round(100 * min(max(value / most, 0.0), 1.0), 2)

    return {
        "title": f"{table.columns[table.charted]} in {unit}",
        "rows": [
            {
                "label": row.label,
                "value": percent(value),
                "low": percent(value - cell.expanded_uncertainty),
                "high": percent(value + cell.expanded_uncertainty),
                "text": f"{value / scale:.4g}",
                "marked": row.marked,
            }
            for row, cell, value in shown
        ],
    }
