# SPDX-License-Identifier: Apache-2.0
"""Calls that create virtual channels."""

from __future__ import annotations

from typing import Any

from nidaqmx._stubs import nidaqmx_pb2 as pb

from hil.twin.daq import device
from hil.twin.daq.call import Call, Handler
from hil.twin.daq.channels import (
    TICKS,
    VOLTS,
    Channel,
    ChannelType,
    CounterChannel,
    Edge,
    Measurement,
    PulseChannel,
    PulseUnit,
    analog_terminals,
)
from hil.twin.daq.errors import Code, DaqmxError
from hil.twin.daq.timebase import NOMINAL_HZ
from hil.twin.daq.x_series import FOREVER_S

COUNT_DOWN = 10124
"""``DAQmx_Val_CountDown``."""

ONE_COUNTER = 10105
"""``DAQmx_Val_LowFreq1Ctr``."""


def _names(call: Call, assigned: str, physical: list[str]) -> list[str]:
    """Names of the virtual channels: the physical ones, or the assigned one, numbered if there are
    several.
    """
    if not assigned:
        return [f"{call.daq.name}/{name}" for name in physical]
    if len(physical) == 1:
        return [assigned]
    return [f"{assigned}{number}" for number in range(len(physical))]


def _voltage_channels(call: Call, kind: ChannelType, known: tuple[str, ...], limit_v: float) -> None:
    request = call.request
    if (request.units or request.units_raw) != VOLTS:
        raise DaqmxError(Code.FUNCTION_NOT_SUPPORTED, "The virtual device has no custom scales.")
    if not -limit_v <= request.min_val < request.max_val <= limit_v:
        raise DaqmxError(
            Code.INVALID_ATTRIBUTE_VALUE,
            f"Limits {request.min_val:g} V to {request.max_val:g} V: the device's are "
            f"-{limit_v:g} V to {limit_v:g} V.",
        )
    physical = device.physical_channels(request.physical_channel, call.daq.name, known)
    names = _names(call, request.name_to_assign_to_channel, physical)
    channels = [
        Channel(name, kind, (channel,), request.min_val, request.max_val)
        for name, channel in zip(names, physical, strict=True)
    ]
    if kind is ChannelType.ANALOG_INPUT:
        for channel in channels:
            wanted = request.terminal_config or request.terminal_config_raw
            channel.terminals = analog_terminals(channel.physical[0], wanted)
    call.task.add_channels(channels)


def create_ai_voltage_chan(call: Call) -> Any:
    """CreateAIVoltageChan."""
    _voltage_channels(call, ChannelType.ANALOG_INPUT, device.ANALOG_INPUTS, device.AI_RANGES_V[-1])
    return pb.CreateAIVoltageChanResponse()


def create_ao_voltage_chan(call: Call) -> Any:
    """CreateAOVoltageChan."""
    _voltage_channels(call, ChannelType.ANALOG_OUTPUT, device.ANALOG_OUTPUTS, device.AO_RANGE_V)
    return pb.CreateAOVoltageChanResponse()


def _line_channels(call: Call, kind: ChannelType) -> None:
    request = call.request
    lines = device.physical_channels(request.lines, call.daq.name, device.LINES)
    assigned = request.name_to_assign_to_lines
    grouping = request.line_grouping or request.line_grouping_raw
    if grouping == pb.LINE_GROUPING_CHAN_PER_LINE:
        channels = [
            Channel(name, kind, (line,))
            for name, line in zip(_names(call, assigned, lines), lines, strict=True)
        ]
    else:
        items = device.expand(request.lines)
        default = items[0] if len(items) == 1 else f"{items[0]}..."
        channels = [Channel(assigned or default, kind, tuple(lines))]
    call.task.add_channels(channels)


def create_di_chan(call: Call) -> Any:
    """CreateDIChan."""
    _line_channels(call, ChannelType.DIGITAL_INPUT)
    return pb.CreateDIChanResponse()


def create_do_chan(call: Call) -> Any:
    """CreateDOChan."""
    _line_channels(call, ChannelType.DIGITAL_OUTPUT)
    return pb.CreateDOChanResponse()


