# SPDX-License-Identifier: Apache-2.0
"""Low-power timers (RM0351, LPTIM section): counting, compare, PWM output, on a clock that runs in Stop.

Not modelled: triggers by the RTC and the comparators, and inputs from the comparators.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final

from hil.parts import Block
from hil.twin.core.counter_line import CounterLine
from hil.twin.core.scheduler import Event, Scheduler
from hil.twin.ip.interrupts import InterruptSource
from hil.twin.ip.lptim_v1.inputs import (
    CFGR,
    CKSEL,
    ENC,
    TIMOUT,
    TRIGEN_AT,
    TRIGSEL_AT,
    WAVE,
    LptimInputs,
)
from hil.twin.ip.register_block import RegisterBlock, field
from hil.twin.ip.tick_counter import PS_PER_S, TickCounter

ISR: Final = 0x00
ICR: Final = 0x04
IER: Final = 0x08
CR: Final = 0x10
CMP: Final = 0x14
ARR: Final = 0x18
CNT: Final = 0x1C
OR: Final = 0x20

_CMPM, _ARRM, _EXTTRIG, _CMPOK, _ARROK, _UP, _DOWN = (1 << bit for bit in range(7))
_ENABLE, _SNGSTRT, _CNTSTRT = 1 << 0, 1 << 1, 1 << 2
_WAVPOL, _PRELOAD = 1 << 21, 1 << 22
_LOST_EDGES: Final = 5
"""The first edges of an external clock after the timer was enabled, which only start its logic (RM0351)."""
_TRIGGER_PERIODS: Final = 2
"""Counter clocks from a trigger to the start (RM0351, LPTIM trigger multiplexer)."""
_WRITE_CYCLES: Final = 3
"""Kernel clock cycles until a write of ARR or CMP is said to be done: an assumption."""


class Lptim(RegisterBlock):
    """LPTIM1 or LPTIM2. ``drive_output`` gets the level of its output, None while it is disabled.

    ``runs`` says whether the timer works in the part's present mode; ``levels`` reads its pins.
    """

    resets: ClassVar[Mapping[int, int]] = dict.fromkeys((ISR, ICR, IER, CFGR, CR, CMP, CNT, OR), 0) | {ARR: 1}
    writable: ClassVar[Mapping[int, int]] = {ISR: 0, ICR: 0, IER: 0x7F, CFGR: 0x01FE_EEDF, CNT: 0, OR: 3} | {
        CMP: 0xFFFF,
        ARR: 0xFFFF,
    }
    write_one: ClassVar[frozenset[int]] = frozenset({ICR})
    counters: ClassVar[frozenset[int]] = frozenset({CNT})
    not_modelled: ClassVar[Mapping[int, int]] = {OR: 3}

    def __init__(
        self,
        block: Block,
        scheduler: Scheduler,
        interrupt: InterruptSource,
        kernel_hz: Callable[[], int],
        runs: Callable[[], bool],
        levels: Mapping[str, Callable[[], bool | None]],
        drive_output: Callable[[bool | None], None],
        *,
        encoder: bool = True,
    ) -> None:
        """Only LPTIM1 has the ``encoder`` interface (RM0351, LPTIM features)."""
        super().__init__(block)
        self._scheduler = scheduler
        self._interrupt = interrupt
        self._kernel_hz = kernel_hz
        self._has_encoder = encoder
        self._counter = TickCounter(scheduler)
        self._next: Event | None = None
        self._written: dict[int, Event | None] = {}
        """Registers that are being written; without an event it takes edges of the external clock."""
        self._frozen = False
        self._counting = self._single = self._armed = self._set = False
        self._direction = 1
        self._edges = 0
        """Of the external clock since the timer was enabled."""
        self._delayed_start: Event | None = None
        self._reload, self._compare = 1, 0
        self._seen = 0
        self.inputs = LptimInputs(scheduler, lambda: self.words, kernel_hz, runs, levels, self)
        self._drive_output = drive_output

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
        """The clock that is counted; edges at the inputs come one by one."""
        return 0 if self.inputs.clocked_outside else self._kernel_hz()

    def clock_edge(self) -> None:
        """An active edge of the external clock, or an event that is counted."""
        if not self.words[CR] & _ENABLE:
            return
        self._edges += 1
        if self.words[CFGR] & CKSEL:
            if self._edges % _WRITE_CYCLES == 0:
                written, self._written = self._written, {}
                for offset in written:
                    self._flag_written(offset)
            if self._edges <= _LOST_EDGES:
                return
        if self._counting and not self._frozen and self._edges % (1 << field(self.words[CFGR], 9, 3)) == 0:
            self._step(1)

    def quadrature(self, direction: int) -> None:
        """An edge of an encoder, up (1) or down (-1)."""
        if not self._counting or self._frozen:
            return
        if direction != self._direction:
            self._direction = direction
            self.words[ISR] |= _UP if direction > 0 else _DOWN
        self._step(direction)

    def _step(self, direction: int) -> None:
        self._catch_up()
        self._counter.set_count(self._counter.count + direction)
        self._catch_up()
        self._update_interrupt()
        self._drive()

    def trigger(self) -> None:
        """An active edge of the trigger."""
        self._catch_up()
        if self._counting and self.words[CFGR] & TIMOUT:
            self._begin()
        elif self._armed and not self._counting and self._delayed_start is None:
            self._armed = not (self._single and self.words[CFGR] & WAVE)
            hz = self._counted_hz()
            if hz:
                delay_ps = (_TRIGGER_PERIODS << field(self.words[CFGR], 9, 3)) * PS_PER_S // hz
                self._delayed_start = self._scheduler.after(delay_ps, self._begin)
            else:
                self._begin()
        else:
            return
        self.words[ISR] |= _EXTTRIG
        self._update_interrupt()

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
                if offset == CFGR:
                    self._configured()
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

    def _configured(self) -> None:
        """Tell what of CFGR has no effect: triggers other than the pin, an encoder that is not there."""
        config = self.words[CFGR]
        nothing = 0 if self._has_encoder else config & ENC
        if config & 3 << TRIGEN_AT:
            nothing |= config & 7 << TRIGSEL_AT
        if not self._has_encoder:
            self.words[CFGR] &= ~ENC
        if nothing and self.unknowns is not None:
            self.unknowns.without_effect(self, CFGR, nothing)

    @property
    def _period(self) -> int:
        return self._reload + 1

    def _control(self, value: int) -> None:
        if not value & _ENABLE:
            self._disable()
            return
        if not self.words[CR] & _ENABLE:
            self.inputs.look_at_pins()
            self._edges = 0
        self.words[CR] = _ENABLE
        start = value & (_SNGSTRT | _CNTSTRT)
        if start:
            self._single = bool(start & _SNGSTRT)
            if self.inputs.waits_for_trigger:
                self._armed = True
            elif not self._counting:
                self._begin()
            self.retime()
        self._drive()

    def _begin(self) -> None:
        """Count from zero."""
        self._delayed_start = None
        self._counting = True
        self._direction = 1
        self._counter.set_count(0)
        self._seen = 0
        self.retime()
        self._schedule()
        self._drive()

    def _disable(self) -> None:
        for event in (*self._written.values(), self._delayed_start):
            if event is not None:
                event.cancel()
        self._written.clear()
        self._delayed_start = None
        self._counting = self._armed = self._set = False
        self._counter.set_rate(0)
        self._counter.set_count(0)
        self._seen = 0
        self._reload, self._compare = 1, 0
        self.words.update({CR: 0, ARR: 1, CMP: 0, ISR: 0})
        self._schedule()
        self._drive_output(None)

    def _load(self, offset: int) -> None:
        if not (self.words[CFGR] & _PRELOAD and self._counting):
            self._take_over()
        hz = 0 if self.words[CFGR] & CKSEL else self._kernel_hz()
        pending = self._written.pop(offset, None)
        if pending is not None:
            pending.cancel()
        if self.words[CFGR] & CKSEL:
            self._written[offset] = None
        elif hz:
            delay_ps = _WRITE_CYCLES * PS_PER_S // hz
            self._written[offset] = self._scheduler.after(delay_ps, lambda: self._write_done(offset))

    def _write_done(self, offset: int) -> None:
        del self._written[offset]
        self._flag_written(offset)

    def _flag_written(self, offset: int) -> None:
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
        count = self._counter.count
        compared, reloaded = (self._reached(at, count) for at in (self._compare, self._reload))
        self._seen = count
        self.words[ISR] |= (_CMPM if compared else 0) | (_ARRM if reloaded else 0)
        if compared and self._single and self.words[CFGR] & WAVE:
            self._set = True
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

    def _reached(self, at: int, count: int) -> bool:
        """Whether the counter came to a value since the last look, in either direction."""
        period = self._period
        if count >= self._seen:
            return (count - at) // period != (self._seen - at) // period
        return (at - count) // period != (at - self._seen) // period

    def _drive(self) -> None:
        if not self.words[CR] & _ENABLE:
            return
        position = self._counter.count % self._period
        high = self._set or (self._counting and self._compare <= position < self._reload)
        self._drive_output(high is not bool(self.words[CFGR] & _WAVPOL))

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
