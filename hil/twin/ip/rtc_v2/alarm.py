# SPDX-License-Identifier: Apache-2.0
"""When an alarm of the RTC fires (RM0351, RTC section: programmable alarms, RTC_ALRMxR, RTC_ALRMxSSR)."""

from typing import Final

from hil.twin.ip.register_block import field
from hil.twin.ip.rtc_v2 import calendar as rtc_calendar

_MSK1, _MSK2, _MSK3, _MSK4, _WDSEL = 1 << 7, 1 << 15, 1 << 23, 1 << 31, 1 << 30
_DAY_S: Final = 86_400
_LONGEST_GAP_DAYS: Final = 62
"""Every day of a month, 1 to 31, comes at least every 62 days (December, January; July, August)."""


def next_second(alarm: int, after_s: int, weekday_shift: int, *, twelve_hours: bool) -> int | None:
    """The first second since 2000, not before ``after_s``, whose date and time match ``alarm``.

    ``alarm`` is the value of RTC_ALRMxR. None if no time of day or date ever does.
    """
    times = _times_of_day(alarm, twelve_hours)
    if not times[0] or not times[1] or not times[2]:
        return None
    day, second_of_day = divmod(after_s, _DAY_S)
    for candidate in range(day, day + _LONGEST_GAP_DAYS + 1):
        if _date_matches(alarm, candidate * _DAY_S, weekday_shift):
            found = _first_time(times, second_of_day if candidate == day else 0)
            if found is not None:
                return candidate * _DAY_S + found
    return None


def matching_subseconds(alarm_subseconds: int, prediv_s: int) -> range:
    """The values of RTC_SSR that match RTC_ALRMxSSR; the alarm fires at each of them.

    MASKSS is the number of compared bits, 15 compares all; with 0 the alarm fires when the second begins,
    which is when RTC_SSR is ``prediv_s``.
    """
    compared_bits = field(alarm_subseconds, 24, 4)
    if compared_bits == 0:
        return range(prediv_s, prediv_s + 1)
    step = 1 << compared_bits
    return range(alarm_subseconds & (step - 1), prediv_s + 1, step)


def _times_of_day(alarm: int, twelve_hours: bool) -> tuple[list[int], list[int], list[int]]:
    def matching(count: int, mask: int, wanted: int, bcd_of_unit: list[int]) -> list[int]:
        return [unit for unit in range(count) if alarm & mask or bcd_of_unit[unit] == wanted]

    hours = [rtc_calendar.time_register(hour * 3600, twelve_hours=twelve_hours) >> 16 for hour in range(24)]
    sixties = [rtc_calendar.time_register(second) for second in range(60)]
    return (
        matching(24, _MSK3, field(alarm, 16, 7), hours),
        matching(60, _MSK2, field(alarm, 8, 7), sixties),
        matching(60, _MSK1, field(alarm, 0, 7), sixties),
    )


def _date_matches(alarm: int, midnight_s: int, weekday_shift: int) -> bool:
    if alarm & _MSK4:
        return True
    date = rtc_calendar.date_register(midnight_s, weekday_shift)
    if alarm & _WDSEL:
        return field(date, 13, 3) == field(alarm, 24, 4)
    return field(date, 0, 6) == field(alarm, 24, 6)


def _first_time(times: tuple[list[int], list[int], list[int]], from_s: int) -> int | None:
    hours, minutes, seconds = times
    for hour in hours:
        if hour * 3600 + 3599 < from_s:
            continue
        for minute in minutes:
            start_s = hour * 3600 + minute * 60
            if start_s + 59 < from_s:
                continue
            for second in seconds:
                if start_s + second >= from_s:
                    return start_s + second
    return None
