# SPDX-License-Identifier: Apache-2.0
"""Slave modes: reset, gate, trigger, external clocks, the encoder interface, and timers that clock timers."""

import pytest

CR1, CR2, SMCR, DIER, SR, EGR, CCMR1, CCER = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x18, 0x20
CNT, PSC, ARR, RCR, CCR1 = 0x24, 0x28, 0x2C, 0x30, 0x34
CEN, UIF, TIF, DIR, ECE = 1, 1, 1 << 6, 1 << 4, 1 << 14
TI1, TI2, ETR = 5, 6, 7
TICK_S = 250e-9  # 4 MHz


@pytest.fixture
def tim(part):
    """TIM2 and TIM3 at 4 MHz; PA5 is TI1, PA1 TI2, PA15 ETR of TIM2, all driven low from outside."""
    for register, bit in ((0x58, 0), (0x58, 1), (0x60, 16), (0x60, 17), (0x4C, 0)):
        part.enable_clock(register, bit)
    for pin in ("PA5", "PA1", "PA15"):
        part.pins[pin].set_external_level(False, part.now_ps)
    part.write("GPIOA", 0x20, 1 << 20 | 1 << 4)
    part.write("GPIOA", 0x24, 2 << 28)
    mode = part.read("GPIOA", 0x00) & ~(3 << 10 | 3 << 2 | 3 << 30) | 2 << 10 | 2 << 2 | 2 << 30
    part.write("GPIOA", 0x00, mode)
    part.write("TIM2", CCMR1, 1 | 1 << 8)
    return part


def drive(part, pin, level):
    part.pins[pin].set_external_level(level, part.now_ps)


def pulse(part, pin="PA5"):
    drive(part, pin, True)
    drive(part, pin, False)


def slave(part, mode, trigger=TI1, name="TIM2"):
    part.write(name, SMCR, trigger << 4 | mode & 7 | mode >> 3 << 16)


def test_reset_mode_starts_the_count_anew(tim):
    slave(tim, 4)
    tim.write("TIM2", CR1, CEN)
    tim.advance(100 * TICK_S)
    pulse(tim)
    assert tim.read("TIM2", CNT) == 0
    assert tim.read("TIM2", SR) & (UIF | TIF) == UIF | TIF
    tim.advance(30 * TICK_S)
    assert tim.read("TIM2", CNT) == 30


def test_gated_mode_counts_while_the_trigger_is_high(tim):
    slave(tim, 5)
    tim.write("TIM2", CR1, CEN)
    tim.advance(50 * TICK_S)
    assert tim.read("TIM2", CNT) == 0
    drive(tim, "PA5", True)
    tim.advance(40 * TICK_S)
    drive(tim, "PA5", False)
    tim.advance(50 * TICK_S)
    assert tim.read("TIM2", CNT) == 40


def test_trigger_mode_starts_the_counter(tim):
    slave(tim, 6, TI2)
    tim.advance(50 * TICK_S)
    assert tim.read("TIM2", CNT) == 0
    pulse(tim, "PA1")
    assert tim.read("TIM2", CR1) & CEN
    tim.advance(20 * TICK_S)
    assert tim.read("TIM2", CNT) == 20


def test_external_clock_mode_1_counts_edges_through_the_prescaler(tim):
    slave(tim, 7)
    tim.write("TIM2", ARR, 4)
    tim.write("TIM2", PSC, 1)
    tim.write("TIM2", EGR, 1)
    tim.write("TIM2", SR, 0)
    tim.write("TIM2", CR1, CEN)
    counts = []
    for _ in range(11):
        pulse(tim)
        counts.append(tim.read("TIM2", CNT))
    assert counts == [0, 1, 1, 2, 2, 3, 3, 4, 4, 0, 0]
    assert tim.read("TIM2", SR) & UIF
    tim.advance(1e-3)
    assert tim.read("TIM2", CNT) == 0  # no other clock


def test_external_clock_mode_2_counts_etr(tim):
    tim.write("TIM2", SMCR, ECE)
    tim.write("TIM2", CR1, CEN)
    for _ in range(5):
        pulse(tim, "PA15")
    pulse(tim)
    assert tim.read("TIM2", CNT) == 5


QUARTER_TURN = (("PA5", True), ("PA1", True), ("PA5", False), ("PA1", False))


@pytest.mark.parametrize(("mode", "edges_counted"), [(1, 2), (2, 2), (3, 4)])
def test_the_encoder_interface_counts_both_ways(tim, mode, edges_counted):
    slave(tim, mode)
    tim.write("TIM2", ARR, 99)
    tim.write("TIM2", CR1, CEN)
    for _ in range(3):
        for pin, level in QUARTER_TURN:
            drive(tim, pin, level)
    assert tim.read("TIM2", CNT) == 3 * edges_counted
    assert not tim.read("TIM2", CR1) & DIR
    for _ in range(4):
        for pin, level in reversed(QUARTER_TURN):
            drive(tim, pin, not level)
    assert tim.read("TIM2", CNT) == (100 - edges_counted) % 100  # below zero to the reload value
    assert tim.read("TIM2", CR1) & DIR
    assert tim.read("TIM2", SR) & UIF


def test_one_timer_clocks_another(tim):
    """TIM2 counts TIM3's updates (ITR2): a counter of more bits."""
    slave(tim, 7, 2)
    tim.write("TIM2", CR1, CEN)
    tim.write("TIM3", ARR, 9)
    tim.write("TIM3", CR2, 2 << 4)
    tim.write("TIM3", CR1, CEN)
    tim.advance(1005 * TICK_S)
    assert (tim.read("TIM2", CNT), tim.read("TIM3", CNT)) == (100, 5)


def test_tim16_triggers_tim15_by_its_reference(tim):
    slave(tim, 7, 2, "TIM15")
    tim.write("TIM15", CR1, CEN)
    tim.write("TIM16", ARR, 99)
    tim.write("TIM16", CCR1, 50)
    tim.write("TIM16", CCMR1, 7 << 4)
    tim.write("TIM16", CR1, CEN)
    tim.advance(560 * TICK_S)
    assert tim.read("TIM15", CNT) == 6


def test_a_timer_counts_down(tim):
    tim.write("TIM3", ARR, 99)
    tim.write("TIM3", CR1, DIR)
    tim.write("TIM3", EGR, 1)
    tim.write("TIM3", SR, 0)
    assert tim.read("TIM3", CNT) == 99
    tim.write("TIM3", CCR1, 30)
    tim.write("TIM3", CR1, CEN | DIR)
    tim.advance(68.5 * TICK_S)
    assert (tim.read("TIM3", CNT), tim.read("TIM3", SR) & 2) == (31, 0)
    tim.advance(TICK_S)
    assert (tim.read("TIM3", CNT), tim.read("TIM3", SR) & 3) == (30, 2)
    tim.advance(31 * TICK_S)
    assert (tim.read("TIM3", CNT), tim.read("TIM3", SR) & 1) == (99, 1)
