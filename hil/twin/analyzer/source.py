# SPDX-License-Identifier: Apache-2.0
"""The output of the N6781A: what it puts on the board's supply pins, and what makes it let go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hil.twin.analyzer.bench import Bench
from hil.twin.analyzer.status import Operation, Questionable

OVER_CURRENT_DELAY_PS = 20_000_000_000
"""How long the current limit must hold before over-current protection trips: 20 ms.

N6700C Operating and Service Guide, OUTPut:PROTection:DELay, reset value. Brief inrush does not trip the
output.
"""

# Assumption: programming accuracy 0.025 % + 1.8 mV, the order of the maker's figure for the 20 V range;
# config overrides it.
DEFAULT_PROGRAMMING_GAIN = 0.025e-2
DEFAULT_PROGRAMMING_OFFSET_V = 1.8e-3


class Source:
    """Voltage-priority output with current limit, over-current and remote over-voltage protection.

    Over-current is judged from the mean current of 20 ms slices of the supply trace, looked at once per
    second of bench time and before every status query; so a trip is late by up to a second, never missed.
    """

    def __init__(self, bench: Bench, config: Mapping[str, Any], rng: np.random.Generator) -> None:
        self._bench = bench
        self._gain = 1 + rng.uniform(-1, 1) * float(
            config.get("programming_gain_accuracy", DEFAULT_PROGRAMMING_GAIN)
        )
        self._offset_v = rng.uniform(-1, 1) * float(
            config.get("programming_offset_accuracy_v", DEFAULT_PROGRAMMING_OFFSET_V)
        )
        self._applied_v = 0.0
        self._watched_ps = bench.scheduler.now_ps
        self.reset()

    def reset(self) -> None:
        """The output off, everything at its reset value."""
        self.on = False
        self.voltage_v = 0.0
        self.current_limit_a = 1.02
        self.over_voltage_v = 22.0
        self.over_current_protection = False
        self.tripped = Questionable(0)
        self.apply()

    @property
    def terminal_v(self) -> float:
        """The voltage that really stands at the output, in volts."""
        return self._applied_v

    def apply(self) -> None:
        """Let the settings act: trip if the voltage exceeds the protection level, then drive the board."""
        if self.on and self.voltage_v > self.over_voltage_v:
            self._trip(Questionable.OVER_VOLTAGE)
        voltage_v = self.voltage_v * self._gain + self._offset_v if self.on and self.voltage_v > 0 else 0.0
        if voltage_v != self._applied_v:
            self._applied_v = voltage_v
            self._bench.mcu.set_supply_voltage(voltage_v)

    def switch(self, on: bool) -> None:
        """Output on or off. A tripped output stays off until the protection is cleared."""
        self.on = on and not self.tripped
        self._watched_ps = self._bench.scheduler.now_ps
        self.apply()

    def clear_protection(self) -> None:
        """``OUTPut:PROTection:CLEar``: the output may be switched on again."""
        self.tripped = Questionable(0)

    def watch(self) -> None:
        """Look at the current since the last look and trip if it was over the limit for 20 ms."""
        now_ps = self._bench.scheduler.now_ps
        if not self.on:
            self._watched_ps = now_ps
            return
        slices = (now_ps - self._watched_ps) // OVER_CURRENT_DELAY_PS
        if slices == 0:
            return
        edges_ps = self._watched_ps + OVER_CURRENT_DELAY_PS * np.arange(slices + 1, dtype=np.int64)
        self._watched_ps = int(edges_ps[-1])
        limited = bool(np.any(self._bench.mcu.supply.mean_current_a(edges_ps) > self.current_limit_a))
        if limited and self.over_current_protection:
            self._trip(Questionable.OVER_CURRENT)
            self.apply()

    @property
    def history_from_ps(self) -> int:
        """The earliest time whose current is still to be looked at."""
        return self._watched_ps

    @property
    def operation(self) -> Operation:
        """The output's bits of the operation status."""
        return Operation.CONSTANT_VOLTAGE if self.on else Operation.OFF

    def _trip(self, why: Questionable) -> None:
        self.tripped |= why
        self.on = False
