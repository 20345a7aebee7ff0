# SPDX-License-Identifier: Apache-2.0
"""Stop, Standby, Shutdown and VBAT: DS10198 Rev 8, Tables 45 to 50, at every voltage and temperature.

For the rows with a bypassed LSE the bypass is switched on; the board has no 32 kHz generator to feed it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from hil.datasheet.figures import scale_of
from hil.parts import Part
from hil.twin.characterize import steps
from hil.twin.characterize.figures import NotCovered, Printed, Reading, last_digits
from hil.twin.characterize.session import Session
from hil.twin.characterize.steps import Steps, Then


@dataclass(frozen=True)
class Condition:
    """How to bring the part there; ``beyond`` is the table that the figures come on top of."""

    steps: Steps
    lse: Steps = ()
    beyond: str | None = None


_STOP: Final = {"stop0": 0, "stop1": 1, "stop2": 2}
_STANDBY, _SHUTDOWN = 3, 4
_LSE, _LSI = 1, 2
_QUARTZ, _BYPASS = steps.lse(), steps.lse(bypass=True)


def _sleep(lpms: int, *before: Steps) -> Steps:
    return (*(step for part in before for step in part), *steps.deep_sleep(lpms), *steps.ALL_GATES_OFF)


def _conditions() -> dict[str, Condition]:
    found = {"stop0_rtc_off": Condition(_sleep(0))}
    for mode in ("stop1", "stop2"):
        found[f"{mode}_rtc_off_lcd_off"] = Condition(_sleep(_STOP[mode]))
    for mode, lpms in (("stop1", 1), ("stop2", 2), ("shutdown", _SHUTDOWN), ("standby", _STANDBY)):
        found[f"{mode}_rtc_lse_quartz"] = Condition(_sleep(lpms, steps.rtc(_LSE)), _QUARTZ)
        found[f"{mode}_rtc_lse_bypass"] = Condition(_sleep(lpms, steps.rtc(_LSE)), _BYPASS)
        if mode.startswith("stop"):
            found[f"{mode}_rtc_lsi"] = Condition(_sleep(lpms, steps.lsi(), steps.rtc(_LSI)))
    found["shutdown_rtc_off"] = Condition(_sleep(_SHUTDOWN))
    lsi_rtc = (*steps.lsi(), *steps.rtc(_LSI))
    watchdog = steps.watchdog()
    found["standby_rtc_off_no_iwdg"] = Condition(_sleep(_STANDBY))
    found["standby_rtc_off_iwdg"] = Condition(_sleep(_STANDBY, watchdog))
    found["standby_rtc_lsi_no_iwdg"] = Condition(_sleep(_STANDBY, lsi_rtc))
    found["standby_rtc_lsi_iwdg"] = Condition(_sleep(_STANDBY, lsi_rtc, watchdog))
    keep_sram2 = (steps.PWR_CLOCK_ON, steps.on(steps.PWR_CR3, 1 << 8))
    found["standby_sram2_adder"] = Condition(_sleep(_STANDBY, keep_sram2), beyond="standby_rtc_off_no_iwdg")
    return found


_CONDITIONS: Final = _conditions()
_BATTERY_CONDITIONS: Final = {
    "vbat_rtc_off": Condition(()),
    "vbat_rtc_lse_quartz": Condition(steps.rtc(_LSE), _QUARTZ),
    "vbat_rtc_lse_bypass": Condition(steps.rtc(_LSE), _BYPASS),
}
"""What a cell at VBAT supplies while VDD is off; ``lse`` and ``steps`` are done before."""
_REASONS: Final = {"lcd": "the steps do not switch the LCD controller on"}


def _tables(part: Part) -> list[dict[str, Any]]:
    tables: list[dict[str, Any]] = part.tables("supply_current")["voltage_temperature"]
    return tables


def lines(part: Part) -> list[str]:
    """The tables that are measured."""
    return [table["id"] for table in _tables(part) if table["id"] in _CONDITIONS | _BATTERY_CONDITIONS]


def not_covered(part: Part) -> list[NotCovered]:
    """The tables that are not, and why."""
    return [
        NotCovered(table["id"], table["source"], len(_printed(table)), reason)
        for table in _tables(part)
        if table["id"] not in _CONDITIONS | _BATTERY_CONDITIONS
        for key, reason in _REASONS.items()
        if key in table["id"].replace("lcd_off", "")
    ]


def figure_count(part: Part, line: str) -> int:
    """How many figures a table has."""
    return len(_printed(_table(part, line)))


def _table(part: Part, line: str) -> dict[str, Any]:
    return next(table for table in _tables(part) if table["id"] == line)


def _printed(table: dict[str, Any]) -> list[Printed]:
    scale = scale_of(table["unit"])
    digits = last_digits(value for row in table["rows"] for value in row["typ"])
    return [
        Printed(
            table["id"],
            table["source"],
            "A",
            value * scale,
            digits[value] * scale,
            {"V": float(row["vdd_v"]), "°C": float(temperature_c)},
        )
        for row in table["rows"]
        for temperature_c, value in zip(table["temperatures_c"], row["typ"], strict=True)
        if not math.isnan(value)
    ]


def measure(session: Session, line: str) -> Iterator[Reading]:
    """Every printed figure of a table."""
    if line in _BATTERY_CONDITIONS:
        yield from _measure_at_battery(session, line)
        return
    condition = _CONDITIONS[line]
    printed = _printed(_table(session.part, line))
    below = [0.0] * len(printed)
    expected = [figure.expected for figure in printed]
    if condition.beyond is not None:
        base = _printed(_table(session.part, condition.beyond))
        expected = [figure.expected + under.expected for figure, under in zip(printed, base, strict=True)]
        below = [reading.raw for reading in measure(session, condition.beyond)]
    session.start(condition.steps, Then.SLEEP, lse=condition.lse)
    for figure, current_a, below_a in zip(printed, expected, below, strict=True):
        session.set_voltage(float(figure.conditions["V"]))
        session.set_temperature(float(figure.conditions["°C"]))
        yield Reading(figure, session.current_a(current_a) - below_a)


def _measure_at_battery(session: Session, line: str) -> Iterator[Reading]:
    """The part runs from its supply to set the domain up, then the supply goes and the cell is left."""
    condition = _BATTERY_CONDITIONS[line]
    with session.battery() as battery:
        session.switch_off()
        battery.renew(3.0)
        session.start(condition.steps, Then.SLEEP, lse=condition.lse)
        session.switch_off()
        for figure in _printed(_table(session.part, line)):
            battery.set_voltage(float(figure.conditions["V"]))
            session.set_temperature(float(figure.conditions["°C"]))
            yield Reading(figure, battery.current_a(figure.expected))
