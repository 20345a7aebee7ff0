# SPDX-License-Identifier: Apache-2.0
"""Low-power timers (RM0351, LPTIM section): counting, compare, PWM output, on a clock that runs in Stop.

Not modelled: external clock (the counter then stands still) and trigger, encoder, time-out and set-once mode.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final

from hil.twin.core.counter_line import CounterLine
from hil.twin.core.scheduler import Event, Scheduler
from hil.twin.peripherals.interrupts import InterruptSource
from hil.twin.peripherals.memory_map import BASE
from hil.twin.peripherals.registers import RegisterBlock, field
from hil.twin.peripherals.tick_counter import PS_PER_S, TickCounter

ISR: Final = 0x00
ICR: Final = 0x04
IER: Final = 0x08
CFGR: Final = 0x0C
CR: Final = 0x10
CMP: Final = 0x14
ARR: Final = 0x18
CNT: Final = 0x1C
OR: Final = 0x20

_CMPM, _ARRM, _CMPOK, _ARROK = 1 << 0, 1 << 1, 1 << 3, 1 << 4
_ENABLE, _SNGSTRT, _CNTSTRT = 1 << 0, 1 << 1, 1 << 2
_WAVPOL, _PRELOAD = 1 << 21, 1 << 22
_CKSEL, _COUNTMODE = 1 << 0, 1 << 23
_UNMODELLED_CONFIGURATION: Final = 0x019E_E0DF
_WRITE_CYCLES: Final = 3
"""Kernel clock cycles until a write of ARR or CMP is said to be done: an assumption."""


class Lptim(RegisterBlock):
    """LPTIM1 or LPTIM2. ``on_output`` gets the level of its output, None while it is disabled."""

    resets: ClassVar[Mapping[int, int]] = dict.fromkeys((ISR, ICR, IER, CFGR, CR, CMP, CNT, OR), 0) | {ARR: 1}
    writable: ClassVar[Mapping[int, int]] = {ISR: 0, ICR: 0, IER: 0x7F, CFGR: 0x01FE_EEDF, CNT: 0, OR: 3} | {
        CMP: 0xFFFF,
        ARR: 0xFFFF,
    }
    write_one: ClassVar[frozenset[int]] = frozenset({ICR})
    counters: ClassVar[frozenset[int]] = frozenset({CNT})
    not_modelled: ClassVar[Mapping[int, int]] = {
        CFGR: _UNMODELLED_CONFIGURATION,
        IER: 0x64,  # external trigger, change of direction
        OR: 3,
    }

    def __init__(
        self, name: str, scheduler: Scheduler, interrupt: InterruptSource, kernel_hz: Callable[[], int]
    ) -> None:
        super().__init__(name, BASE[name])
        self._scheduler = scheduler
        self._interrupt = interrupt
        self._kernel_hz = kernel_hz
        self._counter = TickCounter(scheduler)
        self._next: Event | None = None
        self._written: dict[int, Event] = {}
        self._frozen = False
        self._counting = self._single = False
        self._reload, self._compare = 1, 0
        self._seen = 0
        self.on_output: Callable[[bool | None], None] = lambda level: None

    def reset(self) -> None:
        """System reset: off."""
        super().reset()
        self._disable()
        self._update_interrupt()

    def freeze(self, frozen: bool) -> None:
        """Stop counting while a debugger holds the core (DBGMCU)."""
        if frozen != self._frozen:
            self._frozen = frozen
            self.retime()

    def retime(self) -> None:
        """The kernel clock may have changed."""
        if not self._counting and not self._counter.running:
            return
        self._catch_up()
        running = self._counting and not self._frozen
        self._counter.set_rate(self._counted_hz() if running else 0, 1 << field(self.words[CFGR], 9, 3))
        self._schedule()

    def _counted_hz(self) -> int:
        """The clock that is counted; an external one (CKSEL, COUNTMODE) has no edges: not modelled."""
        return 0 if self.words[CFGR] & (_CKSEL | _COUNTMODE) else self._kernel_hz()

    def read_word(self, offset: int) -> int:
        """The register as of now."""
        self._catch_up()
        return self._counter.count % self._period if offset == CNT else super().read_word(offset)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register; the configuration only while disabled, ARR and CMP only while enabled."""
        self._catch_up()
        enabled = self.words[CR] & _ENABLE
        if offset == ICR:
            self.words[ISR] &= ~value
        elif offset == CR:
            self._control(value)
        elif offset in (CFGR, IER):
            if not enabled:
                self.store(offset, value)
        elif offset in (ARR, CMP):
            if enabled:
                self.store(offset, value)
                self._load(offset)
        else:
            self.store(offset, value)
        self._update_interrupt()
        self._schedule()

    def counting(self, offset: int) -> CounterLine | None:
        """CNT counts evenly up to the end of its period."""
        if not self.is_clocked():
            return CounterLine(0, 0)
        begin = self._counter.count - self._counter.count % self._period
        return self._counter.line(0, 1, begin, begin + self._period)

    @property
    def _period(self) -> int:
        return self._reload + 1

    def _control(self, value: int) -> None:
        if not value & _ENABLE:
            self._disable()
            return
        self.words[CR] = _ENABLE
        start = value & (_SNGSTRT | _CNTSTRT)
        if start:
            self._single = bool(start & _SNGSTRT)
            if not self._counting:
                self._counting = True
                self._counter.set_count(0)
                self._seen = 0
            self.retime()
        self._drive()

    def _disable(self) -> None:
        for event in self._written.values():
            event.cancel()
        self._written.clear()
        self._counting = False
        self._counter.set_rate(0)
        self._counter.set_count(0)
        self._seen = 0
        self._reload, self._compare = 1, 0
        self.words.update({CR: 0, ARR: 1, CMP: 0, ISR: 0})
        self._schedule()
        self.on_output(None)

    def _load(self, offset: int) -> None:
        if not (self.words[CFGR] & _PRELOAD and self._counting):
            self._take_over()
        hz = self._counted_hz()
        if offset in self._written:
            self._written.pop(offset).cancel()
        if hz:
            delay_ps = _WRITE_CYCLES * PS_PER_S // hz
            self._written[offset] = self._scheduler.after(delay_ps, lambda: self._write_done(offset))

    def _write_done(self, offset: int) -> None:
        del self._written[offset]
        self.words[ISR] |= _ARROK if offset == ARR else _CMPOK
        self._update_interrupt()

    def _take_over(self) -> None:
        position = self._counter.count % self._period
        self._reload, self._compare = self.words[ARR], self.words[CMP]
        if position > self._reload:  # past the new end: the counter runs to its last value and wraps
            position -= 1 << 16
        if self._counting:
            self._counter.set_count(position)
            self._seen = position
        self._drive()

    def _catch_up(self) -> None:
        """Account for the matches since the last look."""
        count, period = self._counter.count, self._period
        passed = [
            (count - at) // period - (self._seen - at) // period for at in (self._compare, self._reload)
        ]
        self._seen = count
        compared, reloaded = passed
        self.words[ISR] |= (_CMPM if compared else 0) | (_ARRM if reloaded else 0)
        if reloaded and self._single:
            self._counting = False
            self._counter.set_rate(0)
            self._counter.set_count(0)
            self._seen = 0
        if reloaded and self.words[CFGR] & _PRELOAD:
            self._take_over()
        if compared or reloaded:
            self._update_interrupt()
            self._drive()

    def _drive(self) -> None:
        if not self.words[CR] & _ENABLE:
            return
        position = self._counter.count % self._period
        high = self._counting and self._compare <= position < self._reload
        self.on_output(high is not bool(self.words[CFGR] & _WAVPOL))

    def _schedule(self) -> None:
        if self._next is not None:
            self._next.cancel()
            self._next = None
        if not self._counting:
            return
        count, period = self._counter.count, self._period
        due = min(count + 1 + (at - count - 1) % period for at in (self._compare, self._reload))
        time_ps = self._counter.time_of(due)
        if time_ps is not None:
            self._next = self._scheduler.at(time_ps, self._matched)

    def _matched(self) -> None:
        self._next = None
        self._catch_up()
        self._schedule()

    def _update_interrupt(self) -> None:
        self._interrupt.set(bool(self.words[ISR] & self.words[IER]))
