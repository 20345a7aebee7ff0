# SPDX-License-Identifier: Apache-2.0
import pytest

from hil.twin.ip.rtc_v2 import alarm as rtc_alarm
from hil.twin.ip.rtc_v2 import calendar as rtc_calendar

TR, DR, CR, ISR, PRER, WPR, SSR = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x24, 0x28
ALRMAR, ALRMBR, SHIFTR, CALR, ALRMASSR, ALRMBSSR = 0x1C, 0x20, 0x2C, 0x3C, 0x44, 0x48
ALRAE, ALRBE, ALRAIE, ALRBIE, FMT, BYPSHAD = 1 << 8, 1 << 9, 1 << 12, 1 << 13, 1 << 6, 1 << 5
ALRAF, ALRBF, ALRAWF, INIT, INITF = 1 << 8, 1 << 9, 1, 1 << 7, 1 << 6
MSK1, MSK2, MSK3, MSK4, WDSEL, PM = 1 << 7, 1 << 15, 1 << 23, 1 << 31, 1 << 30, 1 << 22
EXTI_LINE_18 = 1 << 18
TICK_S = 1 / 32_768  # the calendar is set within a tick of the LSE


@pytest.fixture
def rtc(part):
    """The RTC on a running LSE, unlocked, set to Friday 2026-01-30 10:00:00."""
    part.enable_clock(0x58, 28)
    part.set_bits("PWR", 0x00, 1 << 8)
    part.write("RCC", 0x90, 1 | 1 << 8 | 1 << 15)
    part.advance(2.0)
    for key in (0xCA, 0x53):
        part.write("RTC", WPR, key)
    set_calendar(part, 0x10_00_00, 0x26 << 16 | 5 << 13 | 0x01 << 8 | 0x30)
    return part


def set_calendar(part, time, date):
    part.write("RTC", ISR, 0xFFFF_FFFF)
    part.advance(100e-6)
    assert part.read("RTC", ISR) & INITF
    part.write("RTC", TR, time)
    part.write("RTC", DR, date)
    part.write("RTC", ISR, ~INIT & 0xFFFF_FFFF)
    part.origin_ps = part.now_ps


def fired_after_s(part, limit_s, flag=ALRAF):
    """Seconds from the setting of the calendar to the next alarm, found by its flag."""
    limit_ps = part.now_ps + round(limit_s * 1e12)
    found = part.mcu.scheduler.advance_until(lambda: bool(part.read("RTC", ISR) & flag), limit_ps)
    assert found, "no alarm"
    part.write("RTC", ISR, ~(flag | INIT) & 0xFFFF_FFFF)
    return (part.now_ps - part.origin_ps) / 1e12


@pytest.mark.parametrize(
    ("alarm", "expected_s"),
    [
        (MSK4 | MSK3 | MSK2 | 0x05, [5, 65]),
        (MSK4 | MSK3 | 0x02_00, [120, 3720]),
        (MSK4 | 0x10_00_01, [1, 86_401]),
        (0x31 << 24 | 0x00_00_00, [14 * 3600]),  # the 31st, midnight
        (WDSEL | 1 << 24 | 0x00_00_00, [62 * 3600]),  # Monday
        (MSK4 | MSK3 | MSK2 | MSK1, [1, 2, 3]),
    ],
)
def test_alarm_fires_when_the_unmasked_fields_match(rtc, alarm, expected_s):
    rtc.write("RTC", ALRMAR, alarm)
    rtc.write("RTC", CR, ALRAE)
    assert [fired_after_s(rtc, 90_000 * 3) for _ in expected_s] == pytest.approx(expected_s, abs=TICK_S)


def test_subseconds_are_compared_as_far_as_unmasked(rtc):
    rtc.write("RTC", ALRMBR, MSK4 | MSK3 | MSK2 | MSK1)
    rtc.write("RTC", ALRMBSSR, 6 << 24 | 63)  # the lower six of the eight bits: four times a second
    rtc.write("RTC", CR, ALRBE)
    times_s = [fired_after_s(rtc, 2, ALRBF) for _ in range(5)]
    assert times_s == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.25], abs=TICK_S)
    assert rtc.read("RTC", SSR) == 191


