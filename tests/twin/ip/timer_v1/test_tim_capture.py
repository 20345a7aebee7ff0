# SPDX-License-Identifier: Apache-2.0
"""Input capture: pins, and the clocks that firmware measures through TIM15 and TIM16."""

import pytest

from tests.twin.powered_part import Part

CR1, CR2, SMCR, DIER, SR, EGR, CCMR1, CCER = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x18, 0x20
CNT, PSC, ARR, CCR1, CCR2, OR1 = 0x24, 0x28, 0x2C, 0x34, 0x38, 0x50
CEN, CC1IF, CC2IF, CC1OF, CC1DE = 1, 1 << 1, 1 << 2, 1 << 9, 1 << 9
DIRECT, INDIRECT = 1, 2
TICK_PS = 250_000  # 4 MHz
FROM_LSI, FROM_LSE, FROM_RTC_WAKEUP = 1, 2, 3


@pytest.fixture
def tim(part):
    """TIM2 and TIM16 at 4 MHz; PA5 is TIM2_CH1 and PA1 TIM2_CH2, both driven low from outside."""
    for register, bit in ((0x58, 0), (0x60, 17), (0x60, 16), (0x4C, 0), (0x58, 28)):
        part.enable_clock(register, bit)
    for pin in ("PA5", "PA1"):
        part.pins[pin].set_external_level(False, part.now_ps)
    part.write("GPIOA", 0x20, 1 << 20 | 1 << 4)
    part.write("GPIOA", 0x00, part.read("GPIOA", 0x00) & ~(3 << 10 | 3 << 2) | 2 << 10 | 2 << 2)
    return part


def at_tick(part, tick, started_ps):
    part.mcu.scheduler.advance_to(started_ps + tick * TICK_PS)


def drive(part, pin, level):
    part.pins[pin].set_external_level(level, part.now_ps)


def start_capture(part, ccmr1=DIRECT, ccer=1, name="TIM2"):
    part.write(name, CCMR1, ccmr1)
    part.write(name, CCER, ccer)
    part.write(name, CR1, CEN)
    return part.now_ps


@pytest.mark.parametrize(
    ("polarity", "captured"), [(0x0, [100, 300]), (0x2, [200, 400]), (0xA, [100, 200, 300, 400])]
)
def test_the_chosen_edges_are_captured_with_their_time(tim, polarity, captured):
    started_ps = start_capture(tim, ccer=1 | polarity)
    seen = []
    for tick, level in ((100, True), (200, False), (300, True), (400, False)):
        at_tick(tim, tick, started_ps)
        drive(tim, "PA5", level)
        if tim.read("TIM2", SR) & CC1IF:
            seen.append(tim.read("TIM2", CCR1))
    assert seen == captured


def test_reading_the_capture_clears_its_flag_and_a_lost_one_is_flagged(tim):
    started_ps = start_capture(tim)
    for tick, level in ((10, True), (20, False), (30, True)):
        at_tick(tim, tick, started_ps)
        drive(tim, "PA5", level)
    assert tim.read("TIM2", SR) & (CC1IF | CC1OF) == CC1IF | CC1OF
    assert tim.read("TIM2", CCR1) == 30
    assert tim.read("TIM2", SR) & (CC1IF | CC1OF) == CC1OF
    tim.write("TIM2", CCR1, 7)  # read-only while it captures
    assert tim.read("TIM2", CCR1) == 30


@pytest.mark.parametrize(("code", "every"), [(0, 1), (1, 2), (2, 4), (3, 8)])
def test_the_prescaler_captures_every_nth_edge(tim, code, every):
    started_ps = start_capture(tim, ccmr1=DIRECT | code << 2)
    captured = []
    for edge in range(1, 17):
        at_tick(tim, 10 * edge, started_ps)
        drive(tim, "PA5", True)
        drive(tim, "PA5", False)
        if tim.read("TIM2", SR) & CC1IF:
            captured.append(edge)
            tim.read("TIM2", CCR1)
    assert captured == list(range(every, 17, every))


