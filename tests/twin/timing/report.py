# SPDX-License-Identifier: Apache-2.0
"""The table of docs/timing.md; `python -m tests.twin.timing.report` writes it again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.twin.timing.expectation import expected
from tests.twin.timing.image_build import build
from tests.twin.timing.trace import record
from tests.twin.timing.twin_run import SETTINGS, Setting, run

PAGE = Path(__file__).parents[3] / "docs" / "timing.md"
BEGIN, END = "<!-- table: begin -->\n", "<!-- table: end -->\n"
PROGRAMS = ("sort", "fft", "crc_bits", "crc_table", "autoencoder", "division", "aes", "ntt")
GRANULARITY = 0.05
"""How far the twin may be outside the bounds where the flash has wait states: it spreads a block's
instructions evenly over its lines, and does not follow loads from flash through a pointer that is computed
in the same block.
"""
UNKNOWN_BASES = 0.002
"""How far at zero wait states: it does not know either which memory such a pointer leads to."""


@dataclass(frozen=True)
class Row:
    """A program in a setting."""

    program: str
    setting: Setting
    fewest: int
    most: int
    twin: int
    right: bool
    """The twin computed what plain Unicorn did."""

    @property
    def deviation(self) -> float:
        """How far the twin is outside the bounds, relative to the nearer one; 0 inside."""
        if self.twin < self.fewest:
            return self.twin / self.fewest - 1
        return self.twin / self.most - 1 if self.twin > self.most else 0.0


def rows(program: str) -> list[Row]:
    """Build a program and run it in every setting."""
    image = build(program)
    trace, result = record(image)
    table = []
    for setting in SETTINGS:
        bounds = expected(trace, setting.wait_states, setting.prefetch, setting.caches)
        cycles, computed = run(image, setting)
        table.append(Row(program, setting, bounds.fewest, bounds.most, cycles, computed == result))
    return table


def lines(table: list[Row]) -> list[str]:
    """Return the rows of the page's table."""
    return [
        f"| {row.program} | {row.setting.name} | {row.fewest} to {row.most} | {row.twin} | "
        f"{f'{row.deviation:+.1%}' if row.deviation else 'inside'} |\n"
        for row in table
    ]


def main() -> None:
    """Write the table into the page."""
    head = "| program | setting | documents | twin | |\n|---|---|---|---|---|\n"
    body = "".join(line for program in PROGRAMS for line in lines(rows(program)))
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    PAGE.write_text(before + BEGIN + head + body + END + rest.split(END)[1], encoding="utf-8")
    print(head + body, end="")


if __name__ == "__main__":
    main()
