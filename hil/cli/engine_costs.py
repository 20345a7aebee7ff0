# SPDX-License-Identifier: Apache-2.0
"""A comparison of engines as a row on the terminal, a page in Markdown, and a table of a run's report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hil.errors import ResultsError
from hil.measurement.text import with_unit
from hil.results import result_table, run
from hil.results.result_table import Cell, ResultTable, Row

if TYPE_CHECKING:
    from hil.rig.engine_comparison import EngineCost

COLUMNS = ("engine", "differing", "cycles", "time", "current", "energy", "flash", "RAM")
TABLE = "engines.json"
"""Among a run's tables: a later comparison takes its place."""
NOTE = "Time, current and energy are per inference, at the mailbox's clock."


def engine_row(cost: EngineCost) -> tuple[str, ...]:
    """An engine's figures in the order of `COLUMNS`."""
    return (
        cost.name,
        f"{cost.differing} of {cost.vectors}",
        f"{cost.cycles:,}",
        with_unit(cost.latency_s, "s"),
        with_unit(cost.current_a, "A"),
        with_unit(cost.energy_j, "J"),
        f"{cost.flash_bytes:,} B",
        f"{cost.ram_bytes:,} B",
    )


def engine_page(title: str, costs: Sequence[EngineCost]) -> str:
    """The comparison as a table in Markdown."""
    rows = [COLUMNS, ("---",) * len(COLUMNS), *map(engine_row, costs)]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([title, "", *lines, "", NOTE]) + "\n"


def engine_table(title: str, costs: Sequence[EngineCost]) -> ResultTable:
    """The comparison as a table of a report."""
    rows = tuple(
        Row(name, tuple(Cell(text=text) for text in texts)) for name, *texts in map(engine_row, costs)
    )
    notes = (title, NOTE, "No uncertainty was worked out: the figures are for a comparison on one bench.")
    return ResultTable("inference engines", COLUMNS[0], COLUMNS[1:], rows, notes)


def run_of_network(folder: Path, model_sha256: str) -> run.RunFolder:
    """The folder of a finished run in which this network was tested.

    Raises:
        ResultsError: it is no run's folder, or the run was about another network.
    """
    found = run.load(folder)
    of_run = found.description.model_sha256
    if of_run and of_run != model_sha256:
        raise ResultsError(
            f"the run's network is {of_run[:12]}, and {model_sha256[:12]} is compared",
            where=str(folder),
            operation="add the comparison of engines",
            hint="hil firmware compare --model with the run's network",
        )
    return found


def add_to_report(found: run.RunFolder, title: str, costs: Sequence[EngineCost]) -> Path:
    """Put the comparison among the tables of a run, and make its report again. Returns the report.

    Raises:
        ResultsError: the folder cannot be written.
    """
    from hil.report import page  # jinja2, which no other command of hil firmware needs

    result_table.save(found.table_folder / TABLE, engine_table(title, costs))
    page.write(found.path)
    return found.path / "report.html"