def test_one_input_measures_period_and_width(tim):
    """PWM input mode: rising edges of TI1 go to channel 1 and reset the counter, falling ones to 2."""
    tim.write("TIM2", SMCR, 5 << 4 | 4)
    started_ps = start_capture(tim, ccmr1=DIRECT | INDIRECT << 8, ccer=1 | (1 | 2) << 4)
    for period in range(3):
        at_tick(tim, 1000 * period + 500, started_ps)
        drive(tim, "PA5", True)
        at_tick(tim, 1000 * period + 800, started_ps)
        drive(tim, "PA5", False)
    at_tick(tim, 3500, started_ps)
    drive(tim, "PA5", True)
    assert (tim.read("TIM2", CCR1), tim.read("TIM2", CCR2)) == (1000, 300)


def test_an_input_channel_drives_no_pin_and_its_filter_is_no_output_mode(tim):
    drive(tim, "PA5", None)
    start_capture(tim, ccmr1=DIRECT | 6 << 4)  # a filter whose code would be PWM mode 1
    tim.advance(1e-4)
    assert tim.pins["PA5"].level_out is None


def test_a_capture_asks_for_dma_and_an_interrupt(tim):
    tim.enable_clock(0x48, 0)
    destination = 0x2000_4000
    tim.write("DMA1", 0xA8, 4 << 16)  # channel 5, request 4: TIM2_CH1
    tim.write("DMA1", 0x58 + 4, 2)
    tim.write("DMA1", 0x58 + 8, 0x4000_0034)
    tim.write("DMA1", 0x58 + 12, destination)
    tim.write("DMA1", 0x58, 1 | 1 << 7 | 2 << 8 | 2 << 10)
    tim.write("TIM2", DIER, CC1DE)
    started_ps = start_capture(tim)
    for tick in (40, 90):
        at_tick(tim, tick, started_ps)
        drive(tim, "PA5", True)
        drive(tim, "PA5", False)
    assert [tim.mcu.core.debug_read(destination + 4 * n, 4) for n in range(2)] == [40, 90]


def start_lse(part):
    part.set_bits("PWR", 0x00, 1 << 8)
    part.write("RCC", 0x90, 1)
    part.advance(2.1)


@pytest.mark.parametrize(("divider_code", "edges"), [(0, 1), (3, 8)])
def test_tim16_measures_the_lse(tim, divider_code, edges):
    start_lse(tim)
    tim.write("TIM16", OR1, FROM_LSE)
    start_capture(tim, ccmr1=DIRECT | divider_code << 2, name="TIM16")
    tim.advance(10 * edges / 32_768)
    first = tim.read("TIM16", CCR1)
    tim.advance(edges / 32_768)
    assert tim.read("TIM16", SR) & CC1IF
    elapsed = (tim.read("TIM16", CCR1) - first) & 0xFFFF
    assert elapsed == pytest.approx(edges * 4e6 / 32_768, abs=1)


def measured_lsi_hz(lsi_hz):
    part = Part(lsi_hz)
    part.enable_clock(0x60, 17)
    part.set_bits("RCC", 0x94, 1)
    part.write("TIM16", OR1, FROM_LSI)
    start_capture(part, ccmr1=DIRECT | 3 << 2, name="TIM16")
    part.advance(1.5e-3)
    first = part.read("TIM16", CCR1)
    part.advance(4e-3)
    last = part.read("TIM16", CCR1)
    count = round(((last - first) & 0xFFFF) * lsi_hz / 8 / 4e6)
    return 8 * count * 4e6 / ((last - first) & 0xFFFF)


@pytest.mark.parametrize("lsi_hz", [31_040, 32_000, 32_960])
def test_tim16_finds_what_this_parts_lsi_runs_at(lsi_hz):
    assert measured_lsi_hz(lsi_hz) == pytest.approx(lsi_hz, rel=2e-4)


