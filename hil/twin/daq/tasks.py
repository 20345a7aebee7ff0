# SPDX-License-Identifier: Apache-2.0
"""A task: channels, timing, a start trigger, and the states it goes through."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from hil.twin.daq.channels import Channel, ChannelType, CounterChannel, Edge, Measurement, PulseChannel
from hil.twin.daq.device import (
    AI_MAX_MULTI_RATE_HZ,
    AI_MAX_SINGLE_RATE_HZ,
    AO_MAX_MULTI_RATE_HZ,
    AO_MAX_RATE_HZ,
    DIGITAL_MAX_RATE_HZ,
    pfi_of_line,
)
from hil.twin.daq.engines import ClockedInput, ClockedLines, ClockedOutput, EdgeClockedOutput, Engine
from hil.twin.daq.errors import Code, DaqmxError
from hil.twin.daq.events import TaskEvents
from hil.twin.daq.task_engines import EngineSetup, make_engine
from hil.twin.daq.timing import AnalogEdge, ReferenceTrigger, SampleMode, StartTrigger, Timing, TimingType
from hil.twin.daq.x_series import XSeriesDevice

_KINDS = {
    TimingType.ON_DEMAND: frozenset(ChannelType),
    TimingType.SAMPLE_CLOCK: frozenset(
        {
            ChannelType.ANALOG_INPUT,
            ChannelType.ANALOG_OUTPUT,
            ChannelType.DIGITAL_INPUT,
            ChannelType.DIGITAL_OUTPUT,
        }
    ),
    TimingType.IMPLICIT: frozenset({ChannelType.COUNTER_INPUT, ChannelType.COUNTER_OUTPUT}),
    TimingType.CHANGE_DETECTION: frozenset({ChannelType.DIGITAL_INPUT}),
}
"""The channels that each timing is for; edges are also counted on a sample clock."""


class State(Enum):
    """States of the DAQmx task model that make a difference here."""

    VERIFIED = "verified"
    COMMITTED = "committed"
    RUNNING = "running"


class Task:
    """One DAQmx task. Everything here is called with the bench's lock held and takes no bench time."""

    def __init__(self, daq: XSeriesDevice, name: str) -> None:
        self.name = name
        self.channels: list[Channel] = []
        self.timing = Timing()
        self.start_trigger: StartTrigger | AnalogEdge | None = None
        self.reference_trigger: ReferenceTrigger | None = None
        self.exports: list[tuple[str, str]] = []
        """Signals of the task and the terminals that they are exported to."""
        self.state = State.VERIFIED
        self.engine: Engine | None = None
        self.buffer_size: int | None = None
        self.read_all_available = False
        self.events = TaskEvents()
        self._daq = daq
        self._state_before_start = State.VERIFIED
        self._started_implicitly = False
        self._output_v: NDArray[np.float64] | None = None
        self._write_position = 0
        """Where in the buffer of a running output the next write goes."""
        self._output_levels: list[list[bool]] | None = None

    @property
    def kind(self) -> ChannelType | None:
        """What the channels are; ``None`` without channels."""
        return self.channels[0].kind if self.channels else None

    @property
    def clocked(self) -> bool:
        """Whether samples are timed by the hardware."""
        return self.timing.type is not TimingType.ON_DEMAND

    @property
    def resources(self) -> set[str]:
        """What of the device only one task can use at a time."""
        physical = {name for channel in self.channels if not channel.only_looks for name in channel.physical}
        if self.kind is ChannelType.ANALOG_INPUT:
            return {"analog input timing engine"}
        if self.kind is ChannelType.ANALOG_OUTPUT and self.clocked:
            return physical | {"analog output timing engine"}
        if self.kind is ChannelType.DIGITAL_INPUT and self.clocked:
            return physical | {"digital input timing engine"}
        if self.kind is ChannelType.DIGITAL_OUTPUT and self.clocked:
            return physical | {"digital output timing engine"}
        outputs = {channel.terminal for channel in self.channels if isinstance(channel, PulseChannel)}
        return physical | (outputs - {""})

    @property
    def done(self) -> bool:
        """Whether nothing is going on any more."""
        return self.state is not State.RUNNING or self.engine is None or self.engine.done

    def add_channels(self, channels: Sequence[Channel]) -> None:
        """Add virtual channels.

        Raises:
            DaqmxError: -200557 while running, -200559 of another kind than the task's, -200489 twice.
        """
        self.check_idle("add a channel")
        for channel in channels:
            if self.kind is not None and channel.kind is not self.kind:
                raise DaqmxError(
                    Code.MULTIPLE_CHANNEL_TYPES,
                    f"Task {self.name!r} has channels of kind {self.kind.name}; {channel.name!r} is of kind "
                    f"{channel.kind.name}. Use a task for each kind.",
                )
            if any(channel.name == present.name for present in self.channels):
                raise DaqmxError(
                    Code.CHANNEL_ALREADY_IN_TASK,
                    f"Task {self.name!r} already has a channel {channel.name!r}.",
                )
            counters = (ChannelType.COUNTER_INPUT, ChannelType.COUNTER_OUTPUT)
            if channel.kind in counters and self.channels:
                raise DaqmxError(
                    Code.CHANNEL_ALREADY_IN_TASK,
                    f"Task {self.name!r} already has a counter; use a task for each counter.",
                )
            self.channels.append(channel)

    def select(self, names: Sequence[str]) -> list[Channel]:
        """The channels with these names; all of them for no name.

        Raises:
            DaqmxError: -200486 for a name the task does not have.
        """
        if not names:
            return list(self.channels)
        by_name = {channel.name.lower(): channel for channel in self.channels}
        missing = [name for name in names if name.lower() not in by_name]
        if missing:
            raise DaqmxError(
                Code.CHANNEL_NOT_IN_TASK,
                f"Task {self.name!r} has no channel {missing[0]!r}; it has "
                f"{', '.join(channel.name for channel in self.channels) or 'none'}.",
            )
        return [by_name[name.lower()] for name in names]

    def check_idle(self, what: str) -> None:
        """Raise DaqmxError -200557 if the task runs."""
        if self.state is State.RUNNING:
            raise DaqmxError(
                Code.CANNOT_SET_WHILE_RUNNING, f"Task {self.name!r} is running; stop it to {what}."
            )

    def set_rate(self, rate_hz: float) -> None:
        """Choose the sample clock's rate.

        Raises:
            DaqmxError: -200332 faster than the device can, -200331 not above zero, -200557 while running.
        """
        self.check_idle("change its sample rate")
        if not rate_hz > 0:
            raise DaqmxError(Code.RATE_TOO_LOW, f"A sample rate of {rate_hz} Hz is not above zero.")
        self._check_rate(rate_hz)
        self.timing.divisor = self._daq.timebase.divisor(rate_hz)

    def _check_rate(self, rate_hz: float) -> None:
        if rate_hz > self.maximum_rate_hz:
            raise DaqmxError(
                Code.RATE_TOO_HIGH,
                f"{rate_hz:g} Hz is faster than the {self.maximum_rate_hz:g} Hz the device can with "
                f"{len(self.channels)} channel(s).",
            )

    @property
    def maximum_rate_hz(self) -> float:
        """The fastest sample clock for the task's channels."""
        several = len(self.channels) > 1
        if self.kind in (ChannelType.DIGITAL_INPUT, ChannelType.DIGITAL_OUTPUT):
            return DIGITAL_MAX_RATE_HZ
        if self.kind is ChannelType.ANALOG_OUTPUT:
            return AO_MAX_MULTI_RATE_HZ if several else AO_MAX_RATE_HZ
        # One converter goes through the inputs one after the other.
        return AI_MAX_MULTI_RATE_HZ / len(self.channels) if several else AI_MAX_SINGLE_RATE_HZ

    def configure_timing(self, timing: TimingType, mode: int, samples_per_channel: int) -> None:
        """Choose sample clock or implicit timing.

        Raises:
            DaqmxError: -200478 without channels, -209876 a timing this kind of channel does not have here,
                -200077 a sample mode the device lacks, -200557 while running.
        """
        self.check_idle("change its timing")
        self.require_channels()
        counter = self.channels[0]
        counts = isinstance(counter, CounterChannel) and counter.measurement is Measurement.COUNT_EDGES
        fits = timing is TimingType.SAMPLE_CLOCK if counts else self.kind in _KINDS[timing]
        if not fits and self.kind is not None:
            raise DaqmxError(
                Code.FUNCTION_NOT_SUPPORTED,
                f"The virtual {self._daq.product} has no {timing.name} timing for {self.kind.name} channels.",
            )
        digital = self.kind in (ChannelType.DIGITAL_INPUT, ChannelType.DIGITAL_OUTPUT)
        lines = [line for channel in self.channels for line in channel.physical] if digital else []
        static = [line for line in lines if pfi_of_line(line)]
        if static and timing is TimingType.SAMPLE_CLOCK:
            raise DaqmxError(
                Code.INVALID_ATTRIBUTE_VALUE,
                f"{static[0]!r} is a static line; only those of port0 have a sample clock.",
            )
        if mode not in list(SampleMode):
            raise DaqmxError(
                Code.INVALID_ATTRIBUTE_VALUE, f"Sample mode {mode}: the device has FINITE and CONTINUOUS."
            )
        if SampleMode(mode) is SampleMode.FINITE and samples_per_channel < 1:
            raise DaqmxError(Code.INVALID_ATTRIBUTE_VALUE, f"{samples_per_channel} samples per channel.")
        self.timing.type = timing
        self.timing.source = None
        self.timing.edge = Edge.RISING
        self.timing.mode = SampleMode(mode)
        self.timing.samples_per_channel = samples_per_channel

    def require_channels(self) -> None:
        """Raise DaqmxError -200478 if there are no channels."""
        if not self.channels:
            raise DaqmxError(Code.NO_CHANNELS_IN_TASK, f"Task {self.name!r} has no channels.")

    def commit(self) -> None:
        """Reserve the resources.

        Raises:
            DaqmxError: -200478 without channels, -200332 too many channels for the rate that was set before,
            -50103 if another task has reserved one of them.
        """
        self.require_channels()
        if self.timing.type is TimingType.SAMPLE_CLOCK and self.timing.source is None:
            self._check_rate(self.timing.rate_hz)
        self._daq.reserve(self)
        if self.state is State.VERIFIED:
            self.state = State.COMMITTED

    def unreserve(self) -> None:
        """Stop, and give the resources back."""
        if self.state is State.RUNNING:
            self._stop_engine()
        self._daq.release(self)
        self.state = State.VERIFIED

    def start(self, *, implicitly: bool = False) -> None:
        """Start, or wait for the start trigger.

        Raises:
            DaqmxError: as :meth:`commit`; -200462 if a clocked output has nothing to generate; -200557 if
            running.
        """
        self.check_idle("start it again")
        self.require_channels()
        self._state_before_start = self.state
        engine = self._make_engine()
        self.commit()
        self.engine = engine
        self.state = State.RUNNING
        self._started_implicitly = implicitly
        for signal, terminal in self.exports:
            self._daq.connect_terminals(signal, terminal, self)
        if engine is None:
            return
        reference = self.reference_trigger
        if reference is not None and isinstance(reference.edge, StartTrigger):
            assert isinstance(engine, ClockedInput)
            # After the start, whatever its trigger, and more than once: early ones are ignored.
            self._daq.on_edge(
                reference.edge.terminal, reference.edge.edge, self, engine.reference_edge, once=False
            )
        if isinstance(self.start_trigger, StartTrigger):
            self._daq.on_edge(self.start_trigger.terminal, self.start_trigger.edge, self, self._begin)
        else:
            self._begin(self._daq.bench.scheduler.now_ps)

    def _begin(self, time_ps: int) -> None:
        """The start trigger came, or there is none."""
        terminal = {
            ChannelType.ANALOG_INPUT: "ai/StartTrigger",
            ChannelType.ANALOG_OUTPUT: "ao/StartTrigger",
            ChannelType.DIGITAL_INPUT: "di/StartTrigger",
            ChannelType.DIGITAL_OUTPUT: "do/StartTrigger",
        }.get(self.kind or ChannelType.COUNTER_INPUT)
        if terminal is not None:
            self._daq.lines.pulse(time_ps, terminal)
        if self.engine is not None:
            self.engine.begin(time_ps)

    def stop(self) -> None:
        """Stop and return to the state before the start; no error if the task does not run."""
        if self.state is not State.RUNNING:
            return
        self._stop_engine()
        self.state = State.COMMITTED
        if self._state_before_start is State.VERIFIED:
            self.unreserve()

    def stop_if_implicit(self) -> None:
        """Stop if a read or write had started the task by itself."""
        if self.state is State.RUNNING and self._started_implicitly:
            self.stop()

    def write_analog(self, samples_v: NDArray[np.float64], *, auto_start: bool) -> None:
        """Take samples to generate: an array of channels x samples, in volts.

        Raises:
            DaqmxError: -200561 outside a channel's limits, -200524 wrong number of channels, -200539 several
            samples
                without a sample clock, -200472 an untimed task neither running nor to be started.
        """
        if samples_v.shape[0] != len(self.channels) or samples_v.shape[1] == 0:
            raise DaqmxError(
                Code.WRITE_CHANNEL_COUNT_MISMATCH,
                f"Task {self.name!r} has {len(self.channels)} channel(s); the data are {samples_v.shape}.",
            )
        for channel, row in zip(self.channels, samples_v, strict=True):
            if not bool(np.all((row >= channel.minimum) & (row <= channel.maximum))):
                raise DaqmxError(
                    Code.INVALID_AO_VALUE,
                    f"{channel.name!r}: samples from {np.min(row):g} V to {np.max(row):g} V exceed the "
                    f"channel's limits, {channel.minimum:g} V to {channel.maximum:g} V.",
                )
        if self.clocked:
            self.commit()
            if isinstance(self.engine, ClockedOutput | EdgeClockedOutput) and self.state is State.RUNNING:
                assert self._output_v is not None
                self._output_v = self._overwritten(self._output_v, samples_v)
                self.engine.replace(self._output_v)
                return
            self._output_v = samples_v
            self._write_position = 0
            if auto_start:
                self.start(implicitly=False)
            return
        self._write_now(samples_v.shape[1], auto_start=auto_start)
        now_ps = self._daq.bench.scheduler.now_ps
        for channel, row in zip(self.channels, samples_v, strict=True):
            self._daq.analog_outputs[channel.physical[0]].hold(now_ps, float(row[0]))
        self.stop_if_implicit()

    def _overwritten(
        self, buffer_v: NDArray[np.float64], samples_v: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """The buffer with new samples from the write position on, around its end."""
        length = buffer_v.shape[1]
        places = (self._write_position + np.arange(samples_v.shape[1])) % length
        self._write_position = (self._write_position + samples_v.shape[1]) % length
        buffer_v = buffer_v.copy()
        buffer_v[:, places] = samples_v
        return buffer_v

    def write_lines(self, levels: Sequence[Sequence[bool]], *, auto_start: bool) -> None:
        """Drive the lines: for each channel a level for each of its lines.

        Raises:
            DaqmxError: -200472 if the task neither runs nor is to be started, -50103 a line is reserved.
        """
        self._write_now(1, auto_start=auto_start)
        now_ps = self._daq.bench.scheduler.now_ps
        for channel, row in zip(self.channels, levels, strict=True):
            for line, level in zip(channel.physical, row, strict=True):
                self._daq.lines.drive(now_ps, line, level)
        self.stop_if_implicit()

    def write_line_samples(self, samples: list[list[bool]], *, auto_start: bool) -> None:
        """Take samples to put out on the sample clock: for each the levels of all lines, in their order."""
        self.commit()
        self._output_levels = samples
        if isinstance(self.engine, ClockedLines) and self.state is State.RUNNING:
            self.engine.replace(samples)
        elif auto_start:
            self.start(implicitly=False)

    def _write_now(self, samples: int, *, auto_start: bool) -> None:
        if samples != 1:
            raise DaqmxError(
                Code.MULTI_SAMPLE_WRITE_NOT_SUPPORTED,
                f"{samples} samples per channel need a sample clock; task {self.name!r} has none.",
            )
        if self.state is not State.RUNNING:
            if not auto_start:
                raise DaqmxError(
                    Code.CANNOT_WRITE_UNLESS_STARTED,
                    f"Task {self.name!r} is untimed and not running; start it, or write with auto_start.",
                )
            self.start(implicitly=True)

    def _make_engine(self) -> Engine | None:
        return make_engine(
            self._daq,
            EngineSetup(
                task_name=self.name,
                channels=tuple(self.channels),
                timing=self.timing,
                clocked=self.clocked,
                input_capacity=self.input_capacity,
                start_trigger=self.start_trigger,
                reference_trigger=self.reference_trigger,
                output_v=self._output_v,
                output_levels=self._output_levels,
            ),
            self.events,
        )

    @property
    def input_capacity(self) -> int:
        """Samples per channel that the input buffer holds."""
        return self.timing.default_buffer if self.buffer_size is None else self.buffer_size

    def _stop_engine(self) -> None:
        self._daq.forget_edges(self)
        self._daq.disconnect_task(self)
        if self.engine is not None:
            self.engine.stop()
