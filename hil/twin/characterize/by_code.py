# SPDX-License-Identifier: Apache-2.0
"""The run current by code: DS10198 Rev 8, Tables 33 and 39, each row by our program of its kind.

What the twin draws for a code is fitted to these rows, and cannot meet all of them: they are no figures of
the characterisation but the measure of that fit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from hil.datasheet.figures import scale_of
from hil.parts import Part
from hil.twin.characterize import clocked
from hil.twin.characterize.session import Session
from hil.twin.characterize.steps import Then

_SHORT: Final = 64
"""Samples of a measurement, as while the core runs elsewhere."""
UNCERTAINTY: Final = {
    "run_flash_art_on_range1": 0.01,
    "run_flash_art_on_range2": 0.03,
    "run_flash_art_on_lprun": 0.05,
    "run_sram1_range1": 0.03,
    "run_sram1_range2": 0.07,
    "run_sram1_lprun": 0.08,
}
"""How far the twin's energy of a running program may be off: the residuals of the fit, rounded up."""


@dataclass(frozen=True)
class CodeReading:
    """A code's current, printed and as the bench reads it, in A."""

    line: str
    code: str
    source: str
    printed_a: float
    measured_a: float

    @property
    def deviation(self) -> float:
        """Relative to the printed figure."""
        return self.measured_a / self.printed_a - 1


def rows(part: Part) -> list[dict[str, Any]]:
    """The rows on file."""
    found: list[dict[str, Any]] = part.tables("supply_current")["run_by_code"]
    return found


def measure(session: Session, row: dict[str, Any]) -> Iterator[CodeReading]:
    """Every code of a row."""
    hclk_hz, scale = round(row["hclk_mhz"] * 1e6), scale_of(row["unit"])
    condition, _ = clocked.condition(row["id"], hclk_hz)
    corrections = () if row["id"].endswith("lprun") else clocked.oscillators(session.part, hclk_hz)
    beside_a = sum(correction.value for correction in corrections)
    for code, value in row["typ"].items():
        name = code.upper() + ("_SRAM" if "sram1" in row["id"] else "")
        session.start(condition, Then[name])
        measured_a = session.current_a(value * scale + beside_a, _SHORT) - beside_a
        yield CodeReading(row["id"], code, row["source"], value * scale, measured_a)
