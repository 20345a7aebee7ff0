# SPDX-License-Identifier: Apache-2.0
"""What runs while a hardware-timed task runs: clocked generation, clocked acquisition, armed counters."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hil.twin.daq.bench import Event
from hil.twin.daq.buffers import InputBuffer
from hil.twin.daq.channels import Channel, CounterChannel
from hil.twin.daq.counters import CounterInput, Sample
from hil.twin.daq.device import AO_SAMPLE_CLOCK
from hil.twin.daq.digital import EdgeListener, Terminal
from hil.twin.daq.events import Signal, TaskEvents
from hil.twin.daq.sample_clock import SampleClock, ShownClock
from hil.twin.daq.timing import AnalogEdge, ReferenceTrigger, Timing
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
        self._shown = ShownClock(daq, AO_SAMPLE_CLOCK, divisor, total)

    def begin(self, time_ps: int) -> None:
        """Start the sample clock."""
        for output, samples_v in zip(self._outputs, self._samples_v, strict=True):
            output.generate(time_ps, self._divisor, samples_v, self._total)
        self._start_tick = self._daq.timebase.tick_at(time_ps)
        if self._total is not None:
            end_tick = self._start_tick + self._total * self._divisor
            self._end = self._daq.bench.scheduler.at(self._daq.timebase.time_ps(end_tick), self._finish)
        self._shown.begin(self._start_tick)

    def replace(self, samples_v: NDArray[np.float64]) -> None:
        """Put out other samples from now on; the clock and the place in the buffer go on."""
        self._samples_v = samples_v
        if self._start_tick is not None:
            for output, row_v in zip(self._outputs, samples_v, strict=True):
                output.replace(self._daq.bench.scheduler.now_ps, row_v)

    def stop(self) -> None:
        """Stop the sample clock; the outputs hold what they have."""
        if self._end is not None:
            self._end.cancel()
        self._shown.stop()
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


class EdgeClockedOutput:
    """Puts out each channel's samples at edges that come from elsewhere; past their end it starts over."""

    def __init__(
        self,
        daq: XSeriesDevice,
        channels: list[Channel],
        samples_v: NDArray[np.float64],
        timing: Timing,
        events: TaskEvents,
    ) -> None:
        self._daq = daq
        self._events = events
        self._outputs = [daq.analog_outputs[channel.physical[0]] for channel in channels]
        self._samples_v = samples_v
        self._total = timing.total
        self._clock = SampleClock(daq, timing, self._put, [AO_SAMPLE_CLOCK])
        self.generated = 0

    def begin(self, time_ps: int) -> None:
        """Wait for the first edge."""
        self._clock.begin(time_ps)

    def replace(self, samples_v: NDArray[np.float64]) -> None:
        """Put out other samples from the next edge on."""
        self._samples_v = samples_v

    def stop(self) -> None:
        """Take no more edges; the outputs hold what they have."""
        self._clock.stop()

    @property
    def done(self) -> bool:
        """Whether the last sample has been put out."""
        return self._total is not None and self.generated >= self._total

    def _put(self, time_ps: int) -> None:
        index = self.generated % self._samples_v.shape[1]
        for output, row_v in zip(self._outputs, self._samples_v, strict=True):
            output.hold(time_ps, float(row_v[index]))
        self.generated += 1
        if self.done:
            self._clock.stop()
            self._events.finished()
        self._daq.wake()


class ClockedLines:
    """Drives lines of port 0 on a sample clock; past the end of the samples it starts over."""

    def __init__(
        self,
        daq: XSeriesDevice,
        lines: list[str],
        samples: list[list[bool]],
        timing: Timing,
        events: TaskEvents,
    ) -> None:
        self._daq = daq
        self._lines = lines
        self._samples = samples
        self._total = timing.total
        self._events = events
        self._clock = SampleClock(daq, timing, self._put, ["do/SampleClock"])
        self.generated = 0

    def begin(self, time_ps: int) -> None:
        """Start the sample clock."""
        self._clock.begin(time_ps)

    def replace(self, samples: list[list[bool]]) -> None:
        """Put out other samples from the next edge on; the place in the buffer stays."""
        self._samples = samples

    def stop(self) -> None:
        """Stop the sample clock; the lines hold what they have."""
        self._clock.stop()

    @property
    def done(self) -> bool:
        """Whether the last sample has been put out."""
        return self._total is not None and self.generated >= self._total

    def _put(self, time_ps: int) -> None:
        levels = self._samples[self.generated % len(self._samples)]
        for line, level in zip(self._lines, levels, strict=True):
            self._daq.lines.drive(time_ps, line, level)
        self.generated += 1
        self._events.signal(Signal.SAMPLE_CLOCK)
        if self.done:
            self._clock.stop()
            self._events.finished()
        self._daq.wake()


