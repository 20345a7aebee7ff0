# SPDX-License-Identifier: Apache-2.0
"""The RTC's calendar registers: BCD dates and times to and from seconds since 2000."""

from datetime import date, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(2000, 1, 1)
_CENTURY_S: Final = int((datetime(2100, 1, 1) - _EPOCH).total_seconds())


def _bcd(value: int) -> int:
    return value // 10 << 4 | value % 10


def _binary(bcd: int) -> int:
    return (bcd >> 4) * 10 + (bcd & 0xF)


def time_register(seconds: int, *, twelve_hours: bool = False) -> int:
    """RTC_TR for ``seconds`` since 2000-01-01, in 24 hour or AM/PM format (RTC_CR.FMT)."""
    minute, second = divmod(seconds % 86_400, 60)
    hour, minute = divmod(minute, 60)
    afternoon = twelve_hours and hour >= 12
    if twelve_hours:
        hour = (hour - 1) % 12 + 1
    return afternoon << 22 | _bcd(hour) << 16 | _bcd(minute) << 8 | _bcd(second)


def date_register(seconds: int, weekday_shift: int) -> int:
    """RTC_DR for ``seconds`` since 2000-01-01; ``weekday_shift`` moves the weekday from the true one."""
    day = (_EPOCH + timedelta(seconds=seconds % _CENTURY_S)).date()
    weekday = (day.isoweekday() - 1 + weekday_shift) % 7 + 1
    return _bcd(day.year - 2000) << 16 | weekday << 13 | _bcd(day.month) << 8 | _bcd(day.day)


def seconds_of(time_word: int, date_word: int, *, twelve_hours: bool = False) -> tuple[int, int]:
    """Seconds since 2000-01-01 and weekday shift for values of RTC_TR and RTC_DR.

    Fields out of range, which the hardware would count on from in its own way, are brought into range.
    """
    month = min(max(_binary(date_word >> 8 & 0x1F), 1), 12)
    first = date(2000 + min(_binary(date_word >> 16 & 0xFF), 99), month, 1)
    day = first + timedelta(days=max(_binary(date_word & 0x3F), 1) - 1)
    weekday = date_word >> 13 & 7
    shift = (weekday - day.isoweekday()) % 7 if weekday else 0
    midnight = datetime(day.year, day.month, day.day) - _EPOCH
    hours, minutes = _hours(time_word, twelve_hours), _binary(time_word >> 8 & 0x7F)
    return int(midnight.total_seconds()) + 3600 * hours + 60 * minutes + _binary(time_word & 0x7F), shift


def _hours(time_word: int, twelve_hours: bool) -> int:
    hours = _binary(time_word >> 16 & 0x3F)
    return hours % 12 + 12 * (time_word >> 22 & 1) if twelve_hours else hours
