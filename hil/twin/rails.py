# SPDX-License-Identifier: Apache-2.0
"""A supply beside the part's: an instrument of its own, and the devices that hang on its output.

The rail has the voltage of the output, without capacitors of its own (ASSUMPTION: its devices' are small).
What flows is the sum of what the devices say they draw at that voltage.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np

from hil.twin.analyzer import PowerAnalyzer
from hil.twin.analyzer.source import Source
from hil.twin.bench_rails import RailConfig
from hil.twin.core.scheduler import Scheduler
from hil.twin.errors import BenchConfigError
from hil.twin.lpm01a import PowerShield
from hil.twin.power.supply_trace import SupplyTrace
from hil.twin.realism import Realism
from hil.twin.signal import Signal

POWER_ON_LIMIT_A = 0.1
"""The current limit that a user at the bench sets (ASSUMPTION: as for the part)."""


class Load(Protocol):
    """A device that draws its current from a rail."""

    current_changed: Signal[[]]
    """Told whenever it draws another current than before."""

    @property
    def current_a(self) -> float:
        """What it draws now, in amperes."""

    def set_supply_voltage(self, voltage_v: float) -> None:
        """What stands at its supply pin from now on, in volts."""


class MainBench(Protocol):
    """What a rail needs of the bench that it belongs to."""

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """Held by whoever touches the machine."""

    @property
    def scheduler(self) -> Scheduler:
        """The clock."""

    def rng(self, name: str) -> np.random.Generator:
        """A random generator of its own for ``name``."""

    def advance_to(self, time_ps: int) -> None:
        """Let bench time pass up to ``time_ps``."""


class _Net:
    """The load on the instrument's output."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._loads: list[Load] = []
        self.supply = SupplyTrace(scheduler)
        self.voltage_v = 0.0

    def add(self, load: Load) -> None:
        self._loads.append(load)
        load.current_changed.connect(self._sum)
        load.set_supply_voltage(self.voltage_v)
        self._sum()

    def set_supply_voltage(self, v: float) -> None:
        if v != self.voltage_v:
            self.voltage_v = v
            for load in self._loads:
                load.set_supply_voltage(v)
            self._sum()

    def _sum(self) -> None:
        self.supply.record(self._scheduler.now_ps, sum(load.current_a for load in self._loads))


class _Surroundings:
    """The bench as the rail's instrument sees it: the rail is what it feeds, and its noise is its own."""

    def __init__(self, bench: MainBench, rail: str, net: _Net) -> None:
        self._bench, self._rail = bench, rail
        self.mcu = net

    @property
    def lock(self) -> AbstractContextManager[Any]:
        return self._bench.lock

    @property
    def scheduler(self) -> Scheduler:
        return self._bench.scheduler

    def rng(self, name: str) -> np.random.Generator:
        return self._bench.rng(f"rail {self._rail} {name}")

    def advance_to(self, time_ps: int) -> None:
        self._bench.advance_to(time_ps)


class Rail:
    """One rail. Whoever calls holds the bench's lock."""

    def __init__(self, bench: MainBench, config: RailConfig, number: int, realism: Realism) -> None:
        """Nothing hangs on it yet, and it is off. ``number`` tells its instrument from the bench's others."""
        self.config = config
        self.name = config.name
        self._net = _Net(bench.scheduler)
        seen = _Surroundings(bench, config.name, self._net)
        self.powershield = PowerShield(seen, {}, realism) if config.analyzer == "lpm01a" else None
        """The PowerShield, where that and not an N6705C supplies the rail."""
        history = None if self.powershield is None else self.powershield.history_from_ps
        self.analyzer = PowerAnalyzer(seen, {"serial": f"TWIN{number:06d}"}, realism, others_need_ps=history)

    @property
    def source(self) -> Source:
        """The output that is connected to it."""
        return self.analyzer.channel.source if self.powershield is None else self.powershield.source

    @property
    def voltage_v(self) -> float:
        """The voltage that its devices have."""
        return self._net.voltage_v

    def feed(self, device: str, model: object) -> None:
        """Hang a device on it.

        Raises:
            BenchConfigError: the device's model does not say what it draws.
        """
        if not hasattr(model, "current_changed"):
            raise BenchConfigError(
                f"device {device}: its model knows no supply, so that it cannot hang on the rail {self.name}"
            )
        load: Any = model
        self._net.add(load)

    def power_on(self) -> None:
        """What a user at the bench does: set the voltage and switch the output on."""
        voltage_v = self.config.voltage_v
        if self.powershield is None:
            command = f"VOLT {voltage_v:g},(@1);:CURR:LIM {POWER_ON_LIMIT_A:g},(@1);:OUTP ON,(@1)"
            self.analyzer.execute(command.encode())
        else:
            self.powershield.power_on(voltage_v)
