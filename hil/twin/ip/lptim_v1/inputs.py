# SPDX-License-Identifier: Apache-2.0
"""A low-power timer's inputs: its external clock, a quadrature encoder, and its trigger (RM0351, LPTIM).

A filter passes a level on when it has been stable for 2, 4 or 8 periods of the internal clock.
"""

from collections.abc import Callable, Mapping, MutableMapping
from typing import Final, Protocol

from hil.twin.core.scheduler import Event, Scheduler
from hil.twin.ip.register_block import field
from hil.twin.ip.tick_counter import PS_PER_S

CFGR: Final = 0x0C
CKPOL_AT, CKFLT_AT, TRGFLT_AT, TRIGSEL_AT, TRIGEN_AT = 1, 3, 6, 13, 17
CKSEL, TIMOUT, WAVE = 1 << 0, 1 << 19, 1 << 20
COUNTMODE, ENC = 1 << 23, 1 << 24
_PERIODS: Final = (0, 2, 4, 8)
"""By CKFLT and TRGFLT."""
_RISING, _FALLING, _BOTH = 1, 2, 3
_BY_CKPOL: Final = (_RISING, _FALLING, _BOTH, 0)
_PIN_TRIGGER: Final = 0
"""TRIGSEL: the ETR pin; the others are the RTC's alarms and tampers, and the comparators."""


class Counter(Protocol):
    """The timer that the inputs belong to."""

    def clock_edge(self) -> None:
        """An active edge of the external clock, or an event that is counted."""

    def quadrature(self, direction: int) -> None:
        """An edge of an encoder, up (1) or down (-1)."""

    def trigger(self) -> None:
        """An active edge of the trigger."""


class _Filter:
    """Passes a level on when it has lasted."""

    def __init__(self, scheduler: Scheduler, on_change: Callable[[bool], None]) -> None:
        self._scheduler = scheduler
        self._on_change = on_change
        self._pending: Event | None = None
        self.level = False

    def set_level(self, level: bool) -> None:
        """The level now, without an edge."""
        self._forget()
        self.level = level

    def put(self, level: bool, periods: int, hz: int) -> None:
        """A new level at the input."""
        self._forget()
        if level is self.level:
            return
        if not periods:
            self._pass(level)
        elif hz:
            self._pending = self._scheduler.after(periods * PS_PER_S // hz, lambda: self._pass(level))

    def _forget(self) -> None:
        if self._pending is not None:
            self._pending.cancel()
            self._pending = None

    def _pass(self, level: bool) -> None:
        self._pending = None
        self.level = level
        self._on_change(level)


class LptimInputs:
    """``runs`` says whether the timer works in the part's present mode; ``levels`` reads its pins."""

    def __init__(
        self,
        scheduler: Scheduler,
        words: Callable[[], MutableMapping[int, int]],
        kernel_hz: Callable[[], int],
        runs: Callable[[], bool],
        levels: Mapping[str, Callable[[], bool | None]],
        counter: Counter,
    ) -> None:
        self._words = words
        self._kernel_hz = kernel_hz
        self._counter = counter
        self._filters = {
            "IN1": _Filter(scheduler, lambda level: self._clock_changed(0, level)),
            "IN2": _Filter(scheduler, lambda level: self._clock_changed(1, level)),
            "ETR": _Filter(scheduler, self._trigger_changed),
        }
        self._runs = runs
        self._levels = levels

    @property
    def clocked_outside(self) -> bool:
        """Whether the counter counts edges instead of its internal clock."""
        return bool(self._words()[CFGR] & (CKSEL | COUNTMODE | ENC))

    @property
    def waits_for_trigger(self) -> bool:
        """Whether a start by software only arms the timer."""
        return bool(field(self._words()[CFGR], TRIGEN_AT, 2))

    def look_at_pins(self) -> None:
        """The timer was enabled: what the pins have now is no edge."""
        for name, read in self._levels.items():
            self._filters[name].set_level(bool(read()))

    def changed(self, name: str, level: bool) -> None:
        """A pin has a new level."""
        if not self._runs():
            return
        position = TRGFLT_AT if name == "ETR" else CKFLT_AT
        self._filters[name].put(level, _PERIODS[field(self._words()[CFGR], position, 2)], self._kernel_hz())

    def _clock_changed(self, index: int, level: bool) -> None:
        config = self._words()[CFGR]
        if not config & CKSEL and not self._kernel_hz():
            return  # the internal clock samples the input
        if not _BY_CKPOL[field(config, CKPOL_AT, 2)] & (_RISING if level else _FALLING):
            return
        if config & ENC:
            other = self._filters["IN1" if index else "IN2"].level
            up = level is not other if index == 0 else level is other
            self._counter.quadrature(1 if up else -1)
        elif index == 0 and config & (CKSEL | COUNTMODE):
            self._counter.clock_edge()

    def _trigger_changed(self, level: bool) -> None:
        config = self._words()[CFGR]
        selected = field(config, TRIGSEL_AT, 3) == _PIN_TRIGGER
        if selected and field(config, TRIGEN_AT, 2) & (_RISING if level else _FALLING):
            self._counter.trigger()
