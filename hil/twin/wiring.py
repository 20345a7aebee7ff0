# SPDX-License-Identifier: Apache-2.0
"""The wires between the pins of the part and the terminals of the instruments.

Terminals carry their DAQmx names. An analog output drives a pin through a ``SensorWire``, a counter watches
a pin's edges, a digital line drives a pin and reads it, an analog input reads its voltage. The role
``debug_connection`` has a terminal and no pin: its digital line works the relay that connects the debug and
console lines; its contacts are normally open. The "pin" ``VDD`` is the part's supply, which an analog input
may read.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
import numpy.typing as npt

from hil.twin.bench_config import BenchConfig
from hil.twin.bench_wires import SHAKER, Wire
from hil.twin.errors import WiringError
from hil.twin.noise import Noise
from hil.twin.pins import AnalogSource, Listener, Pin, Pins, sampler
from hil.twin.signal import Signal

DEBUG_CONNECTION = "debug_connection"
"""The role of the relay that connects SWDIO, SWCLK, NRST, PA2 and PA3 of the ST-LINK half with the part."""

SUPPLY = "VDD"
"""Stands for a pin where a wire ends at the part's supply."""

CLAMP_V = 0.3
"""How far beyond the rails a pin's voltage gets. Below ground it is the pin's limit (DS10198 Rev 8, table 20:
VSS - 0.3 V). Above VDD it is an ASSUMPTION: a clamp on the wire, needed because the pins have none
(table 21: no positive injection current)."""

HUM_V = 1.0
HUM_HZ = 50.0
"""Between the grounds of board and DAQ where nothing connects them: hum of 1 V amplitude (ASSUMPTION)."""

_NOISE_BLOCK = 4096


class DaqTerminals(Protocol):
    """The DAQ's screw terminals, by their DAQmx names."""

    def analog_output(self, name: str) -> AnalogSource:
        """The voltage on an analog output."""

    def connect_analog_input(self, name: str, source: AnalogSource) -> None:
        """Feed an analog input."""

    def edge_listener(self, counter: str) -> Listener:
        """What to call at every edge on a counter's input."""

    def line_driven(self, line: str) -> Signal[[int, bool | None]]:
        """Tells when the DAQ drives a digital line to another level, or lets go of it (``None``)."""

    def line_edges(self, line: str) -> Listener:
        """What to call at every edge of what is connected to a digital line."""

    def connect_line(self, line: str, read: Callable[[], bool | None]) -> None:
        """What a digital line reads while the DAQ does not drive it."""


@dataclass(frozen=True)
class Connection:
    """A wire that can be opened and closed while the bench runs."""

    set_open: Callable[[bool], None]


