# SPDX-License-Identifier: Apache-2.0
"""What runs while a hardware-timed task runs: clocked generation, clocked acquisition, armed counters."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hil.twin.daq.bench import Event
from hil.twin.daq.buffers import InputBuffer
from hil.twin.daq.channels import Channel, CounterChannel
from hil.twin.daq.counters import CounterInput, Sample
from hil.twin.daq.events import TaskEvents
from hil.twin.daq.x_series import XSeriesDevice


class Engine(Protocol):
    """A running generation or acquisition."""

    def begin(self, time_ps: int) -> None:
        """The start trigger came."""

    def stop(self) -> None:
        """The task is stopped."""

    @property
    def done(self) -> bool:
        """Whether a finite task has finished; a continuous one never has."""


class ClockedOutput:
    """Generates each channel's samples on one sample clock."""

    def __init__(
        self,
        daq: XSeriesDevice,
        channels: list[Channel],
        samples_v: NDArray[np.float64],
        divisor: int,
        total: int | None,
        events: TaskEvents,
    ) -> None:
        self._daq = daq
        self._events = events
        self._outputs = [daq.analog_outputs[channel.physical[0]] for channel in channels]
        self._samples_v = samples_v
        self._divisor = divisor
        self._total = total
        self._start_tick: int | None = None
        self._end: Event | None = None

    def begin(self, time_ps: int) -> None:
        """Start the sample clock."""
        for output, samples_v in zip(self._outputs, self._samples_v, strict=True):
            output.generate(time_ps, self._divisor, samples_v, self._total)
        self._start_tick = self._daq.timebase.tick_at(time_ps)
        if self._total is not None:
            end_tick = self._start_tick + self._total * self._divisor
            self._end = self._daq.bench.scheduler.at(self._daq.timebase.time_ps(end_tick), self._finish)

    def stop(self) -> None:
        """Stop the sample clock; the outputs hold what they have."""
        if self._end is not None:
            self._end.cancel()
        if self._start_tick is not None:
            for output in self._outputs:
                output.freeze(self._daq.bench.scheduler.now_ps)

    def _finish(self) -> None:
        self._events.finished()
        self._daq.wake()

    @property
    def generated(self) -> int:
        """Samples per channel put out so far."""
        if self._start_tick is None:
            return 0
        ticks = self._daq.timebase.tick_at(self._daq.bench.scheduler.now_ps) - self._start_tick
        count = ticks // self._divisor
        return count if self._total is None else min(count, self._total)

    @property
    def done(self) -> bool:
        """Whether the last sample has had its full period."""
        return self._total is not None and self.generated >= self._total


class ClockedInput:
    """Converts all channels at every edge of the sample clock."""

    def __init__(
        self,
        daq: XSeriesDevice,
        channels: list[Channel],
        divisor: int,
        buffer: InputBuffer[tuple[float, ...]],
        events: TaskEvents,
    ) -> None:
        self.buffer = buffer
        self._events = events
        self._daq = daq
        self._inputs = [
            (channel.physical[0], daq.analog_input.range_for(channel.minimum, channel.maximum))
            for channel in channels
        ]
        self._divisor = divisor
        self._next_tick = 0
        self._event: Event | None = None

    def begin(self, time_ps: int) -> None:
        """Start the sample clock; the first edge is one tick of the timebase away."""
        self._next_tick = self._daq.timebase.tick_at(time_ps) + 1
        self._plan()

    def stop(self) -> None:
        """Stop the sample clock."""
        if self._event is not None:
            self._event.cancel()

    @property
    def done(self) -> bool:
        """Whether a finite acquisition has all its samples."""
        return self.buffer.complete

    def _plan(self) -> None:
        self._event = self._daq.bench.scheduler.at(self._daq.timebase.time_ps(self._next_tick), self._convert)

    def _convert(self) -> None:
        time_ps = self._daq.bench.scheduler.now_ps
        self.buffer.append(
            tuple(self._daq.analog_input.read(name, range_v, time_ps) for name, range_v in self._inputs)
        )
        self._next_tick += self._divisor
        self._events.acquired(self.buffer.acquired)
        if self.buffer.complete:
            self._events.finished()
        else:
            self._plan()
        self._daq.wake()


class ArmedCounter:
    """A counter that measures; with implicit timing every measurement is a sample."""

    def __init__(
        self,
        daq: XSeriesDevice,
        channel: CounterChannel,
        buffer: InputBuffer[Sample],
        events: TaskEvents,
    ) -> None:
        self.buffer = buffer
        self._events = events
        self.counter: CounterInput | None = None
        self._daq = daq
        self._channel = channel

    def begin(self, time_ps: int) -> None:
        """Arm the counter."""
        self.counter = CounterInput(self._channel, self._daq.lines.terminals, self._daq.timebase, self._take)

    def stop(self) -> None:
        """Disarm the counter."""
        if self.counter is not None:
            self.counter.disarm()

    @property
    def done(self) -> bool:
        """Whether a finite measurement has all its samples."""
        return self.buffer.complete

    def _take(self, sample: Sample) -> None:
        if self.buffer.complete:
            return
        self.buffer.append(sample)
        self._events.acquired(self.buffer.acquired)
        if self.buffer.complete:
            self._events.finished()
        self._daq.wake()