def _counter_channel(
    call: Call, measurement: Measurement, edge: int, terminals: dict[str, str]
) -> CounterChannel:
    """Make a counter channel, measuring at the counter's default terminal out of ``terminals``."""
    request = call.request
    physical = device.physical_channels(request.counter, call.daq.name, device.COUNTERS)
    if len(physical) > 1:
        raise DaqmxError(Code.CHANNEL_ALREADY_IN_TASK, "A task takes one counter; use a task for each.")
    name = _names(call, request.name_to_assign_to_channel, physical)[0]
    timed = measurement is not Measurement.COUNT_EDGES
    return CounterChannel(
        name,
        ChannelType.COUNTER_INPUT,
        (physical[0],),
        request.min_val if timed else 0.0,
        request.max_val if timed else 0.0,
        (request.units or request.units_raw) if timed else TICKS,
        measurement=measurement,
        terminal=terminals[physical[0]],
        edge=Edge.of(edge),
    )


def create_ci_count_edges_chan(call: Call) -> Any:
    """CreateCICountEdgesChan."""
    request = call.request
    edge = request.edge or request.edge_raw
    channel = _counter_channel(call, Measurement.COUNT_EDGES, edge, device.SOURCES)
    direction = request.count_direction or request.count_direction_raw
    channel.initial_count = channel_count = request.initial_count
    channel.count_down = direction == COUNT_DOWN
    if not 0 <= channel_count < 2**device.COUNTER_BITS:
        raise DaqmxError(Code.INVALID_ATTRIBUTE_VALUE, f"Initial count {channel_count}.")
    call.task.add_channels([channel])
    return pb.CreateCICountEdgesChanResponse()


def create_ci_pulse_width_chan(call: Call) -> Any:
    """CreateCIPulseWidthChan."""
    edge = call.request.starting_edge or call.request.starting_edge_raw
    call.task.add_channels([_counter_channel(call, Measurement.PULSE_WIDTH, edge, device.GATES)])
    return pb.CreateCIPulseWidthChanResponse()


def create_ci_semi_period_chan(call: Call) -> Any:
    """CreateCISemiPeriodChan; starts at a rising edge, as the device does unless told otherwise."""
    channel = _counter_channel(call, Measurement.SEMI_PERIOD, Edge.RISING, device.GATES)
    call.task.add_channels([channel])
    return pb.CreateCISemiPeriodChanResponse()


def create_ci_pulse_chan_time(call: Call) -> Any:
    """CreateCIPulseChanTime."""
    channel = _counter_channel(call, Measurement.PULSE_TIME, Edge.RISING, device.GATES)
    call.task.add_channels([channel])
    return pb.CreateCIPulseChanTimeResponse()


def _check_one_counter(call: Call) -> None:
    if (call.request.meas_method or call.request.meas_method_raw) != ONE_COUNTER:
        raise DaqmxError(
            Code.FUNCTION_NOT_SUPPORTED,
            "The virtual device measures periods and frequencies with LOW_FREQUENCY_1_COUNTER only.",
        )


def create_ci_period_chan(call: Call) -> Any:
    """CreateCIPeriodChan, one counter."""
    _check_one_counter(call)
    edge = call.request.edge or call.request.edge_raw
    call.task.add_channels([_counter_channel(call, Measurement.PERIOD, edge, device.GATES)])
    return pb.CreateCIPeriodChanResponse()


def create_ci_freq_chan(call: Call) -> Any:
    """CreateCIFreqChan, one counter."""
    _check_one_counter(call)
    edge = call.request.edge or call.request.edge_raw
    call.task.add_channels([_counter_channel(call, Measurement.FREQUENCY, edge, device.GATES)])
    return pb.CreateCIFreqChanResponse()


def create_ci_two_edge_sep_chan(call: Call) -> Any:
    """CreateCITwoEdgeSepChan: first edge on the counter's AUX terminal, second on its GATE."""
    request = call.request
    second_edge = request.second_edge or request.second_edge_raw
    channel = _counter_channel(call, Measurement.TWO_EDGE_SEPARATION, second_edge, device.GATES)
    channel.first_terminal = device.AUXILIARIES[channel.physical[0]]
    channel.first_edge = Edge.of(request.first_edge or request.first_edge_raw)
    call.task.add_channels([channel])
    return pb.CreateCITwoEdgeSepChanResponse()


