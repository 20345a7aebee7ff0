# SPDX-License-Identifier: Apache-2.0
"""Reads: what blocks until a task has samples, and starts and stops it by itself where DAQmx does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hil.twin.daq.buffers import InputBuffer
from hil.twin.daq.channels import Channel, ChannelType, CounterChannel, Measurement
from hil.twin.daq.engines import ArmedCounter, ChangeDetection, ClockedInput
from hil.twin.daq.errors import Code, DaqmxError
from hil.twin.daq.tasks import State, Task
from hil.twin.daq.x_series import XSeriesDevice

READ_ALL_AVAILABLE = -1


class SamplesTimeoutError(Exception):
    """Not all samples came in time. ``samples`` are those that did, where they can be handed out."""

    def __init__(self, samples: list[Any], error: DaqmxError) -> None:
        super().__init__(str(error))
        self.samples = samples
        self.error = error


class Reader:
    """Reads one task for one call. Every method takes the bench's lock by itself where it needs it."""

    def __init__(self, daq: XSeriesDevice, task: Task, timeout_s: float, alive: Callable[[], bool]) -> None:
        self._daq = daq
        self._task = task
        self._timeout_s = timeout_s
        self._alive = alive

    def require(self, *kinds: ChannelType) -> None:
        """Raise DaqmxError -200460 unless the task's channels are of one of these kinds."""
        if self._task.kind not in kinds:
            raise DaqmxError(
                Code.READ_NO_INPUT_CHANNELS,
                f"Task {self._task.name!r} has no {' or '.join(kind.name for kind in kinds)} channels to "
                f"read.",
            )

    def analog(self, count: int) -> list[tuple[float, ...]]:
        """Samples of all analog channels, in volts.

        Raises:
            DaqmxError: as :meth:`_buffered`.
            SamplesTimeoutError: -200284.
        """
        self.require(ChannelType.ANALOG_INPUT)
        if self._task.clocked:
            return self._buffered(count)
        samples: list[tuple[float, ...]] = []
        for now_ps in self._untimed(count):
            with self._daq.bench.lock:
                converter = self._daq.analog_input
                samples.append(
                    tuple(
                        converter.read(
                            channel.physical[0], converter.range_for(channel.minimum, channel.maximum), now_ps
                        )
                        for channel in self._task.channels
                    )
                )
        return samples

    def lines(self, count: int) -> list[list[list[bool]]]:
        """Levels of the lines of each channel, for each sample."""
        self.require(ChannelType.DIGITAL_INPUT, ChannelType.DIGITAL_OUTPUT)
        if self._task.clocked and self._task.kind is ChannelType.DIGITAL_INPUT:
            try:
                return self._buffered(count)
            except SamplesTimeoutError as timeout:
                raise timeout.error from timeout
        samples = []
        for _ in self._untimed(count):
            with self._daq.bench.lock:
                channels = self._task.channels
                self._let_go(channels)
                samples.append(
                    [[self._daq.lines.read(line) for line in channel.physical] for channel in channels]
                )
        return samples

    def _let_go(self, channels: Sequence[Channel]) -> None:
        """Digital inputs are high-impedance, unless their channel leaves them as they are."""
        for channel in channels:
            if channel.kind is ChannelType.DIGITAL_INPUT and channel.tristate:
                for line in channel.physical:
                    self._daq.lines.drive(self._daq.bench.scheduler.now_ps, line, None)

    def counter(self, count: int) -> list[tuple[int, ...]]:
        """Measurements of the counter, in timebase ticks (or the present count of edges).

        Raises:
            DaqmxError: as :meth:`_buffered`.
            SamplesTimeoutError: -200284.
        """
        self.require(ChannelType.COUNTER_INPUT)
        channel = self._task.channels[0]
        assert isinstance(channel, CounterChannel)
        if channel.measurement is not Measurement.COUNT_EDGES or self._task.clocked:
            return self._buffered(count)
        self._begin_untimed()
        self._daq.software_call()
        with self._daq.bench.lock:
            engine = self._task.engine
            present = engine.counter.count if isinstance(engine, ArmedCounter) and engine.counter else 0
        self._end_untimed()
        return [(present,)]

    def _untimed(self, count: int) -> Iterator[int]:
        """One turn, and its time in picoseconds, for each of ``count`` samples on demand.

        Raises:
            DaqmxError: -200284 when the time-out comes first; nobody is told if the client has gone.
        """
        scheduler = self._daq.bench.scheduler
        deadline_ps = scheduler.now_ps + round(self._daq.bounded_s(self._timeout_s) * 1e12)
        self._begin_untimed()
        try:
            for done in range(max(count, 1)):
                if done and (scheduler.now_ps >= deadline_ps or not self._alive()):
                    raise DaqmxError(
                        Code.SAMPLES_NOT_YET_AVAILABLE,
                        f"Task {self._task.name!r}: {done} of {count} samples on demand came within "
                        f"{self._timeout_s:g} s.",
                    )
                self._daq.software_call()
                yield scheduler.now_ps
        finally:
            self._end_untimed()

    def _begin_untimed(self) -> None:
        with self._daq.bench.lock:
            if self._task.state is not State.RUNNING:
                self._task.start(implicitly=True)

    def _end_untimed(self) -> None:
        with self._daq.bench.lock:
            self._task.stop_if_implicit()

    def _buffered(self, count: int) -> list[Any]:
        """Wait for ``count`` samples and take them.

        Raises:
            DaqmxError: -200278 beyond the last sample, -200279 overwritten samples, -50103 on an implicit
            start.
            SamplesTimeoutError: -200284 after the time-out in bench time.
        """
        task = self._task
        with self._daq.bench.lock:
            if task.engine is None or (task.state is not State.RUNNING and not self._left_over()):
                task.start(implicitly=True)
            buffer = self._buffer()
            if count == READ_ALL_AVAILABLE:
                count = buffer.available if buffer.total is None else buffer.total - buffer.read_position
            if task.clocked:
                count = buffer.check(count)
            engine = task.engine

        def running() -> bool:
            return task.engine is engine and task.state is State.RUNNING

        self._daq.wait(lambda: buffer.available >= count or not running(), self._timeout_s, self._alive)
        with self._daq.bench.lock:
            if buffer.available < count and not running():
                raise DaqmxError(
                    Code.READ_ENDED_BY_STOP,
                    f"Task {task.name!r} was stopped while {count} samples per channel were waited for; "
                    f"{buffer.available} had come.",
                )
            if task.clocked:
                count = buffer.check(count)
            if buffer.available >= count:
                samples = buffer.take(count)
                if not task.clocked or (buffer.total is not None and buffer.read_position >= buffer.total):
                    task.stop_if_implicit()
                return samples
            ready = buffer.take(buffer.available)
            raise SamplesTimeoutError(
                ready,
                DaqmxError(
                    Code.SAMPLES_NOT_YET_AVAILABLE,
                    f"Task {task.name!r}: {len(ready)} of {count} samples per channel came within "
                    f"{self._timeout_s:g} s. Wait longer, read later, or look at the trigger, the clock and "
                    "the measured signal.",
                    samples_read=len(ready),
                ),
            )

    def _left_over(self) -> bool:
        return self._buffer().available > 0

    def _buffer(self) -> InputBuffer[Any]:
        engine = self._task.engine
        assert isinstance(engine, ClockedInput | ArmedCounter | ChangeDetection)
        return engine.buffer


def line_bits(levels: list[bool], channel: Channel) -> int:
    """Lines as an integer, each at its bit of the channel's port value."""
    return sum(level << bit for bit, level in zip(channel.bits, levels, strict=True))
