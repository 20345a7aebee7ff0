# SPDX-License-Identifier: Apache-2.0
"""The output watchdog: without SCPI traffic on any interface for too long, the outputs are disabled."""

from __future__ import annotations

from collections.abc import Callable

from hil.twin.analyzer.bench import Bench, Event
from hil.twin.analyzer.commands import Call, CommandTable

DELAY_S = 60
DELAY_MIN_S, DELAY_MAX_S = 1, 3600
"""Reset value and limits of the delay, in whole seconds (N6700C Operating and Service Guide, Watchdog Timer
Protection; ASSUMPTION: the N6705C has the commands of its siblings)."""


class OutputWatchdog:
    """Calls ``expired`` once when nothing has been said for the delay. Off after a reset."""

    def __init__(self, bench: Bench, expired: Callable[[], None]) -> None:
        self._bench = bench
        self._expired = expired
        self._heard_ps = 0
        self._event: Event | None = None
        self.reset()

    def reset(self) -> None:
        """What ``*RST`` does to it."""
        self._on = False
        self._delay_s = DELAY_S
        self._plan()

    def heard(self) -> None:
        """A message came in over a remote interface."""
        self._heard_ps = self._bench.scheduler.now_ps
        if self._on and self._event is None:
            self._plan()

    def register(self, commands: CommandTable) -> None:
        """Register its commands; they take no channel list."""
        commands.both("OUTPut:PROTection:WDOG[:STATe]", self._state)
        commands.both("OUTPut:PROTection:WDOG:DELay", self._delay)

    def _state(self, call: Call) -> str | None:
        if call.query:
            return "1" if self._on else "0"
        self._on = call.boolean()
        self._plan()
        return None

    def _delay(self, call: Call) -> str | None:
        if call.query:
            return str(self._delay_s if not call.has_value() else self._value(call))
        self._delay_s = self._value(call)
        self._plan()
        return None

    @staticmethod
    def _value(call: Call) -> int:
        return round(call.number("S", DELAY_MIN_S, DELAY_MAX_S, DELAY_S))

    def _plan(self) -> None:
        if self._event is not None:
            self._event.cancel()
            self._event = None
        if self._on:
            left_ps = self._heard_ps + self._delay_s * 10**12 - self._bench.scheduler.now_ps
            self._event = self._bench.scheduler.after(max(left_ps, 0), self._look)

    def _look(self) -> None:
        """The time is up, unless something has been heard since it was planned."""
        self._event = None
        if self._bench.scheduler.now_ps >= self._heard_ps + self._delay_s * 10**12:
            self._expired()
        else:
            self._plan()
