# SPDX-License-Identifier: Apache-2.0
import pytest

CR1, CR2, DIER, SR, EGR, CCMR1, CCER, CNT, PSC, ARR, CCR1, CCR3, BDTR = (
    0x00, 0x04, 0x0C, 0x10, 0x14, 0x18, 0x20, 0x24, 0x28, 0x2C, 0x34, 0x3C, 0x44,
)  # fmt: skip
CEN, UG, UIF, CC1IF, CC1IE, CC1DE, UDE, MOE = 1, 1, 1, 2, 2, 1 << 9, 1 << 8, 1 << 15
PWM1, TOGGLE, PRELOAD = 6 << 4, 3 << 4, 1 << 3
TICK_PS = 250_000
PS_LIMIT = 10**9


@pytest.fixture
def tim(part):
    """TIM2 and TIM16 clocked at 4 MHz; PA5 is TIM2_CH1, PB8 is TIM16_CH1. ``edges`` of PA5."""
    part.enable_clock(0x58, 0)
    part.enable_clock(0x60, 17)
    part.enable_clock(0x4C, 0)
    part.enable_clock(0x4C, 1)
    part.write("GPIOA", 0x20, 1 << 20)
    part.write("GPIOA", 0x00, part.read("GPIOA", 0x00) & ~(1 << 10))
    part.write("GPIOB", 0x24, 14)
    part.write("GPIOB", 0x00, part.read("GPIOB", 0x00) & ~(1 << 16))
    part.edges = []
    part.pins["PA5"].level_out_changed.connect(lambda time_ps, level: part.edges.append((time_ps, level)))
    return part


def start(part, name="TIM2", mode=PWM1 | PRELOAD, reload=99, compare=25):
    part.write(name, ARR, reload)
    part.write(name, CCR1, compare)
    part.write(name, CCMR1, mode)
    part.write(name, CCER, 1)
    part.write(name, EGR, UG)
    part.write(name, SR, 0)
    part.write(name, CR1, CEN)
    return part.now_ps


def edges_after(part, started_ps):
    """Ticks since ``started_ps`` and levels of PA5's edges."""
    edges = [edge for edge in part.edges if edge[0] > started_ps]
    return [((time_ps - started_ps) // TICK_PS, level) for time_ps, level in edges]


def test_pwm_on_the_pin_has_the_period_of_arr_and_the_width_of_ccr(tim):
    started_ps = start(tim)
    tim.advance(250 * TICK_PS * 1e-12)
    after = [
        ((time_ps - started_ps) // TICK_PS, level) for time_ps, level in tim.edges if time_ps > started_ps
    ]
    assert after == [(25, False), (100, True), (125, False), (200, True), (225, False)]


def test_preloaded_compare_value_waits_for_the_update(tim):
    started_ps = start(tim)
    tim.write("TIM2", CCR1, 50)
    tim.advance(160 * TICK_PS * 1e-12)
    after = [
        ((time_ps - started_ps) // TICK_PS, level) for time_ps, level in tim.edges if time_ps > started_ps
    ]
    assert after == [(25, False), (100, True), (150, False)]


def test_toggle_mode_halves_the_frequency(tim):
    started_ps = start(tim, mode=TOGGLE)
    tim.advance(330 * TICK_PS * 1e-12)
    after = [
        ((time_ps - started_ps) // TICK_PS, level) for time_ps, level in tim.edges if time_ps > started_ps
    ]
    assert after == [(25, True), (125, False), (225, True), (325, False)]


def test_compare_match_interrupts_at_its_tick(tim):
    tim.write("TIM2", DIER, CC1IE)
    started_ps = start(tim)
    scheduler = tim.mcu.scheduler
    requests = tim.mcu.peripherals.timers["TIM2"].requests._interrupts[0][1]
    assert scheduler.advance_until(lambda: requests.level, started_ps + PS_LIMIT)
    assert tim.now_ps == started_ps + 25 * TICK_PS
    tim.write("TIM2", SR, ~CC1IF & 0xFFFF)
    assert not requests.level


def test_polled_flags_are_found_without_interrupts(tim):
    tim.write("TIM2", ARR, 0xFFFF_FFFF)
    tim.write("TIM2", CCR1, 1000)
    tim.write("TIM2", EGR, UG)
    tim.write("TIM2", SR, 0)
    tim.write("TIM2", CR1, CEN)
    tim.advance(999 * TICK_PS * 1e-12)
    assert tim.read("TIM2", SR) == 0
    tim.advance(2 * TICK_PS * 1e-12)
    assert tim.read("TIM2", SR) & CC1IF


def test_value_beyond_the_reload_never_matches(tim):
    start(tim, compare=200)
    tim.advance(1e-3)
    assert not tim.read("TIM2", SR) & CC1IF
    assert tim.pins["PA5"].level_out is True


def test_timers_with_break_drive_only_with_main_output_enable(tim):
    start(tim, name="TIM16")
    tim.advance(1e-6)
    assert tim.pins["PB8"].level_out is None
    tim.write("TIM16", BDTR, MOE)
    assert tim.pins["PB8"].level_out is True


@pytest.mark.parametrize(("enable", "channel"), [(UDE, 2), (CC1DE, 5)])
def test_matches_and_updates_request_dma(tim, enable, channel):
    tim.enable_clock(0x48, 0)
    at = 20 * (channel - 1)
    tim.mcu.core.memory.write_ram(0x2000_0100, bytes([10, 0, 0, 0, 20, 0, 0, 0, 30, 0, 0, 0]))
    tim.write("DMA1", 0xA8, 4 << 4 * (channel - 1))
    tim.write("DMA1", 0x0C + at, 3)
    tim.write("DMA1", 0x10 + at, 0x4000_003C)  # CCR3
    tim.write("DMA1", 0x14 + at, 0x2000_0100)
    tim.write("DMA1", 0x08 + at, 1 | 1 << 4 | 1 << 7 | 2 << 8 | 2 << 10)
    tim.write("TIM2", DIER, enable)
    tim.write("TIM2", CCMR1, 0)
    start(tim)
    values = []
    for _ in range(3):
        tim.advance(100 * TICK_PS * 1e-12)
        values.append(tim.read("TIM2", CCR3))
    assert values[-1] == 30
    assert tim.read("DMA1", 0x0C + at) == 0
