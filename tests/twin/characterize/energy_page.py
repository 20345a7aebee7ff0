# SPDX-License-Identifier: Apache-2.0
"""The table of docs/energy.md; `python -m tests.twin.characterize.energy_page` writes it again."""

from __future__ import annotations

from pathlib import Path

from hil.twin.characterize import by_code
from hil.twin.characterize.by_code import CodeReading
from hil.twin.characterize.session import Session

PAGE = Path(__file__).parents[3] / "docs" / "energy.md"
BEGIN, END = "<!-- table: begin -->\n", "<!-- table: end -->\n"
_HEAD = "| table | code | source | printed | twin | ratio before | after |\n|---|---|---|---|---|---|---|\n"


def line(reading: CodeReading, reduced_a: float) -> str:
    """A row; before the code counted, all drew what the table's reduced code draws, `reduced_a`."""
    return (
        f"| {reading.line} | {reading.code} | {reading.source} | {1e3 * reading.printed_a:.4g} mA | "
        f"{1e3 * reading.measured_a:.3g} mA | {reduced_a / reading.printed_a:.2f} | "
        f"{1 + reading.deviation:.2f} |\n"
    )


def lines(readings: list[CodeReading]) -> list[str]:
    """The rows of one table."""
    return [line(reading, readings[0].measured_a) for reading in readings]


def main() -> None:
    """Write the table into the page."""
    with Session() as session:
        rows = by_code.rows(session.part)
        body = "".join(text for row in rows for text in lines(list(by_code.measure(session, row))))
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    PAGE.write_text(before + BEGIN + _HEAD + body + END + rest.split(END)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
