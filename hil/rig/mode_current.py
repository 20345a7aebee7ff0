# SPDX-License-Identifier: Apache-2.0
"""What the datasheet prints for the mode of a part, with the RTC and the clocks that its registers name."""

from __future__ import annotations

from hil.datasheet.figures import Fact, Figure
from hil.parts import Part
from hil.rig.part_registers import PartRegisters

DEEP_MODES = ("stop0", "stop1", "stop2", "standby", "shutdown")
"""From the dearest to the cheapest."""
MODES = ("none", "sleep", "lpsleep", *DEEP_MODES)
"""What a firmware may be meant to do; "none" never sleeps."""
_RTC = ("off", "lse_quartz", "lsi", "off")
"""By RCC_BDCR.RTCSEL; no row has the RTC on the HSE."""
_PLAIN_STOP = {"stop1": "stop1_rtc_off_lcd_off", "stop2": "stop2_rtc_off_lcd_off"}


def printed(part: Part, mode: str, registers: PartRegisters, supply_v: float, ambient_c: float) -> Figure:
    """Typical and maximum current in a mode, in A.

    Args:
        part: whose datasheet.
        mode: one of :data:`DEEP_MODES`, "sleep", "lpsleep" or "none" for a program that runs.
        registers: name the RTC's clock, and the core's clock where the mode depends on it.
        supply_v: in V.
        ambient_c: in °C.
    """
    if mode not in DEEP_MODES:
        return _clocked(part, mode, registers, ambient_c)
    rtc = _RTC[registers.field("RCC_BDCR", 8, 2)] if registers.field("RCC_BDCR", 15) else "off"

    def row(table: str) -> Figure:
        return part.supply_current(table, supply_v, ambient_c)

    if mode in _PLAIN_STOP:
        return row(_PLAIN_STOP[mode] if rtc == "off" else f"{mode}_rtc_{rtc}")
    if mode == "stop0":
        bare = row("stop0_rtc_off")
        if rtc == "off":
            return bare
        with_rtc, without = row(f"stop1_rtc_{rtc}"), row(_PLAIN_STOP["stop1"])
        adds_a = with_rtc.typ - without.typ
        most_a = None if bare.max is None else bare.max + adds_a
        return Figure(bare.typ + adds_a, most_a, f"{bare.source}, plus the RTC ({with_rtc.source})")
    if mode == "standby":
        return row(f"standby_rtc_{rtc}" + ("" if rtc == "lse_quartz" else "_no_iwdg"))
    return row("shutdown_rtc_lse_quartz" if rtc == "lse_quartz" else "shutdown_rtc_off")


def _clocked(part: Part, mode: str, registers: PartRegisters, ambient_c: float) -> Figure:
    """Sleep or run at the core's clock; the oscillator is added, as the tables of the main regulator have it
    off (DS10198 Rev 8, tables 27 and 42). A clock from outside is taken for the MSI's reset value.
    """
    hclk_hz = registers.hclk_hz or 4e6
    supply_range = "range2" if registers.field("PWR_CR1", 9, 2) == 2 else "range1"
    low_power = mode == "lpsleep" or (mode == "none" and registers.field("PWR_CR1", 14))
    if mode == "none":
        table = f"run_flash_art_on_{'lprun' if low_power else supply_range}"
    else:
        table = "lpsleep_flash_pd" if low_power else f"sleep_flash_on_{supply_range}"
    figure = part.run_current(table, hclk_hz, ambient_c)
    if low_power or not registers.field("RCC_CR", 0):
        return figure
    msi = part.fact("msi_by_range")
    column = min(registers.field("RCC_CR", 4, 4), 11)
    maximum = None if figure.max is None else figure.max + of_list(msi, column, most=True)
    return Figure(figure.typ + of_list(msi, column), maximum, f"{figure.source}, plus the MSI ({msi.source})")


def of_list(fact: Fact, index: int, *, most: bool = False) -> float:
    """A typical figure of a fact that has several; with ``most`` the maximum, where one is printed."""
    figures = fact.max if most and fact.max is not None else fact.typ
    assert isinstance(figures, tuple)
    return figures[index]
