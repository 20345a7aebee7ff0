# SPDX-License-Identifier: Apache-2.0
"""The virtual bench: the part on its board, the wires, the instruments, one clock and one lock."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from hil.datasheet import ni_x_series
from hil.twin import board_devices, wiring
from hil.twin.analyzer import PowerAnalyzer
from hil.twin.analyzer.source import Source
from hil.twin.bench_config import BenchConfig
from hil.twin.bench_lock import BenchLock
from hil.twin.bench_rails import RailConfig
from hil.twin.bench_wires import SHAKER, channel
from hil.twin.core.scheduler import Scheduler
from hil.twin.daq import Daq
from hil.twin.daq.analog import AnalogOutput
from hil.twin.daq.terminals import Terminals
from hil.twin.daq.x_series import FIRST_SERIAL
from hil.twin.errors import BenchConfigError
from hil.twin.harm import HarmRecord
from hil.twin.line_relay import LineRelay
from hil.twin.lpm01a import PowerShield
from hil.twin.mcu import Mcu
from hil.twin.pin_limits import PinLimits, PinSource
from hil.twin.pins import Pins, make_pins
from hil.twin.power.spread import lsi_hz
from hil.twin.rails import Rail
from hil.twin.signal import Signal
from hil.twin.supply_net import SupplyNet
from hil.twin.wall_clock import WallClock

PS_PER_S = 1_000_000_000_000

SLOW_CRYSTAL_FACTOR = 4.0
"""How much longer than typical a slow crystal takes to start (ASSUMPTION)."""

FIRST_RAIL = 2
"""The number of the first rail's instrument; the part's has 1."""

OTHER_DEVICE_ID = 0x1001_6435
"""DBGMCU_IDCODE of another part on the probe: an STM32L43x (DEV_ID 0x435)."""


class Bench:
    """Everything on the bench. Whoever touches it holds ``lock``; time moves only through the ``advance``
    methods.

    Raises:
        TwinError: the rig file asks for wires that do not exist.
    """

    def __init__(self, config: BenchConfig) -> None:
        self.config = config
        self.board = board = config.board
        self.lock = BenchLock()
        self._pace: WallClock | None = None
        self.pins: Pins = make_pins()
        if config.spread == "seeded":
            spread = float(self.rng("part spread").random())
            own_lsi_hz = lsi_hz(board.part, self.rng("part LSI").random())
            self.mcu = Mcu(board, self.pins, config.seed, spread, own_lsi_hz)
        else:
            self.mcu = Mcu(board, self.pins, config.seed)
        self.mcu.set_temperature(config.ambient_temperature_c)
        self.mcu.set_backup_supply(config.vbat_v)
        for at_s, temperature_c in config.ambient_changes:
            self.scheduler.at(round(at_s * PS_PER_S), partial(self.mcu.set_temperature, temperature_c))
        if config.adc_noise_lsb is not None:
            self.mcu.adc_noise_lsb = config.adc_noise_lsb
        if board.button is not None:
            self.pins[board.button].set_external_level(not board.button_pressed_high, 0)
        models = board_devices.attach_soldered(board.devices, self.mcu, self.pins, self.motion_m_s2)
        self.unmodelled_devices = [
            f"{device.name} on {device.bus} of the board"
            for device in board.devices
            if device.name not in models
        ]
        """What is soldered to the board and answers nobody here."""
        self.isolation_changed: Signal[[]] = Signal()
        """Tells when the relay has opened or closed the debug and console lines."""
        realism, miswiring = config.realism, config.miswiring
        self.harm = HarmRecord(lambda: self.scheduler.now_ps)
        """What would have damaged a real bench."""
        self._leak_a = 0.0
        self._debug_lines_isolated = True
        self.powershield = (
            PowerShield(self, config.power_analyzer, realism) if config.analyzer == "lpm01a" else None
        )
        """The PowerShield, where that and not the N6705C is connected to the board."""
        others_need_ps = None if self.powershield is None else self.powershield.history_from_ps
        self.analyzer = PowerAnalyzer(self, config.power_analyzer, realism, miswiring, others_need_ps)
        self.analyzer.channel.neighbour.harmed.connect(partial(self.harm.note, "neighbour"))
        self.daq = Daq(self, config.daq)
        self.daqs = {
            role: self.daq if role == "daq" else Daq(self, {"device": name, "serial": number}, role)
            for number, (role, name) in enumerate(config.daq_names.items(), FIRST_SERIAL)
        }
        """The DAQs by their tables in the rig file: "daq", "daqs.signal"."""
        self.terminals = Terminals({name: self.daqs[role] for role, name in config.daq_names.items()})
        self.net = SupplyNet(
            self.scheduler,
            self.mcu.set_supply_voltage,
            part_a=lambda: self.mcu.part_current_a,
            draw_charge=lambda charge_c: self.mcu.supply.add_charge(self.scheduler.now_ps, charge_c),
            capacitance_f=realism.supply_capacitance_f,
            off_resistance_ohm=realism.off_resistance_ohm,
            regulator_v=board.regulator_v if miswiring.jp6 == "on" else 0.0,
        )
        """VDD of the part."""
        self.net.changed.connect(self._sum_external_current)
        source = self.source
        source.short_current_changed.connect(self._short_draws)
        source.connect_net(self.net)
        self._limits = PinLimits(board.part, self.net, self.harm)
        self.relay = LineRelay(
            self.scheduler,
            self._connect_debug,
            self.rng("relay"),
            operate_s=realism.relay_operate_s,
            bounce_s=realism.relay_bounce_s,
            kind=miswiring.relay,
            overload=self._coil_overloads,
        )
        # Without a relay the jumpers connect the lines for good; a relay is at rest, its contacts open.
        if wiring.DEBUG_CONNECTION not in config.wires:
            self._connect_debug(True)
        self.connections = wiring.connect(
            config,
            self.pins,
            self.terminals,
            rng=self.rng,
            supply_voltage_v=lambda: self.mcu.supply_voltage_v,
            connect_debug=self.relay.command,
        )
        models |= {
            device.name: board_devices.attach(device, self.mcu, self.pins, self.motion_m_s2)
            for device in config.devices
        }
        self.rails = tuple(
            self._rail(rail, number, models) for number, rail in enumerate(config.rails, FIRST_RAIL)
        )
        """The supplies beside the part's."""
        self._plant()
        self._watch_pins()

    def _rail(self, config: RailConfig, number: int, models: Mapping[str, object]) -> Rail:
        rail = Rail(self, config, number, self.config.realism)
        for device in config.feeds:
            if device not in models:
                raise BenchConfigError(
                    f"device {device}: the virtual bench has no model of it to hang on the rail {rail.name}"
                )
            rail.feed(device, models[device])
        return rail

    @property
    def scheduler(self) -> Scheduler:
        """The bench's time and its planned events."""
        return self.mcu.scheduler

    @property
    def source(self) -> Source:
        """The output that is connected to the board's supply pins."""
        return self.analyzer.channel.source if self.powershield is None else self.powershield.source

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

    def motion_m_s2(self, time_ps: int) -> float:
        """The acceleration of the board along its z axis without gravity, in m/s², as its shaker moves it.

        The shaker's amplifier passes no constant voltage: what counts is how far the output is from its mean.
        """
        wire = self.config.wires.get(SHAKER)
        if wire is None or wire.terminal is None or wire.is_open:
            return 0.0
        output = self.terminals.device(wire.terminal).analog_outputs[channel(wire)]
        return wire.m_per_s2_per_v * output.alternating_v(time_ps)

    def follow(self, pace: WallClock | None) -> None:
        """Let ``pace`` say how far time may go, or nobody."""
        self._pace = pace

    def _reachable_ps(self, wanted_ps: int) -> int:
        """How far time may go now towards ``wanted_ps``; others may have the lock before it says so."""
        return wanted_ps if self._pace is None else self._pace.reachable_ps(wanted_ps)

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` of bench time pass."""
        self.advance_to(self.scheduler.now_ps + round(seconds * PS_PER_S))

    def advance_to(self, time_ps: int) -> None:
        """Let bench time pass up to ``time_ps``."""
        # The scheduler also returns when somebody else's event asks for a stop.
        while self.scheduler.now_ps < time_ps:
            self.scheduler.advance_to(self._reachable_ps(time_ps))

    def advance_until(self, condition: Callable[[], bool], limit_s: float) -> bool:
        """Let bench time pass until ``condition()`` holds, at most ``limit_s``; return whether it holds."""
        limit_ps = self.scheduler.now_ps + round(limit_s * PS_PER_S)
        while not condition():
            if self.scheduler.now_ps >= limit_ps:
                return False
            self.scheduler.advance_until(condition, self._reachable_ps(limit_ps))
        return True

    def stop_at_halt(self, limit_s: float) -> None:
        """Let bench time pass until the core has halted for the debugger, at most ``limit_s``."""
        self.advance_until(lambda: self.mcu.core.state == "halted", limit_s)

    def close_relay(self) -> None:
        """Drive the relay's line, as a user does by hand: the debug and console lines connect."""
        wire = self.config.wires.get(wiring.DEBUG_CONNECTION)
        if wire is not None and wire.terminal is not None:
            lines = self.terminals.device(wire.terminal).lines
            lines.drive(self.scheduler.now_ps, channel(wire), wire.active_high)

    @property
    def st_link_powered(self) -> bool:
        """Whether the ST-LINK has its supply from USB."""
        return self.config.miswiring.st_link == "powered"

    @property
    def target_answers(self) -> bool:
        """Whether the probe has power and a part hangs on it."""
        return self.st_link_powered and self.config.miswiring.target != "none"

    def _connect_debug(self, connected: bool) -> None:
        isolated = not connected
        if isolated != self._debug_lines_isolated:
            self._debug_lines_isolated = isolated
            self._leak_a = self.config.unparked_leak_a if connected and self.st_link_powered else 0.0
            self._sum_external_current()
            if not self.st_link_powered:
                # An ST-LINK without power pulls NRST low (UM1724 Rev 14, 6.3.3).
                self.mcu.set_nrst(connected)
            self.isolation_changed()
            self._limits.check()

    def _short_draws(self, current_a: float) -> None:
        if current_a != self.mcu.lead_current_a:
            self.mcu.lead_current_a = current_a

    def _sum_external_current(self) -> None:
        self.mcu.connect_supply(self.net.driven)
        readback_a = sum(
            self.net.voltage_v / wire.input_resistance_ohm
            for wire in self.config.wires.values()
            if wire.pin == wiring.SUPPLY and not wire.is_open
        )
        total_a = self._leak_a + readback_a - self.net.backward_a
        if total_a != self.mcu.external_current_a:
            self.mcu.external_current_a = total_a

    def _coil_overloads(self, coil_a: float) -> None:
        """The relay's coil hangs on the DAQ's line, which cannot carry it: its level collapses."""
        wire = self.config.wires[wiring.DEBUG_CONNECTION]
        self.terminals.device(wire.terminal or "").lines.overloaded.add(channel(wire))
        self.harm.note(
            "relay coil",
            f"the relay's coil asked {1e3 * coil_a:g} mA of {wire.terminal}, which may give "
            f"{1e3 * ni_x_series.LINE_DRIVE_A:g} mA (NI 6361 Device Specifications)",
        )

    def _plant(self) -> None:
        """What is wrong with the board."""
        miswiring, blocks = self.config.miswiring, self.mcu.peripherals
        if miswiring.lse != "fitted":
            factor = None if miswiring.lse == "absent" else SLOW_CRYSTAL_FACTOR
            blocks.rcc.oscillators.lse_start_factor = factor
        blocks.rcc.oscillators.msi_error = self.config.msi_error
        if miswiring.target == "another":
            blocks.dbgmcu.device_id = OTHER_DEVICE_ID

    def _transmit_line_v(self) -> float:
        if not self.st_link_powered or self.debug_lines_isolated:
            return 0.0
        # Level shifters that are fed by the target drive no higher than it is.
        line_v = self.board.console.line_v
        return line_v if self.config.probe_levels == "own" else min(line_v, self.net.voltage_v)

    def _watch_pins(self) -> None:
        """Whatever can drive a pin of the part."""
        receive_pin = self.board.console.rx
        self._limits.add(
            PinSource("the ST-LINK's transmit line", receive_pin, self._transmit_line_v, analog=False)
        )
        for wire in self.config.wires.values():
            terminal = wire.terminal
            if terminal is None or wire.pin not in self.pins or wire.is_open:
                continue
            if channel(wire).startswith("ao"):
                output = self.terminals.device(terminal).analog_outputs[channel(wire)]
                output.changed.connect(self._limits.check)
                self._limits.add(PinSource(terminal, wire.pin, partial(_highest_v, output), analog=True))
            elif channel(wire).startswith(("port", "PFI")):
                self._limits.watch_fight(self.pins[wire.pin], terminal, ni_x_series.LINE_DRIVE_A)


def _highest_v(output: AnalogOutput) -> float:
    return output.highest_v
