# SPDX-License-Identifier: Apache-2.0
"""Run and Sleep with either regulator: DS10198 Rev 8, Tables 27 to 44, at every clock and temperature.

The tables are with a bypassed HSE, which the board has not: the MSI and the PLL make the same clocks, and
what they draw (Tables 60 and 62) is taken off the reading.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from hil.datasheet.figures import interpolate, scale_of
from hil.parts import Part
from hil.twin.characterize import steps
from hil.twin.characterize.figures import Correction, Printed, Reading, last_digits
from hil.twin.characterize.session import Session
from hil.twin.characterize.steps import Steps, Then

_PLL: Final = {26_000_000: (26, 4), 64_000_000: (32, 2), 72_000_000: (36, 2), 80_000_000: (40, 2)}
"""Multiplier of the 4 MHz MSI and divider R for the clocks that are no range of the MSI; all keep the VCO
between 64 and 344 MHz (DS10198 Rev 8, T62)."""
_PLL_INPUT_HZ: Final = 4_000_000
_PLL_IN_TABLE_ABOVE_HZ: Final = 48_000_000
_PLL_VCO_HZ: Final = [64e6, 96e6, 192e6, 344e6]
_SLEEP_PD: Final = 1 << 14
_SHORT: Final = 64
"""Samples of a measurement while the core runs: noise is small against these currents."""


def _tables(part: Part) -> list[dict[str, Any]]:
    tables: list[dict[str, Any]] = part.tables("supply_current")["frequency_temperature"]
    return tables


def lines(part: Part) -> list[str]:
    """The tables that are measured: all."""
    return [table["id"] for table in _tables(part)]


def figure_count(part: Part, line: str) -> int:
    """How many figures a table has."""
    table = _table(part, line)
    return sum(len(row["typ"]) for row in table["rows"])


def _table(part: Part, line: str) -> dict[str, Any]:
    return next(table for table in _tables(part) if table["id"] == line)


def clock(hclk_hz: int) -> Steps:
    """HCLK from the MSI where one of its ranges fits, else from the PLL."""
    return steps.pll(*_PLL[hclk_hz]) if hclk_hz in _PLL else steps.msi(hclk_hz)


def oscillators(part: Part, hclk_hz: int) -> tuple[Correction, ...]:
    """What makes the clock here and is not in a table of Run or Sleep with the main regulator."""
    msi_hz = _PLL_INPUT_HZ if hclk_hz in _PLL else hclk_hz
    msi = part.fact("msi_by_range")
    assert isinstance(msi.typ, tuple)
    found = [Correction("MSI", msi.typ[steps.MSI_RANGES_HZ.index(msi_hz)], msi.source)]
    if hclk_hz in _PLL and hclk_hz <= _PLL_IN_TABLE_ABOVE_HZ:
        pll = part.fact("pll_by_vco")
        assert isinstance(pll.typ, tuple)
        vco_hz = _PLL_INPUT_HZ * _PLL[hclk_hz][0]
        found.append(Correction("PLL", interpolate(vco_hz, _PLL_VCO_HZ, list(pll.typ)), pll.source))
    return tuple(found)


def condition(line: str, hclk_hz: int) -> tuple[Steps, Then]:
    """The steps to a table's condition at a clock, and what the firmware does then."""
    art = (*steps.wait_states(hclk_hz, 2 if "range2" in line else 1, art="art_off" not in line),)
    spin = Then.REDUCED_SRAM if "sram1" in line else Then.REDUCED
    then = Then.SLEEP if "sleep" in line else spin
    if line.endswith("range1"):
        regulated: Steps = clock(hclk_hz)
    elif line.endswith("range2"):
        regulated = (*steps.voltage_range(2), *clock(hclk_hz))
    else:
        regulated = (*clock(hclk_hz), *steps.low_power_regulator())
    powered_down = (steps.on(steps.FLASH_ACR, _SLEEP_PD),) if line == "lpsleep_flash_pd" else ()
    return (*art, *regulated, *powered_down, *steps.ALL_GATES_OFF), then


def measure(session: Session, line: str) -> Iterator[Reading]:
    """Every printed figure of a table."""
    table = _table(session.part, line)
    scale = scale_of(table["unit"])
    digits = last_digits(value for row in table["rows"] for value in row["typ"])
    main_regulator = line.endswith(("range1", "range2"))
    for row in table["rows"]:
        hclk_hz = round(row["hclk_mhz"] * 1e6)
        session.start(*condition(line, hclk_hz))
        corrections = oscillators(session.part, hclk_hz) if main_regulator else ()
        for temperature_c, value in zip(table["temperatures_c"], row["typ"], strict=True):
            figure = Printed(
                line,
                table["source"],
                "A",
                value * scale,
                digits[value] * scale,
                {"MHz": float(row["hclk_mhz"]), "°C": float(temperature_c)},
            )
            session.set_temperature(float(temperature_c))
            expected_a = figure.expected + sum(correction.value for correction in corrections)
            yield Reading(figure, session.current_a(expected_a, _SHORT), corrections)
