# SPDX-License-Identifier: Apache-2.0
"""Real-time clock (RM0351, RTC section): calendar, alarms, wake-up timer, backup registers, protection.

Stored without effect: time stamps, tamper detection, calibration, the outputs.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar, Final

from hil.twin.core.scheduler import Event, Scheduler
from hil.twin.peripherals import rtc_alarm, rtc_calendar
from hil.twin.peripherals.memory_map import BASE
from hil.twin.peripherals.registers import RegisterBlock, always, field
from hil.twin.peripherals.tick_counter import PS_PER_S, TickCounter

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
_TSE, _ADD1H, _SUB1H, _OUTPUTS = 1 << 11, 1 << 16, 1 << 17, 0xF8_0018
_ADD1S: Final = 1 << 31
_ALARMS: Final = ((ALRMAR, ALRMASSR), (ALRMBR, ALRMBSSR))
_ALRAE, _ALRAIE, _ALRAF, _ALRAWF = 1 << 8, 1 << 12, 1 << 8, 1 << 0
"""Bits of alarm A; alarm B's are the next ones."""
_WUTWF, _INITS, _RSF, _INITF, _INIT, _WUTF = 1 << 2, 1 << 4, 1 << 5, 1 << 6, 1 << 7, 1 << 10
_FLAGS_CLEARED_BY_ZERO: Final = 0x2_FF00
_UNPROTECTED: Final = frozenset({WPR, TAMPCR, *range(BKP0R, BKP0R + 32 * 4, 4)})
_OTHERS: Final = (ALRMAR, ALRMBR, 0x30, 0x34, 0x38, CALR, TAMPCR, ALRMASSR, ALRMBSSR, OR)
_DATE_RESET: Final = 0x2101


