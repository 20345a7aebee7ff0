# SPDX-License-Identifier: Apache-2.0
"""Real-time clock (RM0351, RTC section): calendar, alarms, wake-up timer, calibration, time stamps, tamper
detection, backup registers, protection.

Stored without effect: the outputs and the reference clock.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar, Final

from hil.parts import Block
from hil.twin.core.counter_line import CounterLine
from hil.twin.core.scheduler import Event, Scheduler
from hil.twin.ip.register_block import RegisterBlock, field
from hil.twin.ip.rtc_v2.clock import DATE_RESET, CalendarClock
from hil.twin.ip.rtc_v2.tamper import TAMPER_PINS, TamperDetection
from hil.twin.ip.tick_counter import PS_PER_S, TickCounter
from hil.twin.signal import Signal

TR: Final = 0x00
DR: Final = 0x04
CR: Final = 0x08
ISR: Final = 0x0C
PRER: Final = 0x10
WUTR: Final = 0x14
WPR: Final = 0x24
SSR: Final = 0x28
ALRMAR: Final = 0x1C
ALRMBR: Final = 0x20
SHIFTR: Final = 0x2C
CALR: Final = 0x3C
TAMPCR: Final = 0x40
ALRMASSR: Final = 0x44
ALRMBSSR: Final = 0x48
OR: Final = 0x4C
BKP0R: Final = 0x50

_KEYS: Final = (0xCA, 0x53)
_WUTE, _WUTIE, _BYPSHAD, _FMT = 1 << 10, 1 << 14, 1 << 5, 1 << 6
_TSEDGE, _REFCKON, _TSE, _TSIE, _ITSE = 1 << 3, 1 << 4, 1 << 11, 1 << 15, 1 << 24
_TAMPPRCH: Final = 3 << 13
"""How long a tamper pin is pulled up before it is sampled: any time is long enough here."""
_BKP: Final = 1 << 18
"""For the program's memory of daylight saving."""
_ADD1H, _SUB1H, _OUTPUTS = 1 << 16, 1 << 17, 0xF8_0000
_ADD1S: Final = 1 << 31
_ALARMS: Final = ((ALRMAR, ALRMASSR), (ALRMBR, ALRMBSSR))
_ALRAE, _ALRAIE, _ALRAF, _ALRAWF = 1 << 8, 1 << 12, 1 << 8, 1 << 0
"""Bits of alarm A; alarm B's are the next ones."""
_WUTWF, _INITS, _RSF, _INITF, _INIT, _WUTF = 1 << 2, 1 << 4, 1 << 5, 1 << 6, 1 << 7, 1 << 10
_TSF, _TSOVF, _TAMP1F, _RECALPF, _ITSF = 1 << 11, 1 << 12, 1 << 13, 1 << 16, 1 << 17
_TSTR, _TSDR, _TSSSR = 0x30, 0x34, 0x38
_FLAGS_CLEARED_BY_ZERO: Final = 0x2_FF00
_APRE_CYCLES_TO_CALIBRATE: Final = 3
_UNPROTECTED: Final = frozenset({WPR, TAMPCR, *range(BKP0R, BKP0R + 32 * 4, 4)})
_OTHERS: Final = (ALRMAR, ALRMBR, SHIFTR, 0x30, 0x34, 0x38, CALR, TAMPCR, ALRMASSR, ALRMBSSR, OR)


