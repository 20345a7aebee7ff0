# SPDX-License-Identifier: Apache-2.0
import pytest

TR, CR, ISR, WUTR, WPR, SSR, CALR = 0x00, 0x08, 0x0C, 0x14, 0x24, 0x28, 0x3C
BYPSHAD, WUTE, WUTF, RECALPF = 1 << 5, 1 << 10, 1 << 10, 1 << 16
CALP, CALW8, CALW16 = 1 << 15, 1 << 14, 1 << 13
SSR_STEPS = 256


@pytest.fixture
def rtc(part):
    """The RTC on a running LSE, unlocked, its registers read directly."""
    part.enable_clock(0x58, 28)
    part.set_bits("PWR", 0x00, 1 << 8)
    part.write("RCC", 0x90, 0x8101)
    part.advance(2.0)
    for key in (0xCA, 0x53):
        part.write("RTC", WPR, key)
    part.write("RTC", CR, BYPSHAD)
    return part


def seconds(part):
    """Of the calendar's day, with its fraction."""
    time = part.read("RTC", TR)
    whole = sum(
        ((time >> shift & 0xF) + 10 * (time >> shift + 4 & 7)) * unit
        for shift, unit in ((0, 1), (8, 60), (16, 3600))
    )
    return whole + (SSR_STEPS - 1 - part.read("RTC", SSR)) / SSR_STEPS


def ppm(calp, calm):
    """RM0351, RTC section, smooth digital calibration: fCAL / fRTCCLK - 1."""
    return 1e6 * (512 * calp - calm) / (2**20 + calm - 512 * calp)


@pytest.mark.parametrize(
    ("word", "calp", "calm"),
    [
        (CALP, 1, 0),  # 488.5 ppm, the most
        (511, 0, 511),  # -487.1 ppm, the least
        (CALP | 256, 1, 256),
        (CALW8 | 0x1FF, 0, 0x1FC),
        (CALW16 | 0x1FF, 0, 0x1FE),
    ],
)
def test_the_calendar_runs_at_the_calibrated_rate(rtc, word, calp, calm):
    rtc.write("RTC", CALR, word)
    rtc.advance(1.0)  # it takes three cycles of the prescaler to act
    began = seconds(rtc)
    rtc.advance(20_000.0)
    assert 1e6 * ((seconds(rtc) - began) / 20_000 - 1) == pytest.approx(ppm(calp, calm), abs=0.4)


def test_a_pending_calibration_refuses_another(rtc):
    rtc.write("RTC", CALR, CALP)
    assert rtc.read("RTC", ISR) & RECALPF
    rtc.write("RTC", CALR, 100)
    assert rtc.read("RTC", CALR) == CALP
    rtc.advance(3 * 128 / 32_768)
    assert not rtc.read("RTC", ISR) & RECALPF
    rtc.write("RTC", CALR, 100)
    assert rtc.read("RTC", CALR) == 100


@pytest.mark.parametrize(("selection", "calibrated"), [(0, False), (4, True)])
def test_the_wake_up_timer_follows_only_where_it_counts_seconds(rtc, selection, calibrated):
    rtc.write("RTC", CALR, CALP)
    rtc.advance(1.0)
    rtc.write("RTC", WUTR, 9 if selection else 10 * 2048 - 1)
    rtc.write("RTC", CR, BYPSHAD | selection | WUTE)
    period_s = 10 / (1 + ppm(1, 0) * 1e-6) if calibrated else 10
    rtc.advance(period_s - 1e-4)
    assert not rtc.read("RTC", ISR) & WUTF
    rtc.advance(2e-4)
    assert rtc.read("RTC", ISR) & WUTF


def test_an_alarm_comes_at_the_calibrated_time(rtc):
    rtc.write("RTC", CALR, 511)
    rtc.advance(1.0)
    began = seconds(rtc)
    rtc.write("RTC", 0x1C, 0x8000_0000 | 0x1000)  # 00:10:00 every day
    rtc.write("RTC", CR, BYPSHAD | 1 << 8)
    due_s = (600 - began) / (1 + ppm(0, 511) * 1e-6)
    rtc.advance(due_s - 5e-3)
    assert not rtc.read("RTC", ISR) & 1 << 8
    rtc.advance(10e-3)
    assert rtc.read("RTC", ISR) & 1 << 8
