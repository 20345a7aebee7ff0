# SPDX-License-Identifier: Apache-2.0
"""The bench as a power analyzer at VBAT sees it: its output is the cell, its ammeter in the cell's line."""

from __future__ import annotations

import numpy as np

from hil.twin.bench import Bench
from hil.twin.core.scheduler import Scheduler
from hil.twin.mcu import Mcu
from hil.twin.power.supply_trace import SupplyTrace


class _BatteryTerminal:
    """The part at its VBAT pin."""

    def __init__(self, mcu: Mcu) -> None:
        self._mcu = mcu

    @property
    def supply(self) -> SupplyTrace:
        """The current into VBAT."""
        return self._mcu.battery_supply

    def set_supply_voltage(self, v: float) -> None:
        """The voltage at VBAT, in V."""
        self._mcu.set_backup_supply(v)


class BatteryBench:
    """The same bench with other terminals."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.lock = bench.lock
        self.mcu = _BatteryTerminal(bench.mcu)

    @property
    def scheduler(self) -> Scheduler:
        """The bench's clock."""
        return self._bench.scheduler

    def rng(self, name: str) -> np.random.Generator:
        """Random numbers of an instrument of its own."""
        return self._bench.rng(f"VBAT {name}")

    def advance_to(self, time_ps: int) -> None:
        """Let bench time pass up to ``time_ps``."""
        self._bench.advance_to(time_ps)