class Rtc(RegisterBlock):
    """The RTC and its backup registers: they live in the backup domain, so a system reset leaves them alone.

    ``on_wakeup_line`` gets the level of the wake-up timer's output (EXTI line 20), ``on_alarm_line`` that of
    the alarms (EXTI line 18); both also feed PWR's internal wake-up line.
    """

    resets: ClassVar[Mapping[int, int]] = (
        {TR: 0, DR: _DATE_RESET, CR: 0, ISR: 0x7, PRER: 0x007F_00FF, WUTR: 0xFFFF, WPR: 0, SSR: 0}
        | dict.fromkeys(_OTHERS, 0)
        | {BKP0R + 4 * index: 0 for index in range(32)}
    )
    writable: ClassVar[Mapping[int, int]] = {
        CR: 0x01FC_FF7F,
        PRER: 0x7F_7FFF,
        WUTR: 0xFFFF,
        WPR: 0,
        **dict.fromkeys((0x30, 0x34, 0x38), 0),
        CALR: 0xE1FF,
        **dict.fromkeys((ALRMASSR, ALRMBSSR), 0x0F00_7FFF),
    }
    stored_only: ClassVar[Mapping[int, int]] = {CR: _TSE | _OUTPUTS, CALR: 0xE1FF, TAMPCR: 0x00FF_FFFF, OR: 3}

    def __init__(self, scheduler: Scheduler, clock_hz: Callable[[], int]) -> None:
        super().__init__("RTC", BASE["RTC"])
        self._scheduler = scheduler
        self._clock_hz = clock_hz
        self._counter = TickCounter(scheduler)
        self._expiry: Event | None = None
        self._next_alarm: list[Event | None] = [None, None]
        self._alarm_writable_from_ps = [0, 0]
        self._locked_ticks: int | None = None
        self._frozen = False
        self.backup_access: Callable[[], bool] = always
        """Whether PWR_CR1.DBP lets the RTC be written."""
        self.on_wakeup_line: Callable[[bool], None] = lambda level: None
        self.on_alarm_line: Callable[[bool], None] = lambda level: None
        self._rate_hz = 0
        self._initial_time, self._initial_date = 0, _DATE_RESET
        self._weekday_shift = 0
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
        self.on_wakeup_line(False)
        self.on_alarm_line(False)

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
            self._counter.set_rate(rate_hz)
            self._plan_expiry()
            self._plan_alarms()

    @property
    def wakeup_line(self) -> bool:
        """The level of the wake-up output: WUTF while WUTIE is set."""
        return bool(self.words[ISR] & _WUTF and self.words[CR] & _WUTIE)

    @property
    def alarm_line(self) -> bool:
        """The level of the alarms' output: ALRAF while ALRAIE is set, or the same of alarm B."""
        return bool(self.words[ISR] >> 8 & self.words[CR] >> 12 & 3)

    @property
    def wakeup_period_ticks(self) -> int:
        """The wake-up timer's period in RTCCLK cycles."""
        selection = field(self.words[CR], 0, 3)
        reload = self.words[WUTR] + 1
        if selection < 4:
            return reload << (4 - selection)
        return (reload + (1 << 16 if selection >= 6 else 0)) * self._second_ticks

    def read_word(self, offset: int) -> int:
        """The calendar and the flags as of now."""
        if offset in (TR, DR, SSR):
            return self._calendar(offset)
        if offset == ISR:
            return self._status()
        return super().read_word(offset)

    def _calendar(self, offset: int) -> int:
        """The shadow registers: reading the time holds them until the date is read, unless BYPSHAD is set."""
        if self._initialising and offset != SSR:
            return self._initial_time if offset == TR else self._initial_date
        ticks = self._ticks() if self._locked_ticks is None else self._locked_ticks
        if not self.words[CR] & _BYPSHAD:
            self._locked_ticks = None if offset == DR else ticks
        seconds = self._origin_s + ticks // self._second_ticks
        if offset == TR:
            return rtc_calendar.time_register(seconds, twelve_hours=self._twelve_hours)
        if offset == DR:
            return rtc_calendar.date_register(seconds, self._weekday_shift)
        return self._prediv_s - ticks % self._second_ticks // self._prescaler_ticks

    def write_word(self, offset: int, value: int) -> None:
        """Write a register as far as the protections allow."""
        if not self.backup_access():
            return
        if offset == WPR:
            key = value & 0xFF
            self._keys_seen = self._keys_seen + 1 if key == _KEYS[self._keys_seen % 2] else 0
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
        else:
            alarm = next((n for n, registers in enumerate(_ALARMS) if offset in registers), None)
            if alarm is None or self._alarm_writable(alarm) or self._initialising:
                self.store(offset, value)

    def _shift(self, value: int) -> None:
        """Delay the calendar by SUBFS sub-seconds, and advance it by a second with ADD1S."""
        self._origin_ticks += field(value, 0, 15) * self._prescaler_ticks
        self._origin_s += bool(value & _ADD1S)
        self._desynchronise()
        self._plan_alarms()

    def _write_control(self, value: int) -> None:
        before = self.words[CR]
        if not self._wutr_writable:  # WUCKSEL is writable under the same condition as RTC_WUTR
            value = (value & ~7) | (before & 7)
        self.store(CR, value)
        if (before ^ value) & _WUTE:
            if value & _WUTE:
                self._wakeup_epoch = self._counter.count  # assumption wakeup_timer_start
            else:
                self._wutwf_from_ps = self._after_synchronisation()
            self._plan_expiry()
        self._origin_s += 3600 * (bool(value & _ADD1H) - bool(value & _SUB1H))
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
            seconds = self._seconds()
            self._initial_time = rtc_calendar.time_register(seconds, twelve_hours=self._twelve_hours)
            self._initial_date = rtc_calendar.date_register(seconds, self._weekday_shift)
            self._initf_from_ps = self._after_synchronisation()
        else:
            self._origin_s, self._weekday_shift = rtc_calendar.seconds_of(
                self._initial_time, self._initial_date, twelve_hours=self._twelve_hours
            )
            self._origin_ticks = self._counter.count
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
        if rtc_calendar.date_register(self._seconds(), 0) >> 16:
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

    @property
    def _prediv_s(self) -> int:
        return field(self.words[PRER], 0, 15)

    @property
    def _prescaler_ticks(self) -> int:
        return field(self.words[PRER], 16, 7) + 1

    @property
    def _second_ticks(self) -> int:
        return self._prescaler_ticks * (self._prediv_s + 1)

    def _ticks(self) -> int:
        return self._counter.count - self._origin_ticks

    def _seconds(self) -> int:
        return self._origin_s + self._ticks() // self._second_ticks

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
        self._keys_seen = 0
        self._locked_ticks = None
        self._alarm_writable_from_ps = [0, 0]
        self._initialising = False
        self._initial_time, self._initial_date = 0, _DATE_RESET
        self._origin_s, self._weekday_shift = rtc_calendar.seconds_of(0, _DATE_RESET)
        self._origin_ticks = 0
        self._wakeup_epoch = 0
        self._wutwf_from_ps = self._initf_from_ps = self._rsf_from_ps = 0

    def _plan_expiry(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        if self.words[CR] & _WUTE:
            time_ps = self._counter.time_of(self._wakeup_epoch + self.wakeup_period_ticks)
            if time_ps is not None:
                self._expiry = self._scheduler.at(time_ps, self._expired)

    def _expired(self) -> None:
        self._wakeup_epoch += self.wakeup_period_ticks
        self.words[ISR] |= _WUTF
        self._plan_expiry()
        self._update_lines()

    def _plan_alarms(self) -> None:
        for alarm, event in enumerate(self._next_alarm):
            if event is not None:
                event.cancel()
                self._next_alarm[alarm] = None
            if self.words[CR] & _ALRAE << alarm and not self._initialising:
                ticks = self._next_match(alarm, self._ticks())
                time_ps = None if ticks is None else self._counter.time_of(self._origin_ticks + ticks)
                if time_ps is not None:
                    self._next_alarm[alarm] = self._scheduler.at(time_ps, partial(self._alarmed, alarm))

    def _next_match(self, alarm: int, after_ticks: int) -> int | None:
        """Ticks of the calendar, more than ``after_ticks``, at which the alarm matches next."""
        register, subseconds = (self.words[offset] for offset in _ALARMS[alarm])
        matching = rtc_alarm.matching_subseconds(subseconds, self._prediv_s)
        second, elapsed = divmod(after_ticks, self._second_ticks)
        while matching:
            found = rtc_alarm.next_second(
                register, self._origin_s + second, self._weekday_shift, twelve_hours=self._twelve_hours
            )
            if found is None:
                return None
            if found > self._origin_s + second:
                elapsed = -1
            second = found - self._origin_s
            for value in reversed(matching):
                at = (self._prediv_s - value) * self._prescaler_ticks
                if at > elapsed:
                    return second * self._second_ticks + at
            second, elapsed = second + 1, -1
        return None

    def _alarmed(self, alarm: int) -> None:
        self._next_alarm[alarm] = None
        self.words[ISR] |= _ALRAF << alarm
        self._plan_alarms()
        self._update_lines()

    def _update_lines(self) -> None:
        self.on_wakeup_line(self.wakeup_line)
        self.on_alarm_line(self.alarm_line)
