# SPDX-License-Identifier: Apache-2.0
"""Centre-aligned counting, and PWM of two channels joined (RM0351, TIM1: centre-aligned mode, asymmetric and
combined PWM mode).
"""

import pytest

CR1, CR2, SMCR, DIER, SR, EGR, CCMR1, CCER = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x18, 0x20
CNT, ARR, RCR, CCR1, CCR2, BDTR = 0x24, 0x2C, 0x30, 0x34, 0x38, 0x44
CEN, OPM, DIR, ARPE, UG, UIF, MOE = 1, 1 << 3, 1 << 4, 1 << 7, 1, 1, 1 << 15
CENTRED = {number: number << 5 for number in (1, 2, 3)}
PWM1, PWM2 = 6, 7
COMBINED_1, COMBINED_2, ASYMMETRIC_1, ASYMMETRIC_2 = 12, 13, 14, 15
TICK_PS = 250_000  # 4 MHz
RELOAD = 8


@pytest.fixture
def tim1(part):
    """TIM1 at 4 MHz; PA8 is CH1, PA9 CH2."""
    for register, bit in ((0x60, 11), (0x4C, 0)):
        part.enable_clock(register, bit)
    part.write("GPIOA", 0x24, 0x11)
    part.write("GPIOA", 0x00, part.read("GPIOA", 0x00) & ~(0xF << 16) | 0xA << 16)
    part.write("TIM1", ARR, RELOAD)
    part.write("TIM1", BDTR, MOE)
    return part


def modes(first, second=0):
    """CCMR1 for the modes of channels 1 and 2."""
    return sum((mode & 7) << 4 + at | mode >> 3 << 16 + at for at, mode in ((0, first), (8, second)))


def start(part, cr1):
    part.write("TIM1", EGR, UG)
    part.write("TIM1", SR, 0)
    part.write("TIM1", CR1, cr1 | CEN)


def tick(part, ticks=1):
    part.mcu.scheduler.advance_to(part.now_ps + ticks * TICK_PS)


def down(part):
    return bool(part.read("TIM1", CR1) & DIR)


def counts(part, ticks):
    """The count and the direction, over so many counts."""
    seen = []
    for _ in range(ticks):
        seen.append((part.read("TIM1", CNT), down(part)))
        tick(part)
    return seen


def test_it_counts_to_the_reload_value_and_back(tim1):
    start(tim1, CENTRED[1])
    up = [(count, False) for count in range(RELOAD)]
    back = [(count, True) for count in range(RELOAD, 0, -1)]
    assert counts(tim1, 40) == (up + back + up + back + up)[:40]


def test_the_program_cannot_turn_it(tim1):
    start(tim1, CENTRED[3])
    tick(tim1, 3)
    tim1.write("TIM1", CR1, CENTRED[3] | CEN | DIR)
    assert counts(tim1, 3) == [(3, False), (4, False), (5, False)]
    tick(tim1, 4)
    tim1.write("TIM1", CR1, CENTRED[3] | CEN)
    assert counts(tim1, 2) == [(6, True), (5, True)]


def test_a_write_of_an_end_turns_it_and_others_do_not(tim1):
    start(tim1, CENTRED[3])
    tick(tim1, 2)
    tim1.write("TIM1", CNT, 6)
    assert counts(tim1, 2) == [(6, False), (7, False)]
    tim1.write("TIM1", SR, 0)
    tim1.write("TIM1", CNT, RELOAD)
    assert counts(tim1, 2) == [(8, True), (7, True)]
    tim1.write("TIM1", CNT, 0)
    assert counts(tim1, 2) == [(0, False), (1, False)]
    assert not tim1.read("TIM1", SR) & UIF


def test_software_update_starts_it_again_upwards(tim1):
    start(tim1, CENTRED[1])
    tick(tim1, RELOAD + 2)
    assert down(tim1)
    tim1.write("TIM1", EGR, UG)
    assert counts(tim1, 2) == [(0, False), (1, False)]


@pytest.mark.parametrize("interrupt", [False, True])
def test_updates_come_at_both_ends(tim1, interrupt):
    tim1.write("TIM1", DIER, int(interrupt))
    start(tim1, CENTRED[3])
    seen = []
    for at in range(1, 4 * RELOAD + 1):
        tick(tim1)
        if tim1.read("TIM1", SR) & UIF:
            seen.append(at)
            tim1.write("TIM1", SR, 0)
    assert seen == [RELOAD, 2 * RELOAD, 3 * RELOAD, 4 * RELOAD]


def test_an_odd_repetition_leaves_one_end_out(tim1):
    tim1.write("TIM1", RCR, 1)
    start(tim1, CENTRED[3])
    seen = []
    for at in range(1, 6 * RELOAD + 1):
        tick(tim1)
        if tim1.read("TIM1", SR) & UIF:
            seen.append(at)
            tim1.write("TIM1", SR, 0)
    assert seen == [2 * RELOAD, 4 * RELOAD, 6 * RELOAD]


def test_a_long_time_unwatched_leaves_count_and_direction_right(tim1):
    start(tim1, CENTRED[3])
    tick(tim1, 12_345 * 2 * RELOAD + RELOAD + 3)
    assert (tim1.read("TIM1", CNT), down(tim1)) == (RELOAD - 3, True)


def test_one_pulse_mode_stops_at_the_first_update(tim1):
    start(tim1, CENTRED[3] | OPM)
    tick(tim1, 50)
    assert (tim1.read("TIM1", CNT), down(tim1), tim1.read("TIM1", CR1) & CEN) == (RELOAD, True, 0)


