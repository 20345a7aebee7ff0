# SPDX-License-Identifier: Apache-2.0
"""Counter measurements: from edges on terminals to numbers of timebase ticks."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from hil.twin.daq.channels import SECONDS, TICKS, CounterChannel, Measurement
from hil.twin.daq.device import COUNTER_BITS
from hil.twin.daq.digital import Terminal
from hil.twin.daq.timebase import COUNTER_TIMEBASES_HZ, Timebase

Sample = tuple[int, ...]
"""Timebase ticks: one number, or the high and the low time of a pulse."""


def timebase_hz(channel: CounterChannel) -> int:
    """The fastest timebase with which the channel's longest expected measurement does not roll the counter
    over.
    """
    longest_s = channel.maximum
    if channel.units == TICKS:
        return COUNTER_TIMEBASES_HZ[0]
    if channel.measurement is Measurement.FREQUENCY:
        longest_s = 1 / channel.minimum if channel.minimum > 0 else 0.0
    for hz in COUNTER_TIMEBASES_HZ:
        if longest_s * hz < 2**COUNTER_BITS:
            return hz
    return COUNTER_TIMEBASES_HZ[-1]


class CounterInput:
    """One armed counter. ``emit`` gets every finished measurement, at the instant of the edge that ends it.

    A pulse or period under way when the counter is armed is not measured: the measurement waits for the next
    starting edge (X Series User Manual, Pulse-Width Measurement).
    """

    def __init__(
        self,
        channel: CounterChannel,
        terminals: dict[str, Terminal],
        timebase: Timebase,
        emit: Callable[[Sample], None],
    ) -> None:
        self.channel = channel
        self.hz = timebase_hz(channel)
        self.count = channel.initial_count
        self._timebase = timebase
        self._emit = emit
        self._ticks: list[int] = []
        self._listeners = [(terminals[channel.terminal], self._on_edge)]
        if channel.measurement is Measurement.TWO_EDGE_SEPARATION:
            self._listeners = [
                (terminals[channel.first_terminal], self._on_first_edge),
                (terminals[channel.terminal], self._on_second_edge),
            ]
        for terminal, listener in self._listeners:
            terminal.changed.connect(listener)

    def note_rollover(self, time_ps: int) -> None:
        """Let the channel know of a terminal count that was reached in an interval not yet at its end."""
        if self._ticks and self._timebase.tick_at(time_ps, self.hz) - self._ticks[-1] >= 2**COUNTER_BITS:
            self.channel.rolled_over = True

    def disarm(self) -> None:
        """Stop listening."""
        for terminal, listener in self._listeners:
            terminal.changed.disconnect(listener)
        self._listeners = []

    def _on_edge(self, time_ps: int, level: bool) -> None:
        tick = self._timebase.tick_at(time_ps, self.hz)
        starts = level == self.channel.edge.level
        match self.channel.measurement:
            case Measurement.COUNT_EDGES:
                if starts:
                    step = -1 if self.channel.count_down else 1
                    self._roll(self.count + step)
            case Measurement.PULSE_WIDTH:
                if starts:
                    self._ticks = [tick]
                elif self._ticks:
                    self._finish(tick)
                    self._ticks = []
            case Measurement.PERIOD | Measurement.FREQUENCY:
                if starts:
                    self._finish(tick)
                    self._ticks = [tick]
            case Measurement.SEMI_PERIOD:
                if starts or self._ticks:
                    self._finish(tick)
                    self._ticks = [tick]
            case Measurement.PULSE_TIME:
                if starts and self._ticks:
                    self._finish(tick)
                    self._ticks = [tick]
                elif starts or self._ticks:
                    self._ticks.append(tick)

    def _on_first_edge(self, time_ps: int, level: bool) -> None:
        if level == self.channel.first_edge.level and not self._ticks:
            self._ticks = [self._timebase.tick_at(time_ps, self.hz)]

    def _on_second_edge(self, time_ps: int, level: bool) -> None:
        if level == self.channel.edge.level and self._ticks:
            self._finish(self._timebase.tick_at(time_ps, self.hz))
            self._ticks = []

    def _finish(self, tick: int) -> None:
        """Emit the times between the ticks seen so far and this one."""
        if not self._ticks:
            return
        ticks = [*self._ticks, tick]
        intervals = [later - earlier for earlier, later in itertools.pairwise(ticks)]
        if any(interval >= 2**COUNTER_BITS for interval in intervals):
            self.channel.rolled_over = True
        self._emit(tuple(interval % 2**COUNTER_BITS for interval in intervals))

    def _roll(self, count: int) -> None:
        if not 0 <= count < 2**COUNTER_BITS:
            self.channel.rolled_over = True
        self.count = count % 2**COUNTER_BITS


def scale(channel: CounterChannel, ticks: int, hz: int) -> float:
    """A measurement in the channel's units."""
    if channel.measurement is Measurement.COUNT_EDGES or channel.units == TICKS:
        return float(ticks)
    if channel.units == SECONDS:
        return ticks / hz
    return hz / ticks if ticks else 0.0