class Rtc(RegisterBlock):
    """The RTC and its backup registers: they live in the backup domain, so a system reset leaves them alone.

    ``wakeup_line_changed`` tells the level of the wake-up timer's output (EXTI line 20),
    ``alarm_line_changed`` that of the alarms (EXTI line 18), ``stamp_line_changed`` that of time stamp and
    tamper (EXTI line 19). All also feed PWR's internal wake-up line.
    """

    resets: ClassVar[Mapping[int, int]] = (
        {TR: 0, DR: DATE_RESET, CR: 0, ISR: 0x7, PRER: 0x007F_00FF, WUTR: 0xFFFF, WPR: 0, SSR: 0}
        | dict.fromkeys(_OTHERS, 0)
        | {BKP0R + 4 * index: 0 for index in range(32)}
    )
    writable: ClassVar[Mapping[int, int]] = {
        CR: 0x01FC_FF7F,
        PRER: 0x7F_7FFF,
        WUTR: 0xFFFF,
        WPR: 0,
        **dict.fromkeys((_TSTR, _TSDR, _TSSSR), 0),
        CALR: 0xE1FF,
        SHIFTR: 0,
        **dict.fromkeys((ALRMASSR, ALRMBSSR), 0x0F00_7FFF),
    }
    polled: ClassVar[frozenset[int]] = frozenset({TR, DR, CR})
    counters: ClassVar[frozenset[int]] = frozenset({SSR})
    not_modelled: ClassVar[Mapping[int, int]] = {CR: _REFCKON | _OUTPUTS, OR: 3}
    stored_only: ClassVar[Mapping[int, int]] = {CR: _BKP, TAMPCR: _TAMPPRCH} | {
        BKP0R + 4 * index: 0xFFFF_FFFF for index in range(32)
    }

    def __init__(
        self,
        block: Block,
        scheduler: Scheduler,
        clock_hz: Callable[[], int],
        backup_access: Callable[[], bool],
        tamper_level: Callable[[int], bool | None],
    ) -> None:
        super().__init__(block)
        self._scheduler = scheduler
        self._clock_hz = clock_hz
        self._counter = TickCounter(scheduler)
        self._clock = CalendarClock(scheduler, lambda: self.words, PRER, lambda: self._twelve_hours)
        self.tamper = TamperDetection(scheduler, lambda: self.words, TAMPCR, tamper_level, self)
        self._expiry: Event | None = None
        self._next_alarm: list[Event | None] = [None, None]
        self._alarm_writable_from_ps = [0, 0]
        self._locked_ticks: int | None = None
        self._read_ticks: int | None = None
        """`_locked_ticks` as the last read of the calendar found it."""
        self._frozen = False
        self._backup_access = backup_access
        self.wakeup_line_changed: Signal[[bool]] = Signal(required=True)
        self.alarm_line_changed: Signal[[bool]] = Signal(required=True)
        self.stamp_line_changed: Signal[[bool]] = Signal(required=True)
        self._rate_hz = 0
        self._initial_time, self._initial_date = 0, DATE_RESET
        self._backup_reset_state()

    def reset(self) -> None:
        """System reset: only the write protection and the shadow registers' synchronisation."""
        self._keys_seen = 0
        self._locked_ticks = None
        self._desynchronise()

    def reset_backup_domain(self) -> None:
        """Backup domain reset: everything."""
        super().reset()
        self._backup_reset_state()
        self._plan_expiry()
        self._plan_alarms()
        self.wakeup_line_changed(False)
        self.alarm_line_changed(False)
        self.stamp_line_changed(False)
        self.tamper.configured()

    def freeze(self, frozen: bool) -> None:
        """Stop counting while a debugger holds the core (DBGMCU)."""
        if frozen != self._frozen:
            self._frozen = frozen
            self.retime()

    def retime(self) -> None:
        """RTCCLK may have changed."""
        rate_hz = 0 if self._frozen else self._clock_hz()
        if rate_hz != self._rate_hz:
            self._rate_hz = rate_hz
            self._set_rates()
            self.tamper.configured()

    def _set_rates(self) -> None:
        self._counter.set_rate(self._rate_hz)
        self._clock.set_rate(self._rate_hz, self.words[CALR])
        self._plan_expiry()
        self._plan_alarms()

    @property
    def clock_hz(self) -> int:
        """RTCCLK; zero if it stands still."""
        return self._rate_hz

    @property
    def wakes(self) -> bool:
        """Whether any of the lines is high: PWR's internal wake-up line."""
        return self.wakeup_line or self.alarm_line or self.stamp_line

    @property
    def wakeup_line(self) -> bool:
        """The level of the wake-up output: WUTF while WUTIE is set."""
        return bool(self.words[ISR] & _WUTF and self.words[CR] & _WUTIE)

    @property
    def alarm_line(self) -> bool:
        """The level of the alarms' output: ALRAF while ALRAIE is set, or the same of alarm B."""
        return bool(self.words[ISR] >> 8 & self.words[CR] >> 12 & 3)

    @property
    def stamp_line(self) -> bool:
        """The level of time stamp and tamper: a flag is set whose interrupt is enabled."""
        flags = self.words[ISR]
        tampered = any(
            flags & _TAMP1F << index and self.tamper.interrupts(index) for index in range(len(TAMPER_PINS))
        )
        return tampered or bool(flags & _TSF and self.words[CR] & _TSIE)

    @property
    def wakeup_period_ticks(self) -> int:
        """The wake-up timer's period in RTCCLK cycles."""
        selection = field(self.words[CR], 0, 3)
        reload = self.words[WUTR] + 1
        if selection < 4:
            return reload << (4 - selection)
        return (reload + (1 << 16 if selection >= 6 else 0)) * self._clock.second_ticks

    def read_word(self, offset: int) -> int:
        """The calendar and the flags as of now."""
        if offset in (TR, DR, SSR):
            return self._calendar(offset)
        if offset == ISR:
            return self._status()
        return super().read_word(offset)

    def changes_at_ps(self, offset: int) -> int | None:
        """Time and date change at the next second at the earliest, unless they are held."""
        return None if offset == CR else self._clock.time_of(self._clock.next_second)

    def counting(self, offset: int) -> CounterLine | None:
        """SSR counts down evenly within a second; while it is held it may move with every step of it."""
        clock, held = self._clock, self._read_ticks
        if held is None:
            return clock.subsecond_line()
        if clock.subsecond_register(held) != clock.subsecond_register(clock.ticks):
            return None
        return CounterLine(clock.subsecond_register(held), 0, until_ps=clock.time_of(clock.next_step))

    def _calendar(self, offset: int) -> int:
        """The shadow registers: reading the time holds them until the date is read, unless BYPSHAD is set."""
        if self._initialising and offset != SSR:
            return self._initial_time if offset == TR else self._initial_date
        self._read_ticks = self._locked_ticks
        ticks = self._clock.ticks if self._locked_ticks is None else self._locked_ticks
        if not self.words[CR] & _BYPSHAD:
            self._locked_ticks = None if offset == DR else ticks
        if offset == TR:
            return self._clock.time_register(ticks)
        return self._clock.date_register(ticks) if offset == DR else self._clock.subsecond_register(ticks)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register as far as the protections allow."""
        if not self._backup_access():
            return
        if offset == WPR:
            # Keys to registers that are open already leave them open: each call of a driver may give them.
            seen = self._keys_seen % len(_KEYS)
            self._keys_seen = seen + 1 if value & 0xFF == _KEYS[seen] else 0
        elif offset == ISR:
            self._write_status(value)
        elif offset in _UNPROTECTED or self._keys_seen == len(_KEYS):
            self._write_protected(offset, value)

    def _write_protected(self, offset: int, value: int) -> None:
        if offset == CR:
            self._write_control(value)
        elif offset == WUTR:
            if self._wutr_writable:
                self.store(WUTR, value)
        elif offset in (TR, DR, PRER):
            if self._status() & _INITF:
                self._initial_time = value if offset == TR else self._initial_time
                self._initial_date = value if offset == DR else self._initial_date
                if offset == PRER:
                    self.store(PRER, value)
        elif offset == SHIFTR:
            self._shift(value)
        elif offset == CALR:
            self._calibrate(value)
        elif offset == TAMPCR:
            self.store(TAMPCR, value)
            self.tamper.configured()
            self._update_lines()
        else:
            alarm = next((n for n, registers in enumerate(_ALARMS) if offset in registers), None)
            if alarm is None or self._alarm_writable(alarm) or self._initialising:
                self.store(offset, value)

    def _calibrate(self, value: int) -> None:
        """RTC_CALR: not while an earlier value waits to take effect (RECALPF)."""
        if not self._status() & _RECALPF:
            self.store(CALR, value)
            hz = self._rate_hz
            delay_ps = _APRE_CYCLES_TO_CALIBRATE * self._clock.prescaler_ticks * PS_PER_S // hz if hz else 0
            self._recalibrated_ps = self._scheduler.now_ps + delay_ps
            self._scheduler.at(self._recalibrated_ps, self._set_rates)

    def stamp_pin_changed(self, level: bool) -> None:
        """An edge at RTC_TS: rising, or falling with TSEDGE."""
        if self.words[CR] & _TSE and level is not bool(self.words[CR] & _TSEDGE):
            self._stamp()

    def switched_to_battery(self) -> None:
        """VDD was lost: an internal event for the time stamp (ITSE)."""
        if self.words[CR] & _ITSE:
            self._stamp(_ITSF)

    def erase_backup_registers(self) -> None:
        """A tamper event, or the end of read protection."""
        for register in range(BKP0R, BKP0R + 32 * 4, 4):
            self.words[register] = 0

    def tampered(self, index: int, *, erase: bool, stamp: bool) -> None:
        """A tamper pin detected something."""
        if erase:
            self.erase_backup_registers()
        if not self.tamper.masked(index):
            self.words[ISR] |= _TAMP1F << index
        if stamp:
            self._stamp()
        self._update_lines()

    def _stamp(self, flag: int = 0) -> None:
        """Keep the time; one that was not cleared before is kept instead."""
        if self.words[ISR] & _TSF:
            self.words[ISR] |= _TSOVF
        else:
            ticks = self._clock.ticks
            self.words[_TSTR] = self._clock.time_register(ticks)
            self.words[_TSDR] = self._clock.date_register(ticks) & 0xFFFF
            self.words[_TSSSR] = self._clock.subsecond_register(ticks)
            self.words[ISR] |= _TSF | flag
        self._update_lines()

    def _shift(self, value: int) -> None:
        """Delay the calendar by SUBFS sub-seconds, and advance it by a second with ADD1S."""
        self._clock.delay(field(value, 0, 15))
        self._clock.origin_s += bool(value & _ADD1S)
        self._desynchronise()
        self._plan_alarms()

    def _write_control(self, value: int) -> None:
        before = self.words[CR]
        if not self._wutr_writable:  # WUCKSEL is writable under the same condition as RTC_WUTR
            value = (value & ~7) | (before & 7)
        self.store(CR, value)
        if (before ^ value) & _WUTE:
            if value & _WUTE:
                self._wakeup_epoch = self._wakeup_counter.count  # assumption wakeup_timer_start
            else:
                self._wutwf_from_ps = self._after_synchronisation()
            self._plan_expiry()
        self._clock.origin_s += 3600 * (bool(value & _ADD1H) - bool(value & _SUB1H))
        if value & (_BYPSHAD | _ADD1H | _SUB1H):
            self._locked_ticks = None
        for alarm in range(len(_ALARMS)):
            if before & ~value & _ALRAE << alarm:
                self._alarm_writable_from_ps[alarm] = self._after_synchronisation()
        if (before ^ value) & (_ALRAE | _ALRAE << 1 | _FMT) or value & (_ADD1H | _SUB1H):
            self._plan_alarms()
        self._update_lines()

    def _write_status(self, value: int) -> None:
        self.words[ISR] &= value | ~_FLAGS_CLEARED_BY_ZERO
        if self._keys_seen == len(_KEYS):
            if not value & _RSF:
                self._desynchronise()
            if bool(value & _INIT) != self._initialising:
                self._set_initialising(bool(value & _INIT))
        self._update_lines()

    def _set_initialising(self, initialising: bool) -> None:
        if initialising:
            self._initial_time = self._clock.time_register(self._clock.ticks)
            self._initial_date = self._clock.date_register(self._clock.ticks)
            self._initf_from_ps = self._after_synchronisation()
        else:
            self._clock.set(self._initial_time, self._initial_date)
            self._desynchronise()
        self._initialising = initialising
        self._plan_alarms()

    def _status(self) -> int:
        now_ps = self._scheduler.now_ps
        status = self.words[ISR] & _FLAGS_CLEARED_BY_ZERO
        for alarm in range(len(_ALARMS)):
            status |= self._alarm_writable(alarm) << alarm
        if self._wutr_writable:
            status |= _WUTWF
        if self._initialising:
            status |= _INIT | (_INITF if self._rate_hz and now_ps >= self._initf_from_ps else 0)
        elif self._rate_hz and now_ps >= self._rsf_from_ps and not self.words[CR] & _BYPSHAD:
            status |= _RSF
        if now_ps < self._recalibrated_ps:
            status |= _RECALPF
        if self._clock.date_register(self._clock.ticks) >> 16:
            status |= _INITS  # the hardware looks at the year alone
        return status

    @property
    def _wutr_writable(self) -> bool:
        return not self.words[CR] & _WUTE and self._scheduler.now_ps >= self._wutwf_from_ps

    def _alarm_writable(self, alarm: int) -> bool:
        enabled = self.words[CR] & _ALRAE << alarm
        return not enabled and self._scheduler.now_ps >= self._alarm_writable_from_ps[alarm]

    @property
    def _twelve_hours(self) -> bool:
        return bool(self.words[CR] & _FMT)

    def _after_synchronisation(self) -> int:
        """Flags that cross into the RTC's clock domain take two RTCCLK cycles (RM0351, RTC section)."""
        hz = self._rate_hz
        return self._scheduler.now_ps + (2 * PS_PER_S // hz if hz else 0)

    def _desynchronise(self) -> None:
        self._locked_ticks = None
        self._rsf_from_ps = self._after_synchronisation()

    def _backup_reset_state(self) -> None:
        self._rate_hz = 0
        self._counter.set_rate(0)
        self._counter.set_count(0)
        self._clock.reset()
        self._recalibrated_ps = 0
        self._keys_seen = 0
        self._locked_ticks = None
        self._alarm_writable_from_ps = [0, 0]
        self._initialising = False
        self._initial_time, self._initial_date = 0, DATE_RESET
        self._wakeup_epoch = 0
        self._wutwf_from_ps = self._initf_from_ps = self._rsf_from_ps = 0

    @property
    def _wakeup_counter(self) -> TickCounter:
        """The wake-up timer counts RTCCLK, or the calendar's seconds (assumption rtc_calibration)."""
        return self._counter if field(self.words[CR], 0, 3) < 4 else self._clock.counter

    def _plan_expiry(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        if self.words[CR] & _WUTE:
            time_ps = self._wakeup_counter.time_of(self._wakeup_epoch + self.wakeup_period_ticks)
            if time_ps is not None:
                self._expiry = self._scheduler.at(time_ps, self._expired)

    def _expired(self) -> None:
        self._wakeup_epoch += self.wakeup_period_ticks
        self.words[ISR] |= _WUTF
        self._plan_expiry()
        self._update_lines()

    def _plan_alarms(self) -> None:
        for alarm in range(len(_ALARMS)):
            self._plan_alarm(alarm)

    def _plan_alarm(self, alarm: int) -> None:
        event = self._next_alarm[alarm]
        if event is not None:
            event.cancel()
            self._next_alarm[alarm] = None
        if self.words[CR] & _ALRAE << alarm and not self._initialising:
            ticks = self._clock.next_match(*(self.words[offset] for offset in _ALARMS[alarm]))
            time_ps = None if ticks is None else self._clock.time_of(ticks)
            if time_ps is not None:
                self._next_alarm[alarm] = self._scheduler.at(time_ps, partial(self._alarmed, alarm))

    def _alarmed(self, alarm: int) -> None:
        self._next_alarm[alarm] = None
        self.words[ISR] |= _ALRAF << alarm
        self._plan_alarm(alarm)  # the other one may be due at this very instant
        self._update_lines()

    def _update_lines(self) -> None:
        self.wakeup_line_changed(self.wakeup_line)
        self.alarm_line_changed(self.alarm_line)
        self.stamp_line_changed(self.stamp_line)
