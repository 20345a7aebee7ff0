# SPDX-License-Identifier: Apache-2.0
"""SysTick: the 24-bit down counter of the core (Armv7-M ARM, DDI 0403, B3.3).

It counts HCLK or HCLK/8 (RM0351, clock tree), also while the core sleeps, but neither in deep sleep nor while
the core is halted by a debugger.
"""

from __future__ import annotations

from collections.abc import Callable

from hil.twin.core.counter_line import CounterLine
from hil.twin.core.scheduler import Event, Scheduler

_PS_PER_S = 10**12
_ENABLE, _TICKINT, _CLKSOURCE, _COUNTFLAG = 1, 2, 4, 1 << 16
_RELOAD_MASK = 0xFF_FFFF
_EXTERNAL_DIVIDER = 8
CALIBRATION = 0x4000_0000 | 9999
"""SYST_CALIB: SKEW and a value for 1 ms at 80 MHz / 8.  Assumption: RM0351's figure was not at hand."""


class SysTick:
    """Counts lazily: the value is worked out when asked for, only the passage through zero is an event."""

    def __init__(self, scheduler: Scheduler, pend: Callable[[], None]) -> None:
        self._scheduler = scheduler
        self._pend = pend
        self._event: Event | None = None
        self._hclk_hz = 4_000_000
        self._clock_on = False
        self.reset()

    def reset(self) -> None:
        """State after a system reset: disabled.  (Hardware leaves LOAD and VAL unknown; here they are 0.)"""
        self._control = 0
        self._reload = 0
        self._value = 0
        self._flag = False
        self._cleared_ps = -1
        self._base_ps = self._scheduler.now_ps
        self._counted = 0
        self._plan()

    def set_clock(self, hclk_hz: int, running: bool) -> None:
        """Follow the core's clock from now on."""
        if (hclk_hz, running) != (self._hclk_hz, self._clock_on):
            self._rebase()
            self._hclk_hz, self._clock_on = hclk_hz, running
            self._plan()

    def read_word(self, offset: int) -> int:
        """Return CTRL (0), LOAD (4), VAL (8) or CALIB (12); reading CTRL clears COUNTFLAG."""
        self._settle()
        if offset == 0:
            value = self._control | (_COUNTFLAG if self._flag else 0)
            if self._flag:
                self._cleared_ps = self._scheduler.now_ps
            self._flag = False
            return value
        return {4: self._reload, 8: self._current(), 12: CALIBRATION}.get(offset, 0)

    def write_word(self, offset: int, value: int) -> None:
        """Write CTRL, LOAD or VAL (which any write clears)."""
        self._rebase()
        if offset == 0:
            self._control = value & (_ENABLE | _TICKINT | _CLKSOURCE)
        elif offset == 4:
            self._reload = value & _RELOAD_MASK
        elif offset == 8:
            self._value = 0
            self._flag = False
        self._plan()

    @property
    def _counting(self) -> bool:
        return bool(self._control & _ENABLE) and self._clock_on

    def _ticks(self) -> int:
        """Ticks since the base instant."""
        if not self._counting:
            return 0
        divider = 1 if self._control & _CLKSOURCE else _EXTERNAL_DIVIDER
        return (self._scheduler.now_ps - self._base_ps) * self._hclk_hz // (divider * _PS_PER_S)

    def _current(self) -> int:
        ticks = self._ticks()
        if ticks <= self._value:
            return self._value - ticks
        if self._reload == 0:
            return 0
        return self._reload - (ticks - self._value - 1) % (self._reload + 1)

    def _zeros(self) -> int:
        """How often the counter has reached zero since the base instant."""
        ticks = self._ticks()
        if self._value and ticks < self._value:
            return 0
        first = 1 if self._value else 0
        return first + ((ticks - self._value) // (self._reload + 1) if self._reload else 0)

    def _settle(self) -> None:
        zeros = self._zeros()
        if zeros > self._counted:
            self._counted = zeros
            self._flag = True
            if self._control & _TICKINT:
                self._pend()

    def _rebase(self) -> None:
        """Make the present value and instant the base of what follows."""
        self._settle()
        self._value = self._current()
        self._base_ps = self._scheduler.now_ps
        self._counted = 0

    def flag_changes_at_ps(self) -> int | None:
        """When CTRL, which was just read, reads otherwise: at once after COUNTFLAG, else at the next zero."""
        now_ps = self._scheduler.now_ps
        return now_ps if self._cleared_ps == now_ps else self._zero_ps()

    def counting(self) -> CounterLine | None:
        """How VAL, which was just read, goes on up to its next zero."""
        if not self._counting or (self._value == 0 and self._reload == 0):
            return CounterLine(self._current(), 0)
        ticks, value = self._ticks(), self._current()
        divider = 1 if self._control & _CLKSOURCE else _EXTERNAL_DIVIDER
        until_ps = self._base_ps - (-(ticks + value) * divider * _PS_PER_S // self._hclk_hz)
        if not value:
            return None
        return CounterLine(value + ticks, -1, self._base_ps, self._hclk_hz, divider, until_ps=until_ps)

    def _zero_ps(self) -> int | None:
        """The instant of the first zero that was not seen to yet, None if there is none."""
        if not self._counting or (self._value == 0 and self._reload == 0):
            return None
        if self._counted == 0 and self._value:
            ticks = self._value
        elif self._reload:
            ticks = self._value + (self._counted + (0 if self._value else 1)) * (self._reload + 1)
        else:
            return None
        divider = 1 if self._control & _CLKSOURCE else _EXTERNAL_DIVIDER
        return self._base_ps - (-ticks * divider * _PS_PER_S // self._hclk_hz)

    def _plan(self) -> None:
        if self._event is not None:
            self._event.cancel()
            self._event = None
        due_ps = self._zero_ps() if self._control & _TICKINT else None
        if due_ps is not None:
            self._event = self._scheduler.at(due_ps, self._on_zero)

    def _on_zero(self) -> None:
        self._event = None
        self._settle()
        self._plan()
