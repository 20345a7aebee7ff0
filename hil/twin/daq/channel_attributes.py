# SPDX-License-Identifier: Apache-2.0
"""The attributes of virtual channels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nidaqmx._stubs import nidaqmx_pb2 as pb

from hil.twin.daq import device
from hil.twin.daq.attributes import Attribute, rooted
from hil.twin.daq.channels import Channel, CounterChannel, Edge, PulseChannel, analog_terminals
from hil.twin.daq.counters import timebase_hz
from hil.twin.daq.engines import ArmedCounter
from hil.twin.daq.errors import Code, DaqmxError
from hil.twin.daq.tasks import Task
from hil.twin.daq.timebase import NOMINAL_HZ
from hil.twin.daq.x_series import XSeriesDevice


@dataclass(frozen=True)
class ChannelOf:
    """Target of the channel attributes."""

    daq: XSeriesDevice
    task: Task
    channel: Channel

    @property
    def counter(self) -> CounterChannel:
        """The channel as a counter channel.

        Raises:
            DaqmxError: -200452 if it is none.
        """
        if not isinstance(self.channel, CounterChannel):
            raise DaqmxError(
                Code.PROPERTY_NOT_SUPPORTED,
                f"{self.channel.name!r} is of kind {self.channel.kind.name}, no counter.",
            )
        return self.channel

    @property
    def pulses(self) -> PulseChannel:
        """The channel as a counter output.

        Raises:
            DaqmxError: -200452 if it is none.
        """
        if not isinstance(self.channel, PulseChannel):
            raise DaqmxError(
                Code.PROPERTY_NOT_SUPPORTED,
                f"{self.channel.name!r} is of kind {self.channel.kind.name}, no counter output.",
            )
        return self.channel


def _terminal_attribute(field: str) -> Attribute[ChannelOf]:
    def read(on: ChannelOf) -> str:
        return rooted(on.daq, getattr(on.counter, field))

    def write(on: ChannelOf, text: str) -> None:
        on.task.check_idle("change a terminal")
        setattr(on.counter, field, device.terminal(text, on.daq.name))

    return Attribute(read, write)


def _edge_attribute(field: str) -> Attribute[ChannelOf]:
    def read(on: ChannelOf) -> int:
        return int(getattr(on.counter, field))

    def write(on: ChannelOf, value: int) -> None:
        on.task.check_idle("change an edge")
        setattr(on.counter, field, Edge.of(value))

    return Attribute(read, write)


def _limit(field: str) -> Attribute[ChannelOf]:
    def write(on: ChannelOf, value: float) -> None:
        on.task.check_idle("change a limit")
        setattr(on.channel, field, value)

    return Attribute(lambda on: getattr(on.channel, field), write)


def _present_count(on: ChannelOf) -> int:
    engine = on.task.engine
    if isinstance(engine, ArmedCounter) and engine.counter is not None:
        return engine.counter.count
    return on.counter.initial_count


def _terminal_count_reached(on: ChannelOf) -> bool:
    """Whether the counter rolled over since the last query, which resets it (NI-DAQmx, CI.TCReached)."""
    engine = on.task.engine
    if isinstance(engine, ArmedCounter) and engine.counter is not None:
        engine.counter.note_rollover(on.daq.bench.scheduler.now_ps)
    reached, on.counter.rolled_over = on.counter.rolled_over, False
    return reached


def _ai_range(on: ChannelOf) -> float:
    """What the input can measure with the limits it was given; a query of the limits answers that too."""
    return on.daq.analog_input.range_for(on.channel.minimum, on.channel.maximum)


def _set_terminals(on: ChannelOf, terminals: int) -> None:
    on.task.check_idle("change how an input is wired")
    on.channel.terminals = analog_terminals(on.channel.physical[0], terminals)


def _set_tristate(on: ChannelOf, tristate: bool) -> None:
    on.task.check_idle("change how lines are read")
    on.channel.tristate = tristate


def _pulse_attribute(
    get: Callable[[PulseChannel], Any], put: Callable[[PulseChannel, Any], None] | None = None
) -> Attribute[ChannelOf]:
    """An attribute of a counter output; what changes while it runs counts from its next phase on."""
    if put is None:
        return Attribute(lambda on: get(on.pulses))
    return Attribute(lambda on: get(on.pulses), lambda on, value: put(on.pulses, value))


def _set_pulse_terminal(on: ChannelOf, text: str) -> None:
    on.task.check_idle("change a terminal")
    name = device.terminal(text, on.daq.name) if text else ""
    if name and name not in device.PFI_TERMINALS:
        raise DaqmxError(Code.ROUTE_NOT_SUPPORTED, f"{name!r} cannot be driven; PFI0 to PFI15 can.")
    on.pulses.terminal = name


CHANNEL: dict[int, Attribute[ChannelOf]] = {
    pb.CHANNEL_ATTRIBUTE_CHAN_TYPE: Attribute(lambda on: int(on.channel.kind)),
    pb.CHANNEL_ATTRIBUTE_PHYSICAL_CHAN_NAME: Attribute(
        lambda on: ", ".join(f"{on.daq.name}/{name}" for name in on.channel.physical)
    ),
    pb.CHANNEL_ATTRIBUTE_CHAN_DESCR: Attribute(lambda _: ""),
    pb.CHANNEL_ATTRIBUTE_CHAN_IS_GLOBAL: Attribute(lambda _: False),
    pb.CHANNEL_ATTRIBUTE_AI_MEAS_TYPE: Attribute(lambda _: int(pb.CHANNEL_INT32_AI_MEASUREMENT_TYPE_VOLTAGE)),
    pb.CHANNEL_ATTRIBUTE_AI_MAX: Attribute(_ai_range, _limit("maximum").set),
    pb.CHANNEL_ATTRIBUTE_AI_MIN: Attribute(lambda on: -_ai_range(on), _limit("minimum").set),
    pb.CHANNEL_ATTRIBUTE_AI_TERM_CFG: Attribute(lambda on: on.channel.terminals, _set_terminals),
    pb.CHANNEL_ATTRIBUTE_AI_RNG_HIGH: Attribute(_ai_range),
    pb.CHANNEL_ATTRIBUTE_AI_RNG_LOW: Attribute(lambda on: -_ai_range(on)),
    pb.CHANNEL_ATTRIBUTE_AI_RESOLUTION: Attribute(lambda _: float(device.CONVERTER_BITS)),
    pb.CHANNEL_ATTRIBUTE_AI_VOLTAGE_UNITS: Attribute(lambda on: on.channel.units),
    pb.CHANNEL_ATTRIBUTE_AO_OUTPUT_TYPE: Attribute(
        lambda _: int(pb.CHANNEL_INT32_AO_OUTPUT_CHANNEL_TYPE_VOLTAGE)
    ),
    pb.CHANNEL_ATTRIBUTE_AO_MAX: _limit("maximum"),
    pb.CHANNEL_ATTRIBUTE_AO_MIN: _limit("minimum"),
    pb.CHANNEL_ATTRIBUTE_AO_DAC_RNG_HIGH: Attribute(lambda _: device.AO_RANGE_V),
    pb.CHANNEL_ATTRIBUTE_AO_DAC_RNG_LOW: Attribute(lambda _: -device.AO_RANGE_V),
    pb.CHANNEL_ATTRIBUTE_AO_RESOLUTION: Attribute(lambda _: float(device.CONVERTER_BITS)),
    pb.CHANNEL_ATTRIBUTE_AO_VOLTAGE_UNITS: Attribute(lambda on: on.channel.units),
    pb.CHANNEL_ATTRIBUTE_DI_NUM_LINES: Attribute(lambda on: len(on.channel.physical)),
    pb.CHANNEL_ATTRIBUTE_DI_TRISTATE: Attribute(lambda on: on.channel.tristate, _set_tristate),
    pb.CHANNEL_ATTRIBUTE_DO_NUM_LINES: Attribute(lambda on: len(on.channel.physical)),
    pb.CHANNEL_ATTRIBUTE_CI_MEAS_TYPE: Attribute(lambda on: int(on.counter.measurement)),
    pb.CHANNEL_ATTRIBUTE_CI_MAX: _limit("maximum"),
    pb.CHANNEL_ATTRIBUTE_CI_MIN: _limit("minimum"),
    pb.CHANNEL_ATTRIBUTE_CI_COUNT: Attribute(_present_count),
    pb.CHANNEL_ATTRIBUTE_CI_TC_REACHED: Attribute(_terminal_count_reached),
    pb.CHANNEL_ATTRIBUTE_CI_CTR_TIMEBASE_RATE: Attribute(lambda on: float(timebase_hz(on.counter))),
    pb.CHANNEL_ATTRIBUTE_CI_COUNT_EDGES_TERM: _terminal_attribute("terminal"),
    pb.CHANNEL_ATTRIBUTE_CI_COUNT_EDGES_ACTIVE_EDGE: _edge_attribute("edge"),
    pb.CHANNEL_ATTRIBUTE_CI_COUNT_EDGES_INITIAL_CNT: Attribute(lambda on: on.counter.initial_count),
    pb.CHANNEL_ATTRIBUTE_CI_PULSE_WIDTH_TERM: _terminal_attribute("terminal"),
    pb.CHANNEL_ATTRIBUTE_CI_PULSE_WIDTH_STARTING_EDGE: _edge_attribute("edge"),
    pb.CHANNEL_ATTRIBUTE_CI_PERIOD_TERM: _terminal_attribute("terminal"),
    pb.CHANNEL_ATTRIBUTE_CI_PERIOD_STARTING_EDGE: _edge_attribute("edge"),
    pb.CHANNEL_ATTRIBUTE_CI_FREQ_TERM: _terminal_attribute("terminal"),
    pb.CHANNEL_ATTRIBUTE_CI_FREQ_STARTING_EDGE: _edge_attribute("edge"),
    pb.CHANNEL_ATTRIBUTE_CI_SEMI_PERIOD_TERM: _terminal_attribute("terminal"),
    pb.CHANNEL_ATTRIBUTE_CI_SEMI_PERIOD_STARTING_EDGE: _edge_attribute("edge"),
    pb.CHANNEL_ATTRIBUTE_CI_PULSE_TIME_TERM: _terminal_attribute("terminal"),
    pb.CHANNEL_ATTRIBUTE_CI_PULSE_TIME_START_EDGE: _edge_attribute("edge"),
    pb.CHANNEL_ATTRIBUTE_CI_TWO_EDGE_SEP_FIRST_TERM: _terminal_attribute("first_terminal"),
    pb.CHANNEL_ATTRIBUTE_CI_TWO_EDGE_SEP_FIRST_EDGE: _edge_attribute("first_edge"),
    pb.CHANNEL_ATTRIBUTE_CI_TWO_EDGE_SEP_SECOND_TERM: _terminal_attribute("terminal"),
    pb.CHANNEL_ATTRIBUTE_CI_TWO_EDGE_SEP_SECOND_EDGE: _edge_attribute("edge"),
    pb.CHANNEL_ATTRIBUTE_CO_OUTPUT_TYPE: _pulse_attribute(lambda pulses: int(pulses.unit)),
    pb.CHANNEL_ATTRIBUTE_CO_PULSE_FREQ: _pulse_attribute(
        lambda pulses: pulses.frequency_hz, lambda pulses, hz: pulses.set_frequency(hz, pulses.duty_cycle)
    ),
    pb.CHANNEL_ATTRIBUTE_CO_PULSE_DUTY_CYC: _pulse_attribute(
        lambda pulses: pulses.duty_cycle, lambda pulses, duty: pulses.set_frequency(pulses.frequency_hz, duty)
    ),
    pb.CHANNEL_ATTRIBUTE_CO_PULSE_HIGH_TIME: _pulse_attribute(lambda pulses: pulses.high_ticks / NOMINAL_HZ),
    pb.CHANNEL_ATTRIBUTE_CO_PULSE_LOW_TIME: _pulse_attribute(lambda pulses: pulses.low_ticks / NOMINAL_HZ),
    pb.CHANNEL_ATTRIBUTE_CO_PULSE_HIGH_TICKS: _pulse_attribute(lambda pulses: pulses.high_ticks),
    pb.CHANNEL_ATTRIBUTE_CO_PULSE_LOW_TICKS: _pulse_attribute(lambda pulses: pulses.low_ticks),
    pb.CHANNEL_ATTRIBUTE_CO_PULSE_IDLE_STATE: _pulse_attribute(
        lambda pulses: int(pb.LEVEL1_HIGH if pulses.idle_high else pb.LEVEL1_LOW)
    ),
    pb.CHANNEL_ATTRIBUTE_CO_CTR_TIMEBASE_RATE: _pulse_attribute(lambda _: float(NOMINAL_HZ)),
    pb.CHANNEL_ATTRIBUTE_CO_PULSE_DONE: Attribute(lambda on: bool(on.pulses) and on.task.done),
    pb.CHANNEL_ATTRIBUTE_CO_PULSE_TERM: Attribute(
        lambda on: rooted(on.daq, on.pulses.terminal), _set_pulse_terminal
    ),
}