def test_a_preloaded_reload_value_is_where_it_turns_back(tim1):
    start(tim1, CENTRED[3] | ARPE)
    tick(tim1, 5)
    tim1.write("TIM1", ARR, 5)
    assert counts(tim1, 6) == [(5, False), (6, False), (7, False), (5, True), (4, True), (3, True)]


@pytest.mark.parametrize(("alignment", "expected"), [(1, [13, 29]), (2, [3, 19]), (3, [3, 13, 19, 29])])
def test_matches_set_flags_on_the_legs_that_the_alignment_selects(tim1, alignment, expected):
    tim1.write("TIM1", CCR1, 3)
    start(tim1, CENTRED[alignment])
    seen = []
    for at in range(1, 4 * RELOAD):
        tick(tim1)
        if tim1.read("TIM1", SR) & 2:
            seen.append(at)
            tim1.write("TIM1", SR, 0)
    assert seen == expected


def edges(part, pins, ticks):
    """(counts since the start, pin, level) of every edge."""
    seen = []
    for pin in pins:
        part.pins[pin].level_out_changed.connect(
            lambda time_ps, level, pin=pin: seen.append((time_ps, pin, level))
        )
    started_ps = part.now_ps
    tick(part, ticks)
    return [((time_ps - started_ps) / TICK_PS, pin, level) for time_ps, pin, level in seen]


@pytest.mark.parametrize("alignment", [1, 2, 3])
def test_pwm_is_symmetric_about_the_turn(tim1, alignment):
    tim1.write("TIM1", CCR1, 3)
    tim1.write("TIM1", CCMR1, modes(PWM1))
    tim1.write("TIM1", CCER, 1)
    start(tim1, CENTRED[alignment])
    assert edges(tim1, ["PA8"], 36) == [
        (3, "PA8", False),
        (13, "PA8", True),
        (19, "PA8", False),
        (29, "PA8", True),
        (35, "PA8", False),
    ]


@pytest.mark.parametrize(("compare", "level"), [(0, False), (RELOAD, True), (RELOAD + 1, True)])
def test_pwm_at_and_beyond_the_ends_is_constant(tim1, compare, level):
    tim1.write("TIM1", CCR1, compare)
    tim1.write("TIM1", CCMR1, modes(PWM1))
    tim1.write("TIM1", CCER, 1)
    start(tim1, CENTRED[1])
    assert tim1.pins["PA8"].level_out is level
    assert edges(tim1, ["PA8"], 40) == []


def test_asymmetric_pwm_takes_each_edge_from_a_channel_of_its_own(tim1):
    """Up by channel 1's value, down by channel 2's."""
    tim1.write("TIM1", CCR1, 3)
    tim1.write("TIM1", CCR2, 6)
    tim1.write("TIM1", CCMR1, modes(ASYMMETRIC_1, ASYMMETRIC_1))
    tim1.write("TIM1", CCER, 0x11)
    start(tim1, CENTRED[3])
    seen = edges(tim1, ["PA8", "PA9"], 32)
    # Down from 8, 6 is reached at 10; PWM 1 of channel 1 alone would come back at 13.
    assert [(at, level) for at, pin, level in seen if pin == "PA8"][:3] == [
        (3, False),
        (10, True),
        (19, False),
    ]
    # Channel 2's pin: up by its own value, down by channel 1's.
    assert [(at, level) for at, pin, level in seen if pin == "PA9"][:3] == [
        (6, False),
        (13, True),
        (22, False),
    ]


@pytest.mark.parametrize(
    ("mode", "partner", "high"),
    [(COMBINED_1, PWM2, {0, 1, 2, 6, 7, 8}), (COMBINED_2, PWM1, {3, 4, 5})],
)
def test_combined_pwm_joins_two_references(tim1, mode, partner, high):
    """Edge-aligned: either below 3 or from 6 on; both from 3 on and below 6."""
    tim1.write("TIM1", CCR1, 3)
    tim1.write("TIM1", CCR2, 6)
    tim1.write("TIM1", CCMR1, modes(mode, partner))
    tim1.write("TIM1", CCER, 1)
    start(tim1, 0)
    seen = set()
    for _ in range(2 * (RELOAD + 1)):
        if tim1.pins["PA8"].level_out:
            seen.add(tim1.read("TIM1", CNT))
        tick(tim1)
    assert seen == high


def test_an_external_clock_counts_in_the_timer_s_direction(tim1):
    """TIM2's updates clock TIM1 (ITR1), down and then up and down."""
    tim1.enable_clock(0x58, 0)
    tim1.write("TIM2", ARR, 3)
    tim1.write("TIM2", CR2, 2 << 4)
    tim1.write("TIM1", SMCR, 1 << 4 | 7)
    for control, expected in ((DIR, [8, 7, 6, 5, 4]), (CENTRED[1], [0, 1, 2, 3, 4, 5, 6, 7, 8, 7, 6, 5])):
        tim1.write("TIM1", CR1, control)
        start(tim1, control)
        tim1.write("TIM2", CR1, 0)
        tim1.write("TIM2", EGR, UG)
        tim1.write("TIM1", EGR, UG)
        tim1.write("TIM2", CR1, CEN)
        seen = []
        for _ in expected:
            seen.append(tim1.read("TIM1", CNT))
            tick(tim1, 4)
        assert seen == expected
        tim1.write("TIM1", CR1, 0)


def test_modes_without_model_are_named(tim1):
    tim1.write("TIM1", CCMR1, modes(8))
    assert any("bit 16" in access.register for access in tim1.mcu.peripherals.unmodelled.accesses)


def test_timers_that_only_count_up_keep_no_direction(part):
    part.enable_clock(0x60, 16)  # TIM15
    part.write("TIM15", CR1, CENTRED[3] | DIR)
    assert part.read("TIM15", CR1) == 0
