# SPDX-License-Identifier: Apache-2.0
"""TIM1 and TIM8: four interrupt lines, complementary outputs with dead time, break, repetition."""

import pytest

CR1, CR2, DIER, SR, EGR, CCMR1, CCER = 0x00, 0x04, 0x0C, 0x10, 0x14, 0x18, 0x20
CNT, ARR, RCR, CCR1, BDTR = 0x24, 0x2C, 0x30, 0x34, 0x44
CEN, OPM, UIF, CC1IF, BIF, UG, BG = 1, 1 << 3, 1, 2, 1 << 7, 1, 1 << 7
PWM1 = 6 << 4
OSSI, OSSR, BKE, BKP, AOE, MOE = (1 << bit for bit in range(10, 16))
CC1E, CC1P, CC1NE, CC1NP = 1, 2, 4, 8
TICK_PS = 250_000  # 4 MHz
TIM1_IRQS = {"BRK": 24, "UP": 25, "CC": 27}


@pytest.fixture
def tim1(part):
    """TIM1 at 4 MHz; PA8 is CH1, PA7 CH1N, PB12 the break input, driven low from outside."""
    for register, bit in ((0x60, 11), (0x4C, 0), (0x4C, 1)):
        part.enable_clock(register, bit)
    part.pins["PB12"].set_external_level(False, part.now_ps)
    part.write("GPIOA", 0x20, 1 << 28)
    part.write("GPIOA", 0x24, 1)
    part.write("GPIOA", 0x00, part.read("GPIOA", 0x00) & ~(0xF << 14) | 0xA << 14)
    part.write("GPIOB", 0x24, 1 << 16)
    part.write("GPIOB", 0x00, part.read("GPIOB", 0x00) & ~(3 << 24) | 2 << 24)
    part.write("TIM1", ARR, 99)
    part.write("TIM1", CCR1, 40)
    part.write("TIM1", CCMR1, PWM1)
    return part


def levels(part):
    return part.pins["PA8"].level_out, part.pins["PA7"].level_out


def advance(part, ticks):
    part.mcu.scheduler.advance_to(part.now_ps + ticks * TICK_PS)


def start(part, ccer, bdtr, cr1=CEN):
    part.write("TIM1", CCER, ccer)
    part.write("TIM1", BDTR, bdtr)
    part.write("TIM1", EGR, UG)
    part.write("TIM1", SR, 0)
    part.write("TIM1", CR1, cr1)


def test_without_moe_the_pins_are_let_go(tim1):
    start(tim1, CC1E | CC1NE, 0)
    advance(tim1, 10)
    assert levels(tim1) == (None, None)


def test_complementary_outputs_with_dead_time(tim1):
    edges = []
    for pin in ("PA8", "PA7"):
        tim1.pins[pin].level_out_changed.connect(
            lambda time_ps, level, pin=pin: edges.append((time_ps, pin, level))
        )
    start(tim1, CC1E | CC1NE, MOE | 5)
    started_ps = tim1.now_ps
    advance(tim1, 250)
    ticks = [((time_ps - started_ps) / TICK_PS, pin, level) for time_ps, pin, level in edges]
    assert [edge for edge in ticks if edge[0] >= 40][:6] == [
        (40, "PA8", False),
        (45, "PA7", True),
        (100, "PA7", False),
        (105, "PA8", True),
        (140, "PA8", False),
        (145, "PA7", True),
    ]


@pytest.mark.parametrize(
    ("code", "steps"),
    [(0x7F, 127), (0x80, 128), (0xBF, 254), (0xC0, 256), (0xDF, 504), (0xE0, 512), (0xFF, 1008)],
)
def test_the_dead_time_code(tim1, code, steps):
    tim1.write("TIM1", ARR, 9999)
    tim1.write("TIM1", CCR1, 5000)
    start(tim1, CC1E | CC1NE, MOE | code)
    advance(tim1, 5000 + steps - 1)
    assert levels(tim1) == (False, False)
    advance(tim1, 1)
    assert levels(tim1) == (False, True)


