# SPDX-License-Identifier: Apache-2.0
"""Virtual channels: what a task measures or generates, and where."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from hil.twin.daq.errors import Code, DaqmxError


class ChannelType(IntEnum):
    """``DAQmx_ChanType`` values."""

    ANALOG_INPUT = 10100
    ANALOG_OUTPUT = 10102
    DIGITAL_INPUT = 10151
    DIGITAL_OUTPUT = 10153
    COUNTER_INPUT = 10131


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


@dataclass
class Channel:
    """A virtual channel: its name, its kind and the physical channels behind it (without the device)."""

    name: str
    kind: ChannelType
    physical: tuple[str, ...]
    minimum: float = 0.0
    maximum: float = 0.0
    units: int = VOLTS


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
