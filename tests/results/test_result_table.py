# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from hil.errors import ResultsError
from hil.measurement.uncertainty import Estimate
from hil.results import result_table
from hil.results.result_table import Cell, Chart, ResultTable, Row

TABLE = ResultTable(
    title="clock plans",
    label="Plan",
    columns=("charge", "cheapest"),
    rows=(
        Row("80 MHz", (Cell.of(Estimate(52e-6, 1e-6), "C"), Cell(text="no"))),
        Row("26 MHz", (Cell.of(Estimate(0.48, 0.01), "%", 100.0), Cell(text="yes")), marked=True),
    ),
    notes=("per period",),
    waveform="sweep",
    chart=Chart.BARS,
    folded=1,
)


def test_a_table_reads_back_as_it_was_saved(tmp_path: Path) -> None:
    path = tmp_path / "tables" / "plans.json"
    result_table.save(path, TABLE)
    assert result_table.load(path) == TABLE
    assert TABLE.rows[1].cells[0] == Cell(48.0, 1.0, "%")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"rows": [{}]}'])
def test_what_is_no_table_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(content, "utf-8")
    with pytest.raises(ResultsError, match=r"x\.json: load table: is no table"):
        result_table.load(path)


def test_a_row_with_too_few_cells_is_refused() -> None:
    with pytest.raises(ValueError, match="clock plans: every row needs 2 cells"):
        ResultTable("clock plans", "Plan", ("a", "b"), (Row("x", (Cell(),)),))