def test_a_complementary_output_alone_follows_the_reference(tim1):
    start(tim1, CC1NE, MOE)
    advance(tim1, 10)
    assert levels(tim1) == (None, True)
    advance(tim1, 50)
    assert levels(tim1) == (None, False)


def test_polarities(tim1):
    start(tim1, CC1E | CC1P | CC1NE | CC1NP, MOE)
    advance(tim1, 10)
    assert levels(tim1) == (False, True)


def test_the_break_input_puts_the_outputs_into_their_idle_state(tim1):
    tim1.write("TIM1", CR2, 1 << 9)  # OIS1N
    tim1.write("TIM1", DIER, 1 << 7)
    start(tim1, CC1E | CC1NE, MOE | OSSI | BKE | BKP)
    advance(tim1, 10)
    assert levels(tim1) == (True, False)
    tim1.pins["PB12"].set_external_level(True, tim1.now_ps)
    assert levels(tim1) == (False, True)
    assert not tim1.read("TIM1", BDTR) & MOE
    assert tim1.read("TIM1", SR) & BIF
    tim1.set_bits("TIM1", BDTR, MOE)
    assert not tim1.read("TIM1", BDTR) & MOE  # the break is still there
    tim1.pins["PB12"].set_external_level(False, tim1.now_ps)
    tim1.set_bits("TIM1", BDTR, MOE)
    assert tim1.read("TIM1", BDTR) & MOE


def test_automatic_output_enable_waits_for_the_next_update(tim1):
    start(tim1, CC1E, MOE | AOE | BKE | BKP)
    advance(tim1, 10)
    tim1.pins["PB12"].set_external_level(True, tim1.now_ps)
    tim1.pins["PB12"].set_external_level(False, tim1.now_ps)
    assert levels(tim1)[0] is None
    advance(tim1, 91)
    assert levels(tim1)[0] is True


def test_software_break(tim1):
    start(tim1, CC1E, MOE)
    tim1.write("TIM1", EGR, BG)
    assert (tim1.read("TIM1", BDTR) & MOE, tim1.read("TIM1", SR) & BIF) == (0, BIF)


@pytest.mark.parametrize("polling", [True, False])
def test_the_repetition_counter_leaves_updates_out(tim1, polling):
    tim1.write("TIM1", RCR, 2)
    tim1.write("TIM1", DIER, 0 if polling else 1)
    start(tim1, 0, 0)
    seen = []
    for period in range(1, 8):
        advance(tim1, 100)
        if tim1.read("TIM1", SR) & UIF:
            seen.append(period)
            tim1.write("TIM1", SR, 0)
    assert seen == [3, 6]


def test_one_pulse_mode_ends_after_the_repetitions(tim1):
    tim1.write("TIM1", RCR, 1)
    start(tim1, 0, 0, CEN | OPM)
    advance(tim1, 150)
    assert tim1.read("TIM1", CR1) & CEN
    advance(tim1, 60)
    assert not tim1.read("TIM1", CR1) & CEN


def test_each_kind_of_event_has_its_interrupt(tim1):
    raised = dict.fromkeys(TIM1_IRQS, False)
    start(tim1, 0, MOE)
    tim1.write("TIM1", DIER, 1 | 2 | 1 << 7)
    pending = tim1.mcu.core
    assert read_pending(pending) == 0
    advance(tim1, 40)
    raised["CC"] = read_pending(pending) == 1 << TIM1_IRQS["CC"]
    advance(tim1, 61)
    raised["UP"] = bool(read_pending(pending) & 1 << TIM1_IRQS["UP"])
    tim1.write("TIM1", EGR, BG)
    raised["BRK"] = bool(read_pending(pending) & 1 << TIM1_IRQS["BRK"])
    assert raised == dict.fromkeys(TIM1_IRQS, True)


def read_pending(core):
    return core.debug_read(0xE000_E200, 4) & (1 << 24 | 1 << 25 | 1 << 26 | 1 << 27)
