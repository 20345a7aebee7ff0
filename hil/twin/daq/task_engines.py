# SPDX-License-Identifier: Apache-2.0
"""From a task's settings to what runs while it runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.twin.daq.buffers import InputBuffer
from hil.twin.daq.channels import Channel, ChannelType, CounterChannel, PulseChannel
from hil.twin.daq.engines import (
    ArmedCounter,
    ChangeDetection,
    ClockedInput,
    ClockedLines,
    ClockedOutput,
    EdgeClockedOutput,
    Engine,
)
from hil.twin.daq.errors import Code, DaqmxError
from hil.twin.daq.events import TaskEvents
from hil.twin.daq.pulse_output import PulseTrain
from hil.twin.daq.timing import AnalogEdge, ReferenceTrigger, StartTrigger, Timing, TimingType
from hil.twin.daq.x_series import XSeriesDevice


@dataclass(frozen=True)
class EngineSetup:
    """A task's settings as it starts."""

    task_name: str
    channels: tuple[Channel, ...]
    timing: Timing
    clocked: bool
    input_capacity: int
    start_trigger: StartTrigger | AnalogEdge | None
    reference_trigger: ReferenceTrigger | None
    output_v: NDArray[np.float64] | None
    output_levels: list[list[bool]] | None

    @property
    def nothing_written(self) -> DaqmxError:
        """The error of an output without samples."""
        return DaqmxError(
            Code.OUTPUT_BUFFER_EMPTY,
            f"Task {self.task_name!r} has nothing to generate; write samples first.",
        )


def make_engine(daq: XSeriesDevice, setup: EngineSetup, events: TaskEvents) -> Engine | None:
    """What the task runs on; ``None`` for reads and writes on demand.

    Raises:
        DaqmxError: -200462 nothing to generate, -200358 or -200213 a reference trigger that does not fit.
    """
    timing, first = setup.timing, setup.channels[0]
    if isinstance(first, CounterChannel):
        # Without timing, only the newest measurement counts.
        buffer_of_counts = InputBuffer[tuple[int, ...]](
            setup.input_capacity, timing.total if setup.clocked else None
        )
        clock = timing if timing.type is TimingType.SAMPLE_CLOCK else None
        return ArmedCounter(daq, first, buffer_of_counts, events, clock)
    if isinstance(first, PulseChannel):
        return PulseTrain(daq, first, timing.total if setup.clocked else 1, events)
    if not setup.clocked:
        return None
    match first.kind:
        case ChannelType.DIGITAL_INPUT:
            return _line_input(daq, setup, events)
        case ChannelType.DIGITAL_OUTPUT:
            if setup.output_levels is None:
                raise setup.nothing_written
            lines = [line for channel in setup.channels for line in channel.physical]
            return ClockedLines(daq, lines, setup.output_levels, timing, events)
        case ChannelType.ANALOG_INPUT:
            return _analog_input(daq, setup, events)
    if setup.output_v is None:
        raise setup.nothing_written
    outputs = list(setup.channels)
    if timing.source is not None:
        return EdgeClockedOutput(daq, outputs, setup.output_v, timing, events)
    return ClockedOutput(daq, outputs, setup.output_v, timing.divisor, timing.total, events)


def _analog_input(daq: XSeriesDevice, setup: EngineSetup, events: TaskEvents) -> ClockedInput:
    reference, total = setup.reference_trigger, setup.timing.total
    if reference is not None and (total is None or reference.pretrigger + 2 > total):
        raise DaqmxError(
            Code.REFERENCE_TRIGGER_WHEN_CONTINUOUS if total is None else Code.TOO_MANY_PRETRIGGER_SAMPLES,
            f"Task {setup.task_name!r}: a reference trigger needs a finite acquisition of two samples more "
            f"than the {reference.pretrigger} before it.",
        )
    converter = daq.analog_input
    inputs = [
        (channel.physical[0], converter.range_for(channel.minimum, channel.maximum))
        for channel in setup.channels
    ]

    def convert(time_ps: int) -> tuple[float, ...]:
        return tuple(converter.read(name, range_v, time_ps) for name, range_v in inputs)

    return ClockedInput(
        daq,
        convert,
        setup.timing,
        InputBuffer(setup.input_capacity, total),
        events,
        clock_outputs=["ai/SampleClock"],
        start=setup.start_trigger if isinstance(setup.start_trigger, AnalogEdge) else None,
        reference=reference,
    )


def _line_input(daq: XSeriesDevice, setup: EngineSetup, events: TaskEvents) -> Engine:
    def read(_time_ps: int) -> list[list[bool]]:
        return [[daq.lines.read(line) for line in channel.physical] for channel in setup.channels]

    buffer = InputBuffer[list[list[bool]]](setup.input_capacity, setup.timing.total)
    if setup.timing.type is TimingType.CHANGE_DETECTION:
        return ChangeDetection(daq, read, setup.timing, buffer, events)
    return ClockedInput(daq, read, setup.timing, buffer, events, clock_outputs=["di/SampleClock"])