def test_alarm_in_am_pm_format(rtc):
    rtc.write("RTC", CR, FMT | BYPSHAD)
    assert rtc.read("RTC", TR) == 0x10_00_00
    rtc.write("RTC", ALRMAR, MSK4 | PM | 0x12_00_00)
    rtc.write("RTC", CR, FMT | BYPSHAD | ALRAE)
    assert fired_after_s(rtc, 90_000) == pytest.approx(7200, abs=TICK_S)
    assert rtc.read("RTC", TR) == PM | 0x12_00_00


def test_alarm_is_writable_only_while_off_and_synchronised(rtc):
    rtc.write("RTC", CR, ALRAE)
    rtc.write("RTC", ALRMAR, 0x1234)
    assert rtc.read("RTC", ALRMAR) == 0
    rtc.write("RTC", CR, 0)
    assert not rtc.read("RTC", ISR) & ALRAWF
    rtc.advance(62e-6)  # two RTCCLK cycles
    assert rtc.read("RTC", ISR) & ALRAWF
    rtc.write("RTC", ALRMAR, 0x1234)
    assert rtc.read("RTC", ALRMAR) == 0x1234


def test_alarm_raises_exti_line_18_only_if_enabled(rtc):
    rtc.set_bits("EXTI", 0x08, EXTI_LINE_18)
    rtc.write("RTC", ALRMAR, MSK4 | MSK3 | MSK2 | 0x01)
    rtc.write("RTC", CR, ALRAE)
    rtc.advance(1.5)
    assert rtc.read("RTC", ISR) & ALRAF
    assert rtc.read("EXTI", 0x14) == 0
    rtc.write("RTC", CR, ALRAE | ALRAIE)
    assert rtc.read("EXTI", 0x14) == EXTI_LINE_18


def test_reading_the_time_holds_the_date_until_it_is_read(rtc):
    rtc.advance(0.5)
    assert rtc.read("RTC", TR) == 0x10_00_00
    rtc.advance(86_400)
    assert rtc.read("RTC", TR) == 0x10_00_00  # nobody has read the date
    assert rtc.read("RTC", DR) & 0x3F == 0x30
    assert rtc.read("RTC", DR) & 0x3F == 0x31
    rtc.write("RTC", CR, BYPSHAD)
    rtc.read("RTC", TR)
    rtc.advance(1.0)
    assert rtc.read("RTC", TR) == 0x10_00_01


def test_shift_and_summer_time(rtc):
    rtc.write("RTC", CR, BYPSHAD)
    rtc.advance(0.75)
    rtc.write("RTC", SHIFTR, 128)  # half a second back
    assert (rtc.read("RTC", TR), rtc.read("RTC", SSR)) == (0x10_00_00, 191)
    rtc.write("RTC", SHIFTR, 1 << 31 | 128)  # and half a second forward
    assert (rtc.read("RTC", TR), rtc.read("RTC", SSR)) == (0x10_00_00, 63)
    rtc.write("RTC", CR, BYPSHAD | 1 << 16)
    assert rtc.read("RTC", TR) == 0x11_00_00
    rtc.write("RTC", CR, BYPSHAD | 1 << 17)
    assert rtc.read("RTC", TR) == 0x10_00_00


def test_every_second_matches_the_registers():
    for seconds in range(0, 3 * 86_400, 8_191):
        for twelve_hours in (False, True):
            time = rtc_calendar.time_register(seconds, twelve_hours=twelve_hours)
            date = rtc_calendar.date_register(seconds, 0)
            alarm = (date & 0x3F) << 24 | time
            assert rtc_alarm.next_second(alarm, 0, 0, twelve_hours=twelve_hours) == seconds
    assert rtc_alarm.next_second(MSK4 | 0x24_00_00, 0, 0, twelve_hours=False) is None


def test_two_alarms_of_the_same_instant_both_fire(rtc):
    for alarm in (ALRMAR, ALRMBR):
        rtc.write("RTC", alarm, MSK4 | MSK3 | MSK2 | 0x05)
    rtc.write("RTC", CR, ALRAE | ALRBE)
    rtc.advance(6.0)
    assert rtc.read("RTC", ISR) & (ALRAF | ALRBF) == ALRAF | ALRBF
