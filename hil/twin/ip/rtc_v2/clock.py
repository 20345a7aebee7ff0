# SPDX-License-Identifier: Apache-2.0
"""The RTC's calendar as a clock (RM0351, RTC section: clock and calendar, smooth digital calibration)."""

from collections.abc import Callable, MutableMapping
from typing import Final

from hil.twin.core.counter_line import CounterLine
from hil.twin.core.scheduler import Scheduler
from hil.twin.ip.register_block import field
from hil.twin.ip.rtc_v2 import alarm as rtc_alarm
from hil.twin.ip.rtc_v2 import calendar as rtc_calendar
from hil.twin.ip.tick_counter import TickCounter

_WINDOW: Final = 1 << 20
"""RTCCLK cycles of which CALM are masked and, with CALP, 512 inserted."""
_CALP, _CALW8, _CALW16 = 1 << 15, 1 << 14, 1 << 13
DATE_RESET: Final = 0x2101


class CalendarClock:
    """Seconds since 2000 by the calibrated RTCCLK; its ticks are counted from the last setting of the time.

    ``words`` are the RTC's registers, ``prer`` the offset of RTC_PRER; ``twelve_hours`` is RTC_CR.FMT.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        words: Callable[[], MutableMapping[int, int]],
        prer: int,
        twelve_hours: Callable[[], bool],
    ) -> None:
        self._words = words
        self._prer = prer
        self._twelve_hours = twelve_hours
        self.counter = TickCounter(scheduler)
        """Counts ticks since the backup domain has power."""
        self.reset()

    def reset(self) -> None:
        """Backup domain reset."""
        self.counter.set_rate(0)
        self.counter.set_count(0)
        self.origin_s, self._weekday_shift = rtc_calendar.seconds_of(0, DATE_RESET)
        self._origin_ticks = 0

    def set_rate(self, hz: int, calr: int) -> None:
        """RTCCLK and RTC_CALR; the pulses are spread evenly (assumption rtc_calibration).

        In the shorter windows the lowest bits of CALM are stuck at zero.
        """
        stuck = 3 if calr & _CALW8 else 1 if calr & _CALW16 else 0
        masked = (calr & 0x1FF & ~stuck) - (512 if calr & _CALP else 0)
        self.counter.set_rate(hz * _WINDOW, _WINDOW + masked)

    def set(self, time_word: int, date_word: int) -> None:
        """Begin a second with the values of RTC_TR and RTC_DR."""
        self.origin_s, self._weekday_shift = rtc_calendar.seconds_of(
            time_word, date_word, twelve_hours=self._twelve_hours()
        )
        self._origin_ticks = self.counter.count

    def delay(self, subseconds: int) -> None:
        """Put the clock back by so many steps of RTC_SSR."""
        self._origin_ticks += subseconds * self.prescaler_ticks

    @property
    def prediv_s(self) -> int:
        """PREDIV_S."""
        return field(self._words()[self._prer], 0, 15)

    @property
    def prescaler_ticks(self) -> int:
        """Ticks in a step of RTC_SSR."""
        return field(self._words()[self._prer], 16, 7) + 1

    @property
    def second_ticks(self) -> int:
        """Ticks in a second."""
        return self.prescaler_ticks * (self.prediv_s + 1)

    @property
    def ticks(self) -> int:
        """Since the time was set."""
        return self.counter.count - self._origin_ticks

    def time_of(self, ticks: int) -> int | None:
        """When :attr:`ticks` will have that value, in ps; None if the clock stands still."""
        return self.counter.time_of(self._origin_ticks + ticks)

    @property
    def next_second(self) -> int:
        """The next :attr:`ticks` at which a second begins."""
        return (self.ticks // self.second_ticks + 1) * self.second_ticks

    @property
    def next_step(self) -> int:
        """The next :attr:`ticks` at which RTC_SSR changes."""
        begin = self.next_second - self.second_ticks
        steps = (self.ticks - begin) // self.prescaler_ticks + 1
        return begin + min(steps * self.prescaler_ticks, self.second_ticks)

    def subsecond_line(self) -> CounterLine:
        """How RTC_SSR goes on up to the next second."""
        end = self._origin_ticks + self.next_second
        return self.counter.line(self.prediv_s, -1, end - self.second_ticks, end, self.prescaler_ticks)

    def seconds(self, ticks: int) -> int:
        """Since 2000."""
        return self.origin_s + ticks // self.second_ticks

    def time_register(self, ticks: int) -> int:
        """RTC_TR."""
        return rtc_calendar.time_register(self.seconds(ticks), twelve_hours=self._twelve_hours())

    def date_register(self, ticks: int) -> int:
        """RTC_DR."""
        return rtc_calendar.date_register(self.seconds(ticks), self._weekday_shift)

    def subsecond_register(self, ticks: int) -> int:
        """RTC_SSR."""
        return self.prediv_s - ticks % self.second_ticks // self.prescaler_ticks

    def next_match(self, alarm: int, alarm_subseconds: int) -> int | None:
        """The next :attr:`ticks` at which RTC_ALRMxR and RTC_ALRMxSSR match; None if they never do."""
        matching = rtc_alarm.matching_subseconds(alarm_subseconds, self.prediv_s)
        second, elapsed = divmod(self.ticks, self.second_ticks)
        while matching:
            found = rtc_alarm.next_second(
                alarm, self.origin_s + second, self._weekday_shift, twelve_hours=self._twelve_hours()
            )
            if found is None:
                return None
            if found > self.origin_s + second:
                elapsed = -1
            second = found - self.origin_s
            for value in reversed(matching):
                at = (self.prediv_s - value) * self.prescaler_ticks
                if at > elapsed:
                    return second * self.second_ticks + at
            second, elapsed = second + 1, -1
        return None
