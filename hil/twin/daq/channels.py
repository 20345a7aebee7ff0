# SPDX-License-Identifier: Apache-2.0
"""Virtual channels: what a task measures or generates, and where."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from hil.twin.daq.device import ANALOG_INPUTS, COUNTER_BITS, PORTS, PULSE_MIN_TICKS
from hil.twin.daq.errors import Code, DaqmxError
from hil.twin.daq.timebase import NOMINAL_HZ


class ChannelType(IntEnum):
    """``DAQmx_ChanType`` values."""

    ANALOG_INPUT = 10100
    ANALOG_OUTPUT = 10102
    DIGITAL_INPUT = 10151
    DIGITAL_OUTPUT = 10153
    COUNTER_INPUT = 10131
    COUNTER_OUTPUT = 10132


class Measurement(IntEnum):
    """``DAQmx_CI_MeasType`` values of the counter measurements this device has."""

    COUNT_EDGES = 10125
    FREQUENCY = 10179
    PERIOD = 10256
    SEMI_PERIOD = 10289
    PULSE_WIDTH = 10359
    TWO_EDGE_SEPARATION = 10267
    PULSE_TIME = 15865


class Edge(IntEnum):
    """``DAQmx_Edge`` values."""

    RISING = 10280
    FALLING = 10171

    @property
    def level(self) -> bool:
        """The level after this edge."""
        return self is Edge.RISING

    @classmethod
    def of(cls, value: int) -> Edge:
        """The edge with DAQmx's number; raises DaqmxError -200077 for any other number."""
        if value not in (cls.RISING, cls.FALLING):
            raise DaqmxError(
                Code.INVALID_ATTRIBUTE_VALUE, f"Edge {value}: expected RISING (10280) or FALLING (10171)."
            )
        return cls(value)


VOLTS = 10348
"""``DAQmx_Val_Volts``."""
SECONDS = 10364
"""``DAQmx_Val_Seconds``."""
TICKS = 10304
"""``DAQmx_Val_Ticks``."""
HERTZ = 10373
"""``DAQmx_Val_Hz``."""
DEFAULT_TERMINALS, REFERENCED, NON_REFERENCED, DIFFERENTIAL = -1, 10083, 10078, 10106
"""``DAQmx_Val_Cfg_Default``, ``RSE``, ``NRSE``, ``Diff``."""


@dataclass
class Channel:
    """A virtual channel: its name, its kind and the physical channels behind it (without the device)."""

    name: str
    kind: ChannelType
    physical: tuple[str, ...]
    minimum: float = 0.0
    maximum: float = 0.0
    units: int = VOLTS
    tristate: bool = True
    """Of a digital input: whether its lines are let go before they are read (``DAQmx_DI_Tristate``)."""
    terminals: int = 0
    """Of an analog input: its ``DAQmx_AI_TermCfg``. It changes no reading: the wires of the bench have one
    ground."""

    @property
    def only_looks(self) -> bool:
        """Whether it reads lines as they are, so that another task may go on driving them."""
        return self.kind is ChannelType.DIGITAL_INPUT and not self.tristate

    @property
    def bits(self) -> tuple[int, ...]:
        """The bit of each line in the channel's port value.

        In a port it is the line's number. The bits of a second port stand above those of the first.
        """
        numbers, offset, before = [], 0, ""
        for line in self.physical:
            port, _, number = line.partition("/line")
            if before and port != before:
                offset += PORTS[before]
            before = port
            numbers.append(offset + int(number))
        return tuple(numbers)


def analog_terminals(name: str, wanted: int) -> int:
    """The terminal configuration of an analog input that is asked for as ``wanted``.

    Raises:
        DaqmxError: -200077 the input cannot be wired like that. The second half of the inputs is the negative
            side of the first, and has none itself; the device has no pseudodifferential input (X Series User
            Manual).
    """
    differential = int(name.removeprefix("ai")) < len(ANALOG_INPUTS) // 2
    if wanted == DEFAULT_TERMINALS:
        return DIFFERENTIAL if differential else REFERENCED
    if wanted in (REFERENCED, NON_REFERENCED) or (wanted == DIFFERENTIAL and differential):
        return wanted
    raise DaqmxError(
        Code.INVALID_ATTRIBUTE_VALUE,
        f"{name!r} has no terminal configuration {wanted}; it can be RSE or NRSE"
        f"{', or differential' if differential else ': its terminal is the negative side of a pair'}.",
    )


@dataclass
class CounterChannel(Channel):
    """A counter measurement; ``minimum`` and ``maximum`` are in its units.

    ``terminal`` is the measured input (for a two-edge separation that of the second edge), ``first_terminal``
    that of the first edge.
    """

    measurement: Measurement = Measurement.COUNT_EDGES
    terminal: str = ""
    edge: Edge = Edge.RISING
    first_terminal: str = ""
    first_edge: Edge = Edge.RISING
    initial_count: int = 0
    count_down: bool = False
    rolled_over: bool = field(default=False, compare=False)
    """Whether the counter passed its terminal count, so that a measurement is too small by 2^32 ticks."""


class PulseUnit(IntEnum):
    """``DAQmx_CO_OutputType`` values: how a pulse train was specified."""

    FREQUENCY = 10119
    TIME = 10269
    TICKS = 10268


@dataclass
class PulseChannel(Channel):
    """A counter output: pulses on ``terminal``, in ticks of the 100 MHz timebase."""

    unit: PulseUnit = PulseUnit.FREQUENCY
    high_ticks: int = 0
    low_ticks: int = 0
    delay_ticks: int = 0
    idle_high: bool = False
    terminal: str = ""

    def set_frequency(self, hz: float, duty: float) -> None:
        """Choose frequency and duty cycle.

        Raises:
            DaqmxError: -200077 outside what the timebase can divide down to.
        """
        if not 0 < duty < 1 or not 0 < hz <= NOMINAL_HZ / (2 * PULSE_MIN_TICKS):
            raise DaqmxError(
                Code.INVALID_ATTRIBUTE_VALUE,
                f"A pulse train of {hz:g} Hz and duty cycle {duty:g}: up to "
                f"{NOMINAL_HZ / (2 * PULSE_MIN_TICKS):g} Hz, and between 0 and 1.",
            )
        self.set_ticks(round(NOMINAL_HZ / hz * duty), round(NOMINAL_HZ / hz * (1 - duty)))

    def set_ticks(self, high: int, low: int) -> None:
        """Choose high and low time in ticks. Raises DaqmxError -200077 outside the counter."""
        for ticks in (high, low):
            if not PULSE_MIN_TICKS <= ticks < 2**COUNTER_BITS:
                raise DaqmxError(
                    Code.INVALID_ATTRIBUTE_VALUE,
                    f"{ticks} ticks of the 100 MHz timebase: {PULSE_MIN_TICKS} to {2**COUNTER_BITS - 1}.",
                )
        self.high_ticks, self.low_ticks = high, low

    @property
    def frequency_hz(self) -> float:
        """Pulses a second, as the timebase divides down."""
        return NOMINAL_HZ / (self.high_ticks + self.low_ticks)

    @property
    def duty_cycle(self) -> float:
        """Part of the period that is high."""
        return self.high_ticks / (self.high_ticks + self.low_ticks)
