# SPDX-License-Identifier: Apache-2.0
import pytest

from hil.twin.ip.rtc_v2 import calendar as rtc_calendar

TR, DR, CR, ISR, PRER, WUTR, WPR, SSR, BKP0R = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x24, 0x28, 0x50
WUTE, WUTIE, WUTF, WUTWF, INITF, INIT, RSF = 1 << 10, 1 << 14, 1 << 10, 1 << 2, 1 << 6, 1 << 7, 1 << 5
PS_PER_S = 10**12
EXTI_LINE_20 = 1 << 20


@pytest.fixture
def rtc(part):
    """The RTC on a running LSE, unlocked."""
    part.enable_clock(0x58, 28)
    part.set_bits("PWR", 0x00, 1 << 8)
    part.write("RCC", 0x90, 1 | 1 << 8 | 1 << 15)
    part.advance(2.0)
    unlock(part)
    return part


def unlock(part):
    part.write("RTC", WPR, 0xCA)
    part.write("RTC", WPR, 0x53)


def start_wakeup_timer(part, reload, selection):
    part.write("RTC", CR, selection)
    part.write("RTC", WUTR, reload)
    part.write("RTC", CR, selection | WUTIE | WUTE)


@pytest.mark.parametrize(
    ("selection", "reload", "period_ticks"),
    [(0, 20479, 327_680), (1, 0, 8), (3, 65535, 131_072), (4, 9, 327_680), (6, 0, 65_537 * 32_768)],
)
def test_wakeup_period_is_exact(rtc, selection, reload, period_ticks):
    start_wakeup_timer(rtc, reload, selection)
    started_ps = rtc.now_ps
    fired = []
    rtc.mcu.peripherals.wakeup_line_changed.connect(lambda level: fired.append(rtc.now_ps) if level else None)
    for n in (1, 2, 3):
        due_ps = started_ps - (-n * period_ticks * PS_PER_S // 32_768)
        rtc.mcu.scheduler.advance_to(due_ps - 1)
        assert len(fired) == n - 1
        rtc.mcu.scheduler.advance_to(due_ps)
        assert fired[-1] == due_ps
        rtc.write("RTC", ISR, ~WUTF & 0xFFFF_FFFF)


def test_wakeup_sets_the_exti_line_once_per_edge(rtc):
    rtc.set_bits("EXTI", 0x08, EXTI_LINE_20)
    start_wakeup_timer(rtc, 2047, 0)
    rtc.advance(1.01)
    assert rtc.read("RTC", ISR) & WUTF
    assert rtc.read("EXTI", 0x14) == EXTI_LINE_20
    rtc.write("EXTI", 0x14, EXTI_LINE_20)
    rtc.advance(1.0)  # WUTF was not cleared: the line stays high, no new edge
    assert rtc.read("EXTI", 0x14) == 0


def test_registers_are_write_protected(rtc):
    rtc.write("RTC", WPR, 0xFF)
    rtc.write("RTC", WUTR, 5)
    assert rtc.read("RTC", WUTR) == 0xFFFF
    rtc.write("RTC", WPR, 0x53)  # the keys in the wrong order
    rtc.write("RTC", WPR, 0xCA)
    rtc.write("RTC", WUTR, 5)
    assert rtc.read("RTC", WUTR) == 0xFFFF


def test_keys_may_be_given_again(rtc):
    """A driver gives them in each of its calls, and need not lock in between."""
    for reload in (3, 4, 5):
        rtc.write("RTC", WPR, 0xCA)
        rtc.write("RTC", WPR, 0x53)
        rtc.write("RTC", WUTR, reload)
        assert rtc.read("RTC", WUTR) == reload


def test_reload_is_writable_only_while_the_timer_is_off_and_synchronised(rtc):
    start_wakeup_timer(rtc, 100, 0)
    rtc.write("RTC", WUTR, 5)
    assert rtc.read("RTC", WUTR) == 100
    rtc.write("RTC", CR, 0)
    assert not rtc.read("RTC", ISR) & WUTWF
    rtc.write("RTC", WUTR, 5)
    assert rtc.read("RTC", WUTR) == 100
    rtc.advance(62e-6)  # two RTCCLK cycles
    assert rtc.read("RTC", ISR) & WUTWF
    rtc.write("RTC", WUTR, 5)
    assert rtc.read("RTC", WUTR) == 5


def test_backup_registers_need_dbp_survive_reset_and_die_with_the_supply(rtc):
    rtc.write("RTC", WPR, 0xFF)  # the keys do not protect them
    rtc.write("RTC", BKP0R + 4, 0x1234_5678)
    rtc.mcu.system_reset("software")
    assert rtc.read("RTC", BKP0R + 4) == 0x1234_5678
    rtc.write("RTC", BKP0R + 4, 0)  # DBP is clear after reset
    assert rtc.read("RTC", BKP0R + 4) == 0x1234_5678
    rtc.mcu.set_supply_voltage(0.0)
    rtc.mcu.set_supply_voltage(3.0)
    rtc.advance(1e-3)
    assert rtc.read("RTC", BKP0R + 4) == 0


def test_calendar_counts_over_midnight(rtc):
    rtc.write("RTC", ISR, INIT)
    assert not rtc.read("RTC", ISR) & INITF
    rtc.advance(62e-6)
    assert rtc.read("RTC", ISR) & INITF
    rtc.write("RTC", TR, 0x23_59_58)
    rtc.write("RTC", DR, 0x26_D1_31)  # 2026-11-31 does not exist; below the real one
    rtc.write("RTC", DR, 0x26 << 16 | 1 << 13 | 0x11 << 8 | 0x30)  # Monday 2026-11-30
    rtc.write("RTC", ISR, 0)
    rtc.advance(2.5)
    assert rtc.read("RTC", TR) == 0
    assert rtc.read("RTC", DR) == 0x26 << 16 | 2 << 13 | 0x12 << 8 | 0x01
    assert rtc.read("RTC", SSR) == 127
    assert rtc.read("RTC", ISR) & RSF


def test_calendar_survives_a_system_reset(rtc):
    rtc.advance(3600.0)
    rtc.mcu.system_reset("software")
    assert rtc.read("RTC", TR) >> 8 == 0x01_00


def test_weekday_follows_what_was_set():
    seconds, shift = rtc_calendar.seconds_of(0, 0x2101)  # the reset value calls 2000-01-01 a Monday
    assert rtc_calendar.date_register(seconds, shift) == 0x2101
    assert rtc_calendar.date_register(seconds + 6 * 86_400, shift) >> 13 & 7 == 7
