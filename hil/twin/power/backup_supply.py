# SPDX-License-Identifier: Apache-2.0
"""The supply of the backup domain (RTC, LSE, backup registers) by a cell at VBAT: DS10198 Rev 8, Table 50."""

from functools import lru_cache

from hil.parts import Part
from hil.twin.power.model import inside_tables, lse_drive_a
from hil.twin.power.spread import of_figure
from hil.twin.power.supply_trace import SupplyTrace
from hil.twin.soc.stm32l4.pwr import Pwr
from hil.twin.soc.stm32l4.rcc import Rcc


class BackupSupply:
    """What feeds VBAT, and the current out of it."""

    def __init__(self, part: Part, rcc: Rcc, pwr: Pwr, spread: float) -> None:
        self._part = part
        self._rcc = rcc
        self._pwr = pwr
        self._spread = spread
        self.cell_v: float | None = None
        """The cell's voltage; ``None``: VBAT is tied to VDD, which then supplies the domain at all times."""
        self.trace = SupplyTrace()
        """Current out of the cell."""
        self.charging_current_a = 0.0
        """Current from VDD into the cell."""

    def update(self, time_ps: int, vdd_v: float | None, temperature_c: float) -> None:
        """Something may have changed; ``vdd_v`` is ``None`` while VBAT supplies the domain."""
        if self.cell_v is None:
            self.charging_current_a = 0.0
            if self.trace.current_a:
                self.trace.record(time_ps, 0.0)
        elif vdd_v is None:
            self.charging_current_a = 0.0
            self.trace.record(time_ps, self._drawn_a(self.cell_v, temperature_c))
        else:
            resistor_ohm = self._pwr.battery_charging_ohm
            excess_v = max(vdd_v - self.cell_v, 0.0)
            self.charging_current_a = 0.0 if resistor_ohm is None else excess_v / resistor_ohm
            self.trace.record(time_ps, -self.charging_current_a)

    def _drawn_a(self, cell_v: float, temperature_c: float) -> float:
        lse = self._rcc.oscillators["lse"]
        return backup_current_a(
            self._part,
            cell_v,
            temperature_c,
            self._spread,
            self._rcc.rtc_source,
            self._rcc.lse_drive if lse.on else None,
        )


@lru_cache(maxsize=64)
def backup_current_a(
    part: Part,
    vbat_v: float,
    temperature_c: float,
    spread: float,
    rtc_source: str,
    lse_drive: int | None,
) -> float:
    """The current into VBAT while VDD is off, in A.

    ``rtc_source`` is off, lsi, lse_quartz or lse_bypass; ``lse_drive`` is ``None`` with the LSE off. The LSI
    is not in the backup domain: an RTC on it stands still. Below the lowest VBAT nothing works.
    """
    if vbat_v < part.fact("vbat_operating").min_scalar():
        return 0.0
    vbat_v, temperature_c = inside_tables(part, vbat_v, temperature_c)
    row = rtc_source if rtc_source.startswith("lse") else "off"
    drawn_a = of_figure(part.supply_current(f"vbat_rtc_{row}", vbat_v, temperature_c), spread)
    return drawn_a + lse_drive_a(part, row, lse_drive, spread)
