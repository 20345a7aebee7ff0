# SPDX-License-Identifier: Apache-2.0
"""Real-time clock (RM0351, RTC section): calendar, wake-up timer, backup registers, write protection.

Not modelled: alarms, time stamps, tamper detection, calibration, sub-second shift, 12-hour format.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final

from hil.twin.core.scheduler import Event, Scheduler
from hil.twin.peripherals import rtc_calendar
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
BKP0R: Final = 0x50

_KEYS: Final = (0xCA, 0x53)
_WUTE, _WUTIE, _BYPSHAD = 1 << 10, 1 << 14, 1 << 5
_WUTWF, _INITS, _RSF, _INITF, _INIT, _WUTF = 1 << 2, 1 << 4, 1 << 5, 1 << 6, 1 << 7, 1 << 10
_FLAGS_CLEARED_BY_ZERO: Final = 0x1_FF00
_UNPROTECTED: Final = frozenset({WPR, 0x40, *range(BKP0R, BKP0R + 32 * 4, 4)})
_STORED_ONLY: Final = (0x1C, 0x20, 0x2C, 0x30, 0x34, 0x38, 0x3C, 0x40, 0x44, 0x48, 0x4C)
_DATE_RESET: Final = 0x2101


class Rtc(RegisterBlock):
    """The RTC and its backup registers: they live in the backup domain, so a system reset leaves them alone.

    ``on_wakeup_line`` gets the level of the wake-up output (EXTI line 20, PWR's internal wake-up line).
    """

    resets: ClassVar[Mapping[int, int]] = (
        {TR: 0, DR: _DATE_RESET, CR: 0, ISR: 0x7, PRER: 0x007F_00FF, WUTR: 0xFFFF, WPR: 0, SSR: 0}
        | dict.fromkeys(_STORED_ONLY, 0)
        | {BKP0R + 4 * index: 0 for index in range(32)}
    )
    writable: ClassVar[Mapping[int, int]] = {CR: 0x01FC_FF7F, PRER: 0x7F_7FFF, WUTR: 0xFFFF, WPR: 0}

    def __init__(self, scheduler: Scheduler, clock_hz: Callable[[], int]) -> None:
        super().__init__("RTC", BASE["RTC"])
        self._scheduler = scheduler
        self._clock_hz = clock_hz
        self._counter = TickCounter(scheduler)
        self._expiry: Event | None = None
        self._frozen = False
        self.backup_access: Callable[[], bool] = always
        """Whether PWR_CR1.DBP lets the RTC be written."""
        self.on_wakeup_line: Callable[[bool], None] = lambda level: None
        self._rate_hz = 0
        self._initial_time, self._initial_date = 0, _DATE_RESET
        self._weekday_shift = 0
        self._backup_reset_state()

    def reset(self) -> None:
        """System reset: only the write protection and the shadow registers' synchronisation."""
        self._keys_seen = 0
        self._desynchronise()

    def reset_backup_domain(self) -> None:
        """Backup domain reset: everything."""
        super().reset()
        self._backup_reset_state()
        self._plan_expiry()
        self.on_wakeup_line(False)

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

    @property
    def wakeup_line(self) -> bool:
        """The level of the wake-up output: WUTF while WUTIE is set."""
        return bool(self.words[ISR] & _WUTF and self.words[CR] & _WUTIE)

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
        if offset == TR:
            return self._initial_time if self._initialising else rtc_calendar.time_register(self._seconds())
        if offset == DR:
            if self._initialising:
                return self._initial_date
            return rtc_calendar.date_register(self._seconds(), self._weekday_shift)
        if offset == SSR:
            reload_s = field(self.words[PRER], 0, 15)
            return reload_s - (self._ticks() % self._second_ticks) // (field(self.words[PRER], 16, 7) + 1)
        if offset == ISR:
            return self._status()
        return super().read_word(offset)

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
        else:
            self.store(offset, value)

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
        self.on_wakeup_line(self.wakeup_line)

    def _write_status(self, value: int) -> None:
        self.words[ISR] &= value | ~_FLAGS_CLEARED_BY_ZERO
        if self._keys_seen == len(_KEYS):
            if not value & _RSF:
                self._desynchronise()
            if bool(value & _INIT) != self._initialising:
                self._set_initialising(bool(value & _INIT))
        self.on_wakeup_line(self.wakeup_line)

    def _set_initialising(self, initialising: bool) -> None:
        if initialising:
            self._initial_time = rtc_calendar.time_register(self._seconds())
            self._initial_date = rtc_calendar.date_register(self._seconds(), self._weekday_shift)
            self._initf_from_ps = self._after_synchronisation()
        else:
            self._origin_s, self._weekday_shift = rtc_calendar.seconds_of(
                self._initial_time, self._initial_date
            )
            self._origin_ticks = self._counter.count
            self._desynchronise()
        self._initialising = initialising

    def _status(self) -> int:
        now_ps = self._scheduler.now_ps
        status = self.words[ISR] & _FLAGS_CLEARED_BY_ZERO | 3
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

    @property
    def _second_ticks(self) -> int:
        return (field(self.words[PRER], 16, 7) + 1) * (field(self.words[PRER], 0, 15) + 1)

    def _ticks(self) -> int:
        return self._counter.count - self._origin_ticks

    def _seconds(self) -> int:
        return self._origin_s + self._ticks() // self._second_ticks

    def _after_synchronisation(self) -> int:
        """Flags that cross into the RTC's clock domain take two RTCCLK cycles (RM0351, RTC section)."""
        hz = self._rate_hz
        return self._scheduler.now_ps + (2 * PS_PER_S // hz if hz else 0)

    def _desynchronise(self) -> None:
        self._rsf_from_ps = self._after_synchronisation()

    def _backup_reset_state(self) -> None:
        self._rate_hz = 0
        self._counter.set_rate(0)
        self._counter.set_count(0)
        self._keys_seen = 0
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
        self.on_wakeup_line(self.wakeup_line)
