# SPDX-License-Identifier: Apache-2.0
"""What clocks samples: the device's own timebase, or edges on one of its terminals."""

from __future__ import annotations

from collections.abc import Callable

from hil.twin.daq.bench import Event
from hil.twin.daq.channels import Edge
from hil.twin.daq.timing import Timing
from hil.twin.daq.x_series import XSeriesDevice


class SampleClock:
    """Calls ``tick`` with the time of each edge from :meth:`begin` on, until :meth:`stop`.

    ``outputs`` are the terminals that its pulses can be watched at.
    """

    def __init__(
        self, daq: XSeriesDevice, timing: Timing, tick: Callable[[int], None], outputs: list[str]
    ) -> None:
        self._daq = daq
        self._timing = timing
        self._tick = tick
        self._outputs = outputs
        self._next_tick = 0
        self._event: Event | None = None
        self._listening = False

    def begin(self, time_ps: int) -> None:
        """Start; the first edge of the timebase is one tick away."""
        if self._timing.source is not None:
            self._listening = True
            self._daq.lines.terminals[self._timing.source].changed.connect(self._edge)
        else:
            self._next_tick = self._daq.timebase.tick_at(time_ps) + 1
            self._plan()

    def stop(self) -> None:
        """No more edges."""
        if self._event is not None:
            self._event.cancel()
            self._event = None
        if self._listening:
            self._listening = False
            assert self._timing.source is not None
            self._daq.lines.terminals[self._timing.source].changed.disconnect(self._edge)

    def _plan(self) -> None:
        time_ps = self._daq.timebase.time_ps(self._next_tick)
        self._event = self._daq.bench.scheduler.at(time_ps, self._own_edge)

    def _own_edge(self) -> None:
        self._next_tick += self._timing.divisor
        self._plan()
        self._fire(self._daq.bench.scheduler.now_ps)

    def _edge(self, time_ps: int, level: bool) -> None:
        if level == (self._timing.edge is Edge.RISING):
            self._fire(time_ps)

    def _fire(self, time_ps: int) -> None:
        for terminal in self._outputs:
            self._daq.lines.pulse(time_ps, terminal)
        self._tick(time_ps)


class ShownClock:
    """The pulses of a clock that needs none itself, at a terminal.

    Each costs an event, so they are made only while somebody listens.
    """

    def __init__(self, daq: XSeriesDevice, terminal: str, divisor: int, total: int | None) -> None:
        """A pulse every ``divisor`` ticks of the timebase, ``total`` of them."""
        self._daq = daq
        self._name = terminal
        self._terminal = daq.lines.terminals[terminal]
        self._divisor = divisor
        self._total = total
        self._start_tick: int | None = None
        self._event: Event | None = None

    def begin(self, start_tick: int) -> None:
        """The first pulse comes at ``start_tick``."""
        self._start_tick = start_tick
        self._terminal.watched.connect(self._plan)
        self._plan()

    def stop(self) -> None:
        """No more pulses."""
        if self._event is not None:
            self._event.cancel()
            self._event = None
        if self._start_tick is not None:
            self._start_tick = None
            self._terminal.watched.disconnect(self._plan)

    def _plan(self) -> None:
        if self._event is not None or self._start_tick is None or not self._terminal.changed:
            return
        timebase, scheduler = self._daq.timebase, self._daq.bench.scheduler
        number = max(0, -((self._start_tick - timebase.tick_at(scheduler.now_ps)) // self._divisor))
        if self._total is None or number < self._total:
            tick = self._start_tick + number * self._divisor
            self._event = scheduler.at(timebase.time_ps(tick), self._pulse)

    def _pulse(self) -> None:
        scheduler = self._daq.bench.scheduler
        self._daq.lines.pulse(scheduler.now_ps, self._name)
        self._event = None
        if self._start_tick is not None and self._terminal.changed:
            done = (self._daq.timebase.tick_at(scheduler.now_ps) - self._start_tick) // self._divisor + 1
            if self._total is None or done < self._total:
                time_ps = self._daq.timebase.time_ps(self._start_tick + done * self._divisor)
                self._event = scheduler.at(time_ps, self._pulse)