class SensorWire:
    """The wire from an analog output to a pin: the source's voltage, noise, and its clamp."""

    def __init__(
        self,
        source: AnalogSource,
        noise_rms_v: float,
        rng: np.random.Generator,
        supply_voltage_v: Callable[[], float],
    ) -> None:
        self._sample = sampler(source)
        self._noise_rms_v = noise_rms_v
        self._noise = Noise(rng, _NOISE_BLOCK)
        self._supply_voltage_v = supply_voltage_v

    def voltage_v(self, time_ps: int) -> float:
        """What the pin sees at ``time_ps``; every reading has noise of its own."""
        return float(self.voltages_v(np.array([time_ps]))[0])

    def voltages_v(self, times_ps: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """What the pin sees at each of ``times_ps``."""
        noise_v = self._noise_rms_v * self._noise.take(len(times_ps))
        return np.clip(self._sample(times_ps) + noise_v, -CLAMP_V, self._supply_voltage_v() + CLAMP_V)


class _Hum:
    """A voltage between two grounds that nothing connects: the source's, and the mains hum between them."""

    def __init__(self, source: AnalogSource) -> None:
        self._source = source

    def voltage_v(self, time_ps: int) -> float:
        return self._source.voltage_v(time_ps) + HUM_V * math.sin(math.tau * HUM_HZ * time_ps * 1e-12)


class PinVoltage:
    """The voltage a voltmeter finds on a pin: what the part drives, or what the wires put there."""

    def __init__(self, pin: Pin, supply_voltage_v: Callable[[], float]) -> None:
        self._pin = pin
        self._supply_voltage_v = supply_voltage_v

    def voltage_v(self, time_ps: int) -> float:
        """In volts; a floating pin reads 0 V, as the input resistance of the instrument pulls it there."""
        level = self._pin.external_level if self._pin.level_out is None else self._pin.level_out
        if level is not None:
            return self._supply_voltage_v() if level else 0.0
        if self._pin.analog_out is not None:
            return self._pin.analog_out.voltage_v(time_ps)
        return self._pin.voltage_v(time_ps) or 0.0


class _SupplyVoltage:
    """VDD of the part, as a voltmeter at the board finds it."""

    def __init__(self, supply_voltage_v: Callable[[], float]) -> None:
        self._supply_voltage_v = supply_voltage_v

    def voltage_v(self, time_ps: int) -> float:
        """In volts; the present voltage, since it moves in steps that end a wait."""
        return self._supply_voltage_v()


def connect(
    config: BenchConfig,
    pins: Pins,
    daq: DaqTerminals,
    *,
    rng: Callable[[str], np.random.Generator],
    supply_voltage_v: Callable[[], float],
    connect_debug: Callable[[bool], None],
) -> dict[str, Connection]:
    """Connect every wire of the rig file that is not open.

    Args:
        config: roles, pins, terminals and the noise on the sensor wires.
        pins: the pins of the part.
        daq: the terminals.
        rng: random numbers by the name of what needs them.
        supply_voltage_v: the part's present supply voltage.
        connect_debug: called with whether the relay connects the lines, whenever its line changes.

    Returns:
        The wires by role.

    Raises:
        WiringError: an unknown pin, a terminal of the wrong kind, or an end without the other.
    """
    connections: dict[str, Connection] = {}
    floating = config.miswiring.ground == "floating"
    across: Callable[[AnalogSource], AnalogSource] = _Hum if floating else lambda source: source
    for wire in config.wires.values():
        terminal = wire.terminal
        if terminal is None:
            raise WiringError(f'{config.source}: [wiring] {wire.role}: needs a terminal, such as "Dev1/ao0"')
        if wire.role == DEBUG_CONNECTION:
            if not wire.is_open:
                coil = _Coil(_relay(wire, connect_debug))
                daq.line_driven(terminal).connect(coil.pass_on)
                connections[wire.role] = Connection(coil.set_open)
            continue
        channel = terminal.partition("/")[2]
        if wire.role == SHAKER:
            _ = daq.analog_output(terminal)  # refused where it is none; the bench's devices feel it
            continue
        if wire.pin == SUPPLY and channel.startswith("ai"):
            if not wire.is_open:
                supply = _Probe(across(_SupplyVoltage(supply_voltage_v)))
                daq.connect_analog_input(terminal, supply)
                connections[wire.role] = Connection(supply.set_open)
            continue
        pin = _pin(config, pins, wire)
        if wire.is_open:
            continue
        if channel.startswith("ao"):
            sensor_wire = SensorWire(
                across(daq.analog_output(terminal)),
                config.sensor_noise_v,
                rng(f"wire {wire.role}"),
                supply_voltage_v,
            )
            pin.connect_source(sensor_wire)
            connections[wire.role] = Connection(_source_switch(pin, sensor_wire))
        elif channel.startswith("ai"):
            probe = _Probe(across(PinVoltage(pin, supply_voltage_v)))
            daq.connect_analog_input(terminal, probe)
            connections[wire.role] = _loaded(pin, wire, probe.set_open)
        elif channel.startswith(("ctr", "PFI")):
            # The wire carries whatever drives the pin: the part, or another line of the DAQ.
            gate = _Gate(daq.edge_listener(terminal))
            pin.level_out_changed.connect(gate.pass_on)
            pin.external_level_changed.connect(gate.pass_on)
            connections[wire.role] = _loaded(pin, wire, gate.set_open)
            if channel.startswith("PFI"):
                # What the DAQ puts on the terminal (pulses, exported clocks) drives the pin.
                out = _Line(pin)
                device, number = terminal.partition("/")[0], int(channel.removeprefix("PFI"))
                line_name = f"{device}/port{1 + number // 8}/line{number % 8}"
                daq.line_driven(line_name).connect(out.drive)
                connections[wire.role] = _loaded(pin, wire, partial(_open_both, gate, out))
        elif wire.connects_high is not None:
            contact = _Contact(pin, wire.active_high, wire.connects_high)
            coil = _Coil(contact.on_line)
            daq.line_driven(terminal).connect(coil.pass_on)
            connections[wire.role] = Connection(coil.set_open)
        elif channel.startswith("port"):
            line = _Line(pin)
            daq.connect_line(terminal, line.read)
            daq.line_driven(terminal).connect(line.drive)
            edges = daq.line_edges(terminal)
            pin.level_out_changed.connect(line.watch(edges))
            pin.external_level_changed.connect(line.watch(edges))
            connections[wire.role] = _loaded(pin, wire, line.set_open)
        else:
            raise WiringError(
                f"{config.source}: [wiring] {wire.role}: terminal {terminal!r} is none of DEV/aoN, DEV/aiN, "
                "DEV/ctrN, DEV/PFIN, DEV/portN/lineN"
            )
    return connections


def _loaded(pin: Pin, wire: Wire, set_open: Callable[[bool], None]) -> Connection:
    """The wire from a pin to an input, which loads the pin while the wire is whole."""

    def switch(is_open: bool) -> None:
        set_open(is_open)
        pin.connect_input(wire.role, math.inf if is_open else wire.input_resistance_ohm)

    pin.connect_input(wire.role, wire.input_resistance_ohm)
    return Connection(switch)


def _source_switch(pin: Pin, source: AnalogSource) -> Callable[[bool], None]:
    return lambda is_open: pin.connect_source(None if is_open else source)


class _Gate:
    """A digital wire that passes edges on unless it is open; the far end of an open wire is not driven."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._open = False
        self._last: tuple[int, bool | None] = (0, None)

    def pass_on(self, time_ps: int, level: bool | None) -> None:
        self._last = (time_ps, level)
        if not self._open:
            self._listener(time_ps, level)

    def set_open(self, is_open: bool) -> None:
        if is_open != self._open:
            self._open = is_open
            time_ps, level = self._last
            self._listener(time_ps, None if is_open else level)


def _open_both(gate: _Gate, line: _Line, is_open: bool) -> None:
    gate.set_open(is_open)
    line.set_open(is_open)


class _Coil(_Gate):
    """The relay's coil: an open wire leaves it at rest."""


class _Contact:
    """A contact at a pin, worked by a digital line; open, it leaves the pin at the board's own level."""

    def __init__(self, pin: Pin, active_high: bool, connects_high: bool) -> None:
        self._pin = pin
        self._active_high = active_high
        self._connects_high = connects_high
        self._rest = pin.external_level

    def on_line(self, time_ps: int, level: bool | None) -> None:
        closed = level is not None and level == self._active_high
        self._pin.set_external_level(self._connects_high if closed else self._rest, time_ps)


class _Probe:
    """The wire from a pin to an analog input, which reads 0 V where it is open."""

    def __init__(self, source: AnalogSource) -> None:
        self._source = source
        self._open = False

    def voltage_v(self, time_ps: int) -> float:
        return 0.0 if self._open else self._source.voltage_v(time_ps)

    def set_open(self, is_open: bool) -> None:
        self._open = is_open


class _Line:
    """The wire between a digital line and a pin: each end sees what the other drives."""

    def __init__(self, pin: Pin) -> None:
        self._pin = pin
        self._open = False
        self._driven: tuple[int, bool | None] = (0, None)

    def drive(self, time_ps: int, level: bool | None) -> None:
        self._driven = (time_ps, level)
        if not self._open:
            self._pin.set_external_level(level, time_ps)

    def read(self) -> bool | None:
        if self._open:
            return None
        return self._pin.external_level if self._pin.level_out is None else self._pin.level_out

    def watch(self, edges: Listener) -> Listener:
        """Tells of what the line reads, whenever the pin has changed."""
        return lambda time_ps, _level: edges(time_ps, self.read())

    def set_open(self, is_open: bool) -> None:
        if is_open != self._open:
            self._open = is_open
            time_ps, level = self._driven
            self._pin.set_external_level(None if is_open else level, time_ps)


def _pin(config: BenchConfig, pins: Pins, wire: Wire) -> Pin:
    board = config.board
    if wire.pin is None or wire.pin not in board.pins:
        raise WiringError(
            f"{config.source}: [wiring] {wire.role}: the {board.package.name} package of {board.name} has "
            f'no pin {wire.pin!r}; expected one such as "PA0"'
        )
    return pins[wire.pin]


def _relay(wire: Wire, connect_debug: Callable[[bool], None]) -> Listener:
    """The relay's coil: an undriven line leaves it at rest, the contacts open."""

    def on_line(_time_ps: int, level: bool | None) -> None:
        connect_debug(level is not None and level == wire.active_high)

    return on_line