def test_a_clock_that_stops_is_captured_no_more(tim):
    start_lse(tim)
    tim.write("TIM16", OR1, FROM_LSE)
    start_capture(tim, name="TIM16")
    tim.advance(1e-3)
    tim.read("TIM16", CCR1)
    tim.mcu.peripherals.rcc.stop_lse_crystal()
    tim.write("TIM16", SR, 0)
    tim.advance(1e-3)
    assert not tim.read("TIM16", SR) & CC1IF


def test_a_remapped_input_does_not_listen_to_its_pin(tim):
    tim.enable_clock(0x4C, 1)
    drive(tim, "PB8", False)
    tim.write("GPIOB", 0x24, 14)
    tim.write("GPIOB", 0x00, part_mode(tim))
    start_capture(tim, name="TIM16")
    drive(tim, "PB8", True)
    assert tim.read("TIM16", SR) & CC1IF
    tim.write("TIM16", SR, 0)
    tim.write("TIM16", OR1, FROM_LSI)  # the LSI is off
    drive(tim, "PB8", False)
    drive(tim, "PB8", True)
    assert not tim.read("TIM16", SR) & CC1IF


def part_mode(part):
    return part.read("GPIOB", 0x00) & ~(3 << 16) | 2 << 16


def test_tim16_captures_the_rtcs_wake_up(tim):
    start_lse(tim)
    tim.write("RCC", 0x90, 0x8101)
    tim.write("TIM16", OR1, FROM_RTC_WAKEUP)
    tim.write("TIM16", PSC, 3999)
    tim.write("TIM16", EGR, 1)
    for key in (0xCA, 0x53):
        tim.write("RTC", 0x24, key)
    start_capture(tim, name="TIM16")
    tim.write("RTC", 0x14, 2047)
    tim.write("RTC", 0x08, 1 << 10 | 1 << 14)
    tim.advance(1.5)
    assert tim.read("TIM16", CCR1) == pytest.approx(1000, abs=1)


@pytest.mark.parametrize("lsi_hz", [31_040, 32_960])
def test_the_rtc_and_the_watchdog_run_at_this_parts_lsi(lsi_hz):
    part = Part(lsi_hz)
    part.enable_clock(0x58, 28)
    part.set_bits("PWR", 0x00, 1 << 8)
    part.set_bits("RCC", 0x94, 1)
    part.write("RCC", 0x90, 0x8200)
    part.advance(1e-3)
    for key in (0xCA, 0x53):
        part.write("RTC", 0x24, key)
    part.write("RTC", 0x14, 1999)  # 2000 * 16 ticks: 1 s of a nominal LSI
    part.write("RTC", 0x08, 1 << 10 | 1 << 14)
    assert not part.read("RTC", 0x0C) & 1 << 10
    part.advance(32_000 / lsi_hz - 1e-4)
    assert not part.read("RTC", 0x0C) & 1 << 10
    part.advance(2e-4)
    assert part.read("RTC", 0x0C) & 1 << 10
    part.write("RCC", 0x94, 1 << 23 | 1)
    part.write("IWDG", 0x00, 0xCCCC)  # 4096 ticks of LSI / 4
    part.advance(4 * 4096 / lsi_hz - 1e-4)
    assert not part.read("RCC", 0x94) & 1 << 29
    part.advance(2e-4)
    assert part.read("RCC", 0x94) & 1 << 29


def test_an_input_filter_is_named(part):
    part.enable_clock(0x58, 0)
    part.write("TIM2", 0x18, 0x0068)  # a PWM mode: no filter
    assert part.mcu.peripherals.unmodelled.accesses == []
    part.write("TIM2", 0x18, 0x00F1)
    named = {access.register.partition(" (")[0] for access in part.mcu.peripherals.unmodelled.accesses}
    assert named == {"TIM2.CCMR1_Output bit 4", "TIM2.CCMR1_Output bit 7"}