LOW, HIGH = 10214, 10192
"""``DAQmx_Val_Low`` and ``DAQmx_Val_High``."""


def _pulse_channel(call: Call, unit: PulseUnit, delay_ticks: float) -> PulseChannel:
    """A counter output at the counter's default terminal; its times are still to be set."""
    request = call.request
    physical = device.physical_channels(request.counter, call.daq.name, device.COUNTERS)
    if len(physical) > 1:
        raise DaqmxError(Code.CHANNEL_ALREADY_IN_TASK, "A task takes one counter; use a task for each.")
    idle = request.idle_state or request.idle_state_raw
    if idle not in (LOW, HIGH):
        raise DaqmxError(Code.INVALID_ATTRIBUTE_VALUE, f"Idle state {idle}: expected LOW or HIGH.")
    if not 0 <= delay_ticks < 2**device.COUNTER_BITS:
        raise DaqmxError(Code.INVALID_ATTRIBUTE_VALUE, f"An initial delay of {delay_ticks:g} ticks.")
    return PulseChannel(
        _names(call, request.name_to_assign_to_channel, physical)[0],
        ChannelType.COUNTER_OUTPUT,
        (physical[0],),
        unit=unit,
        delay_ticks=round(delay_ticks),
        idle_high=idle == HIGH,
        terminal=device.COUNTER_OUTPUTS[physical[0]],
    )


def create_co_pulse_chan_freq(call: Call) -> Any:
    """CreateCOPulseChanFreq."""
    request = call.request
    channel = _pulse_channel(call, PulseUnit.FREQUENCY, request.initial_delay * NOMINAL_HZ)
    channel.set_frequency(request.freq, request.duty_cycle)
    call.task.add_channels([channel])
    return pb.CreateCOPulseChanFreqResponse()


def create_co_pulse_chan_time(call: Call) -> Any:
    """CreateCOPulseChanTime."""
    request = call.request
    channel = _pulse_channel(call, PulseUnit.TIME, request.initial_delay * NOMINAL_HZ)
    times_s = request.high_time, request.low_time
    if not all(0 < time_s < FOREVER_S for time_s in times_s):
        raise DaqmxError(Code.INVALID_ATTRIBUTE_VALUE, f"High and low time {times_s} s.")
    channel.set_ticks(*(round(time_s * NOMINAL_HZ) for time_s in times_s))
    call.task.add_channels([channel])
    return pb.CreateCOPulseChanTimeResponse()


def create_co_pulse_chan_ticks(call: Call) -> Any:
    """CreateCOPulseChanTicks, of the 100 MHz timebase."""
    request = call.request
    if request.source_terminal.rpartition("/")[2].lower() not in ("", "100mhztimebase"):
        raise DaqmxError(
            Code.FUNCTION_NOT_SUPPORTED, "The virtual device counts its 100MHzTimebase for pulses only."
        )
    channel = _pulse_channel(call, PulseUnit.TICKS, request.initial_delay)
    channel.set_ticks(request.high_ticks, request.low_ticks)
    call.task.add_channels([channel])
    return pb.CreateCOPulseChanTicksResponse()


LOCKED: dict[str, Handler] = {
    "CreateAIVoltageChan": create_ai_voltage_chan,
    "CreateAOVoltageChan": create_ao_voltage_chan,
    "CreateDIChan": create_di_chan,
    "CreateDOChan": create_do_chan,
    "CreateCICountEdgesChan": create_ci_count_edges_chan,
    "CreateCIPulseWidthChan": create_ci_pulse_width_chan,
    "CreateCISemiPeriodChan": create_ci_semi_period_chan,
    "CreateCIPulseChanTime": create_ci_pulse_chan_time,
    "CreateCIPeriodChan": create_ci_period_chan,
    "CreateCIFreqChan": create_ci_freq_chan,
    "CreateCOPulseChanFreq": create_co_pulse_chan_freq,
    "CreateCOPulseChanTime": create_co_pulse_chan_time,
    "CreateCOPulseChanTicks": create_co_pulse_chan_ticks,
    "CreateCITwoEdgeSepChan": create_ci_two_edge_sep_chan,
}
"""Calls that take no bench time; they run with the bench's lock held."""
