# SPDX-License-Identifier: Apache-2.0
"""The pins of the LQFP64 package: where the microcontroller and the outside world meet.

A pin has two sides. The microcontroller drives a level or leaves it high-impedance; the outside world
connects an analog source (a DAQ output on a sensor wire) or a digital level (a DAQ line, a push button).
Neither side knows the other, both can listen.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from hil.twin.signal import Signal

Pins = dict[str, "Pin"]

PORT_WIDTHS = {"A": 16, "B": 16, "C": 16, "D": 16, "E": 16, "F": 16, "G": 16, "H": 2}
"""Port letters and their pin counts as the STM32L476 die has them (RM0351, general-purpose I/Os).

The LQFP64 package bonds out ports A, B, C, PD2 and H only; the registers of the others exist all the same.
"""


class AnalogSource(Protocol):
    """Whatever puts a voltage on a wire."""

    def voltage_v(self, time_ps: int) -> float:
        """The voltage at ``time_ps`` in volts against the board's ground."""


@runtime_checkable
class SampledSource(AnalogSource, Protocol):
    """A source that can be asked for many instants at once."""

    def voltages_v(self, times_ps: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """What :meth:`voltage_v` would answer at each of ``times_ps``, in their order."""


Sampler = Callable[[npt.NDArray[np.int64]], npt.NDArray[np.float64]]
"""Gives the voltages at many instants (picoseconds), in volts."""


def sampler(source: AnalogSource) -> Sampler:
    """The way to ask any source for many instants at once: its own, or one by one."""
    if isinstance(source, SampledSource):
        return source.voltages_v
    return lambda times_ps: np.array([source.voltage_v(int(time_ps)) for time_ps in times_ps])


Listener = Callable[[int, bool | None], None]
"""Called with the time in picoseconds and the new level; ``None`` is high-impedance or not driven."""


class Pin:
    """One pin: what the microcontroller drives, and what the outside world drives."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.level_out: bool | None = None
        """What the microcontroller drives; ``None`` is high-impedance (input, analog or unpowered)."""
        self.external_level: bool | None = None
        """What the outside drives digitally; ``None`` is not driven."""
        self.analog_out: AnalogSource | None = None
        """An analog output of the microcontroller on the pin; a digital level of either side overrides it."""
        self.analog_changed: Signal[[]] = Signal()
        """Tells that ``analog_out`` changes, or steps to another voltage."""
        self.level_out_changed: Signal[[int, bool | None]] = Signal()
        """Tells the time in ps and the level whenever ``level_out`` changes."""
        self.external_level_changed: Signal[[int, bool | None]] = Signal()
        """Tells the same whenever ``external_level`` changes."""
        self.load_f = 0.0
        """Capacitance of the wire and what hangs on it, in farad."""
        self.load_changed: Signal[[]] = Signal()
        """Tells whenever the resistance to ground changes."""
        self._load_ohm = math.inf
        self._inputs_ohm: dict[str, float] = {}
        self._source: AnalogSource | None = None
        self._sampler: Sampler | None = None
        self._stuck: bool | None = None
        self._wanted_out: bool | None = None
        self._wanted_external: bool | None = None

    def drive(self, level: bool | None, time_ps: int) -> None:
        """The microcontroller drives ``level``, or lets go with ``None``."""
        self._wanted_out = level
        if self._stuck is None:
            self._put_out(level, time_ps)

    def drive_analog(self, source: AnalogSource | None) -> None:
        """An analog output of the microcontroller drives the pin, or lets go with ``None``.

        To be called again whenever the output steps to another voltage.
        """
        if source is None and self.analog_out is None:
            return
        self.analog_out = source
        self.analog_changed()

    def _put_out(self, level: bool | None, time_ps: int) -> None:
        if level is not self.level_out:
            self.level_out = level
            self.level_out_changed(time_ps, level)

    def set_external_level(self, level: bool | None, time_ps: int) -> None:
        """The outside world drives ``level``, or lets go with ``None``."""
        self._wanted_external = level
        if self._stuck is None:
            self._put_external(level, time_ps)

    def stick(self, level: bool | None, time_ps: int) -> None:
        """A short to a rail: both sides see ``level`` whatever they drive; ``None`` takes it away."""
        self._stuck = level
        self._put_out(self._wanted_out if level is None else level, time_ps)
        self._put_external(self._wanted_external if level is None else level, time_ps)

    def _put_external(self, level: bool | None, time_ps: int) -> None:
        if level is not self.external_level:
            self.external_level = level
            self.external_level_changed(time_ps, level)

    def connect_load(self, resistance_ohm: float = math.inf, capacitance_f: float = 0.0) -> None:
        """Hang a resistance to ground and a capacitance on the pin, in place of those before.

        The resistance counts from now on, the capacitance from the next edge.
        """
        self._load_ohm, self.load_f = resistance_ohm, capacitance_f
        self._load_changed()

    def connect_input(self, name: str, resistance_ohm: float) -> None:
        """An instrument's input hangs on the pin, beside all other loads; infinite: no longer."""
        self._inputs_ohm[name] = resistance_ohm
        self._load_changed()

    @property
    def load_ohm(self) -> float:
        """Resistance from the wire to ground, of everything that hangs on it, in ohm."""
        siemens = 1 / self._load_ohm + sum(1 / ohm for ohm in self._inputs_ohm.values())
        return 1 / siemens if siemens else math.inf

    def _load_changed(self) -> None:
        self.load_changed()

    def connect_source(self, source: AnalogSource | None) -> None:
        """Connect the wire of an analog source; ``None`` is an open wire."""
        self._source = source
        self._sampler = None if source is None else sampler(source)

    @property
    def has_source(self) -> bool:
        """Whether the wire of an analog source is connected."""
        return self._source is not None

    def voltage_v(self, time_ps: int) -> float | None:
        """The voltage the outside puts on the pin in volts, or ``None`` if nothing is connected."""
        return None if self._source is None else self._source.voltage_v(time_ps)

    def voltages_v(self, times_ps: npt.NDArray[np.int64]) -> npt.NDArray[np.float64] | None:
        """What :meth:`voltage_v` would answer at each of ``times_ps``."""
        return None if self._sampler is None else self._sampler(times_ps)


class Bridge:
    """A fault: solder between two pins. What the part drives on one is on the other from outside.

    Where it drives both, each keeps its own level (ASSUMPTION: the fight and its current are not modelled).
    """

    def __init__(self, first: Pin, second: Pin, time_ps: int) -> None:
        self._ends = ((first, second), (second, first))
        self._listeners: list[tuple[Pin, Listener]] = []
        for source, sink in self._ends:
            listener = self._carry(sink)
            source.level_out_changed.connect(listener)
            self._listeners.append((source, listener))
            listener(time_ps, source.level_out)

    def take_away(self, time_ps: int) -> None:
        """Each pin is by itself again."""
        for source, listener in self._listeners:
            source.level_out_changed.disconnect(listener)
        for source, sink in self._ends:
            if source.level_out is not None:
                sink.set_external_level(None, time_ps)

    @staticmethod
    def _carry(sink: Pin) -> Listener:
        def carry(time_ps: int, level: bool | None) -> None:
            sink.set_external_level(level, time_ps)

        return carry


def make_pins() -> Pins:
    """Every pin of the die by its name, PA0 to PH1, nothing connected."""
    return {
        f"P{port}{index}": Pin(f"P{port}{index}")
        for port, width in PORT_WIDTHS.items()
        for index in range(width)
    }