class ClockedInput:
    """Takes a sample at every edge of the sample clock, around a reference trigger if there is one.

    ``convert`` takes one; ``voltage`` gives the number in it that an analog trigger looks at.
    """

    def __init__(
        self,
        daq: XSeriesDevice,
        convert: Callable[[int], Any],
        timing: Timing,
        buffer: InputBuffer[Any],
        events: TaskEvents,
        *,
        clock_outputs: list[str],
        start: AnalogEdge | None = None,
        reference: ReferenceTrigger | None = None,
    ) -> None:
        self.buffer = buffer
        self._daq = daq
        self._events = events
        self._convert = convert
        self._start = start
        self._reference = reference
        self._triggered = reference is None
        self._before: deque[Any] = deque(maxlen=reference.pretrigger if reference else 0)
        self._last: Any = None
        self._clock = SampleClock(daq, timing, self._sample, clock_outputs)

    def begin(self, time_ps: int) -> None:
        """Start the sample clock."""
        self._clock.begin(time_ps)

    def stop(self) -> None:
        """Stop the sample clock."""
        self._clock.stop()

    @property
    def done(self) -> bool:
        """Whether a finite acquisition has all its samples."""
        return self.buffer.complete

    def reference_edge(self, _time_ps: int) -> None:
        """The digital reference trigger came; one that comes before the pre-trigger samples are there is
        ignored.
        """
        if len(self._before) == self._before.maxlen and not self._triggered:
            self._trigger()

    def _trigger(self) -> None:
        self._triggered = True
        for sample in self._before:
            self.buffer.append(sample)
        self._daq.lines.pulse(self._daq.bench.scheduler.now_ps, "ai/ReferenceTrigger")

    def _sample(self, time_ps: int) -> None:
        sample, last = self._convert(time_ps), self._last
        self._last = sample
        if self._start is not None:
            if last is None or not self._start.crossed(
                last[self._start.channel], sample[self._start.channel]
            ):
                return
            self._start = None
        if not self._triggered:
            edge = self._reference.edge if self._reference else None
            full = len(self._before) == self._before.maxlen
            if (
                isinstance(edge, AnalogEdge)
                and full
                and last is not None
                and edge.crossed(last[edge.channel], sample[edge.channel])
            ):
                self._trigger()
            if not self._triggered:
                self._before.append(sample)
                return
        self.buffer.append(sample)
        self._events.signal(Signal.SAMPLE_CLOCK)
        self._events.acquired(self.buffer.acquired)
        if self.buffer.complete:
            self._clock.stop()
            self._events.finished()
        self._daq.wake()


class ChangeDetection:
    """Samples lines whenever one of them changes."""

    def __init__(
        self,
        daq: XSeriesDevice,
        read: Callable[[int], Any],
        timing: Timing,
        buffer: InputBuffer[Any],
        events: TaskEvents,
    ) -> None:
        self.buffer = buffer
        self._daq = daq
        self._read = read
        self._events = events
        self._watched = [(line, True) for line in timing.rising_lines]
        self._watched += [(line, False) for line in timing.falling_lines]
        self._listeners: list[tuple[Terminal, EdgeListener]] = []

    def begin(self, time_ps: int) -> None:
        """Watch the lines."""
        for line, wanted in self._watched:
            terminal = self._daq.lines.input(line)
            listener = partial(self._edge, wanted)
            terminal.changed.connect(listener)
            self._listeners.append((terminal, listener))

    def stop(self) -> None:
        """Watch no more."""
        for terminal, listener in self._listeners:
            terminal.changed.disconnect(listener)
        self._listeners.clear()

    @property
    def done(self) -> bool:
        """Whether a finite acquisition has all its samples."""
        return self.buffer.complete

    def _edge(self, wanted: bool, time_ps: int, level: bool) -> None:
        if level is not wanted or self.buffer.complete:
            return
        self.buffer.append(self._read(time_ps))
        self._daq.lines.pulse(time_ps, "ChangeDetectionEvent")
        self._events.signal(Signal.CHANGE_DETECTION)
        self._events.acquired(self.buffer.acquired)
        if self.buffer.complete:
            self._events.finished()
        self._daq.wake()


class ArmedCounter:
    """A counter that measures; with implicit timing every measurement is a sample."""

    def __init__(
        self,
        daq: XSeriesDevice,
        channel: CounterChannel,
        buffer: InputBuffer[Sample],
        events: TaskEvents,
        timing: Timing | None = None,
    ) -> None:
        """``timing`` is that of the sample clock which takes the count of edges, if one does."""
        self.buffer = buffer
        self._events = events
        self.counter: CounterInput | None = None
        self._daq = daq
        self._channel = channel
        self._clock = None if timing is None else SampleClock(daq, timing, self._sample_count, [])

    def begin(self, time_ps: int) -> None:
        """Arm the counter."""
        self.counter = CounterInput(self._channel, self._daq.lines.terminals, self._daq.timebase, self._take)

        if self._clock is not None:
            self._clock.begin(time_ps)

    def stop(self) -> None:
        """Disarm the counter."""
        if self.counter is not None:
            self.counter.disarm()
        if self._clock is not None:
            self._clock.stop()

    @property
    def done(self) -> bool:
        """Whether a finite measurement has all its samples."""
        return self.buffer.complete

    def _sample_count(self, _time_ps: int) -> None:
        if self.counter is not None:
            self._take((self.counter.count,))

    def _take(self, sample: Sample) -> None:
        if self.buffer.complete:
            return
        self.buffer.append(sample)
        self._events.acquired(self.buffer.acquired)
        if self.buffer.complete:
            self._events.finished()
        self._daq.wake()
