# SPDX-License-Identifier: Apache-2.0
"""The run current by code, beside the datasheet's rows and the uncertainty that the twin states."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hil.boards import REFERENCE, Board
from hil.twin.characterize import by_code
from hil.twin.characterize.session import Session
from hil.twin.power.assumptions import ASSUMPTIONS
from tests.twin.characterize.energy_page import PAGE, lines

PART = Board.load(REFERENCE).part


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Session() as session:
        yield session


@pytest.mark.parametrize("row", by_code.rows(PART), ids=lambda row: row["id"])
def test_each_code_draws_what_the_datasheet_prints_within_the_stated_uncertainty(session, row):
    readings = list(by_code.measure(session, row))
    uncertainty = by_code.UNCERTAINTY[row["id"]]
    assert {r.code: r.deviation for r in readings if abs(r.deviation) > uncertainty} == {}
    page = PAGE.read_text(encoding="utf-8")
    missing = [line for line in lines(readings) if line not in page]
    assert not missing, "python -m tests.twin.characterize.energy_page writes docs/energy.md again"


def test_the_report_gets_the_uncertainty():
    text = dict(ASSUMPTIONS)["run_code"]
    percent = [f"{by_code.UNCERTAINTY[row['id']]:.0%}".replace("%", " %") for row in by_code.rows(PART)]
    flash, sram = percent[:3], percent[3:]
    assert f"from flash {flash[0]} in range 1, {flash[1]} in range 2, {flash[2]} in low-power run" in text
    assert f"from SRAM1 {sram[0]}, {sram[1]} and {sram[2]}" in text


def test_a_busy_program_draws_its_own_current_between_two_changes(session):
    """Two codes in the same condition differ, though no register tells them apart."""
    row = by_code.rows(PART)[0]
    drawn_a = {reading.code: reading.measured_a for reading in by_code.measure(session, row)}
    assert drawn_a["while1"] < drawn_a["reduced"] < drawn_a["fibonacci"] < drawn_a["dhrystone"]
