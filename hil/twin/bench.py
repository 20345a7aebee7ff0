# SPDX-License-Identifier: Apache-2.0
"""The virtual bench: the part on its board, the wires, the instruments, one clock and one lock."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial

import numpy as np

from hil.twin import wiring
from hil.twin.analyzer import PowerAnalyzer
from hil.twin.bench_config import BenchConfig
from hil.twin.bench_lock import BenchLock
from hil.twin.core.scheduler import Scheduler
from hil.twin.daq import Daq
from hil.twin.mcu import Stm32l476
from hil.twin.pins import Pins, make_pins
from hil.twin.power.spread import lsi_hz

PS_PER_S = 1_000_000_000_000


class Bench:
    """Everything on the bench. Whoever touches it holds ``lock``; time moves only through the ``advance``
    methods.

    Raises:
        TwinError: the rig file asks for wires that do not exist.
    """

    def __init__(self, config: BenchConfig) -> None:
        self.config = config
        self.lock = BenchLock()
        self.pins: Pins = make_pins()
        if config.spread == "seeded":
            spread = float(self.rng("part spread").random())
            self.mcu = Stm32l476(self.pins, config.seed, spread, lsi_hz(self.rng("part LSI").random()))
        else:
            self.mcu = Stm32l476(self.pins, config.seed)
        self.mcu.set_temperature(config.ambient_temperature_c)
        self.mcu.set_backup_supply(config.vbat_v)
        for at_s, temperature_c in config.ambient_changes:
            self.scheduler.at(round(at_s * PS_PER_S), partial(self.mcu.set_temperature, temperature_c))
        if config.adc_noise_lsb is not None:
            self.mcu.adc_noise_lsb = config.adc_noise_lsb
        # The user button B1 at PC13: pulled up on the board, low when pressed (UM1724 Rev 14, 6.5).
        self.pins["PC13"].set_external_level(True, 0)
        self.isolation_listeners: list[Callable[[], None]] = []
        """Called when the relay has opened or closed the debug and console lines."""
        self._leak_a = 0.0
        self._debug_lines_isolated = True
        # Without a relay the jumpers connect the lines for good; a relay is at rest, its contacts open.
        self._connect_debug(wiring.DEBUG_CONNECTION not in config.wires)
        self.analyzer = PowerAnalyzer(self, config.power_analyzer)
        self.analyzer.channel.source.on_short_current = self._short_draws
        self.daq = Daq(self, config.daq)
        self.connections = wiring.connect(
            config,
            self.pins,
            self.daq,
            rng=self.rng,
            supply_voltage_v=lambda: self.mcu.supply_voltage_v,
            connect_debug=self._connect_debug,
        )

    @property
    def scheduler(self) -> Scheduler:
        """The bench's time and its planned events."""
        return self.mcu.scheduler

    @property
    def now_s(self) -> float:
        """Bench time in seconds since the bench was switched on."""
        return self.scheduler.now_ps / PS_PER_S

    @property
    def debug_lines_isolated(self) -> bool:
        """Whether the relay has opened the debug and console lines."""
        return self._debug_lines_isolated

    def rng(self, name: str) -> np.random.Generator:
        """A random generator of its own for ``name``; the same seed and name give the same numbers."""
        digest = hashlib.sha256(f"{self.config.seed}/{name}".encode()).digest()
        return np.random.default_rng(int.from_bytes(digest, "little"))

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` of bench time pass."""
        self.advance_to(self.scheduler.now_ps + round(seconds * PS_PER_S))

    def advance_to(self, time_ps: int) -> None:
        """Let bench time pass up to ``time_ps``."""
        # The scheduler also returns when somebody else's event asks for a stop.
        while self.scheduler.now_ps < time_ps:
            self.scheduler.advance_to(time_ps)

    def advance_until(self, condition: Callable[[], bool], limit_s: float) -> bool:
        """Let bench time pass until ``condition()`` holds, at most ``limit_s``; return whether it holds."""
        limit_ps = self.scheduler.now_ps + round(limit_s * PS_PER_S)
        while not self.scheduler.advance_until(condition, limit_ps):
            if self.scheduler.now_ps >= limit_ps:
                return False
        return True

    def stop_at_halt(self, limit_s: float) -> None:
        """Let bench time pass until the core has halted for the debugger, at most ``limit_s``."""
        self.advance_until(lambda: self.mcu.core.state == "halted", limit_s)

    def close_relay(self) -> None:
        """Drive the relay's line, as a user does by hand: the debug and console lines connect."""
        wire = self.config.wires.get(wiring.DEBUG_CONNECTION)
        if wire is not None and wire.terminal is not None:
            line = wire.terminal.partition("/")[2]
            self.daq.lines.drive(self.scheduler.now_ps, line, wire.active_high)

    def _connect_debug(self, connected: bool) -> None:
        isolated = not connected
        if isolated != self._debug_lines_isolated:
            self._debug_lines_isolated = isolated
            self._leak_a = 0.0 if isolated else self.config.unparked_leak_a
            self.mcu.external_current_a = self._leak_a
            for listener in self.isolation_listeners:
                listener()

    def _short_draws(self, current_a: float) -> None:
        if current_a != self.mcu.lead_current_a:
            self.mcu.lead_current_a = current_a
