# SPDX-License-Identifier: Apache-2.0
"""Counter outputs: single pulses, and finite or endless trains of them."""

from __future__ import annotations

from hil.twin.daq.bench import Event
from hil.twin.daq.channels import PulseChannel
from hil.twin.daq.device import PULSE_MIN_TICKS
from hil.twin.daq.events import Signal, TaskEvents
from hil.twin.daq.x_series import XSeriesDevice


class PulseTrain:
    """Puts pulses on the counter's output: idle for the initial delay, then active, idle, active, ...

    A train of ``total`` pulses ends after the idle phase of the last one; ``None`` is endless.
    """

    def __init__(
        self, daq: XSeriesDevice, channel: PulseChannel, total: int | None, events: TaskEvents
    ) -> None:
        self._daq = daq
        self._channel = channel
        self._total = total
        self._events = events
        self._event: Event | None = None
        self._tick = 0
        self._active = False
        self.generated = 0
        """Pulses that have ended."""
        self._internal = f"Ctr{channel.physical[0].removeprefix('ctr')}InternalOutput"
        self._put(daq.bench.scheduler.now_ps, active=False)

    @property
    def done(self) -> bool:
        """Whether the last pulse is over."""
        return self._total is not None and self.generated >= self._total

    def begin(self, time_ps: int) -> None:
        """Start with the initial delay."""
        self._tick = self._daq.timebase.tick_at(time_ps) + max(self._channel.delay_ticks, PULSE_MIN_TICKS)
        self._plan()

    def stop(self) -> None:
        """Stop at once; the output goes to its idle state."""
        if self._event is not None:
            self._event.cancel()
            self._event = None
        self._put(self._daq.bench.scheduler.now_ps, active=False)

    def _plan(self) -> None:
        self._event = self._daq.bench.scheduler.at(self._daq.timebase.time_ps(self._tick), self._change)

    def _change(self) -> None:
        channel, now_ps = self._channel, self._daq.bench.scheduler.now_ps
        if not self._active:
            if self._started:
                self.generated += 1
            if self.done:
                self._event = None
                self._events.finished()
                self._daq.wake()
                return
        self._started = True
        self._active = not self._active
        self._put(now_ps, active=self._active)
        if self._active:
            self._events.signal(Signal.COUNTER_OUTPUT)
        high = self._active is not channel.idle_high
        self._tick += channel.high_ticks if high else channel.low_ticks
        self._plan()
        self._daq.wake()

    _started = False

    def _put(self, time_ps: int, *, active: bool) -> None:
        level = active is not self._channel.idle_high
        self._daq.lines.put(time_ps, self._internal, level)
        if self._channel.terminal:
            self._daq.lines.put(time_ps, self._channel.terminal, level)
