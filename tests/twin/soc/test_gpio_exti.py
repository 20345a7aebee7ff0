# SPDX-License-Identifier: Apache-2.0
import pytest

from hil.twin.core.state_layout import EVENT_REGISTER

MODER, OTYPER, PUPDR, IDR, ODR, BSRR, BRR = 0x00, 0x04, 0x0C, 0x10, 0x14, 0x18, 0x28
RTSR1, FTSR1, SWIER1, PR1, IMR1, EMR1 = 0x08, 0x0C, 0x10, 0x14, 0x00, 0x04
PS_PER_S = 10**12


def test_output_drives_the_pin_with_the_time(part):
    part.enable_clock(0x4C, 0)
    edges = []
    part.pins["PA8"].level_out_changed.connect(lambda time_ps, level: edges.append((time_ps, level)))
    part.write("GPIOA", MODER, 0xABFF_FFFF & ~(3 << 16) | 1 << 16)
    first_ps = part.now_ps
    part.advance(1e-6)
    part.write("GPIOA", BSRR, 1 << 8)
    part.advance(1e-6)
    part.write("GPIOA", BSRR, 1 << 24)
    assert edges == [(first_ps, False), (first_ps + 10**6, True), (first_ps + 2 * 10**6, False)]


def test_set_wins_over_reset_in_bsrr(part):
    part.enable_clock(0x4C, 0)
    part.write("GPIOA", BSRR, 1 << 3 | 1 << 19)
    assert part.read("GPIOA", ODR) == 8
    part.write("GPIOA", BRR, 8)
    assert part.read("GPIOA", ODR) == 0


def test_open_drain_pulls_low_only(part):
    part.enable_clock(0x4C, 1)
    part.write("GPIOB", OTYPER, 1)
    part.write("GPIOB", MODER, 0xFFFF_FFFD)
    assert part.pins["PB0"].level_out is False
    part.write("GPIOB", BSRR, 1)
    assert part.pins["PB0"].level_out is None


def test_input_reads_outside_level_pull_and_analog_as_zero(part):
    part.enable_clock(0x4C, 2)
    part.pins["PC0"].set_external_level(True, part.now_ps)
    assert part.read("GPIOC", IDR) == 0  # analog after reset
    part.write("GPIOC", MODER, 0)
    assert part.read("GPIOC", IDR) == 1
    part.write("GPIOC", PUPDR, 1 << 2)
    assert part.read("GPIOC", IDR) == 3


def test_system_reset_lets_all_pins_go(part):
    part.enable_clock(0x4C, 0)
    part.write("GPIOA", MODER, 0xABFF_FFFD)
    assert part.pins["PA0"].level_out is False
    part.mcu.system_reset("software")
    assert part.pins["PA0"].level_out is None


def test_exti_takes_the_selected_port_and_edge(part):
    part.enable_clock(0x60, 0)
    part.enable_clock(0x4C, 2)
    part.write("GPIOC", MODER, 0xFFFF_FFFF & ~(3 << 26))
    part.write("EXTI", FTSR1, 1 << 13)
    part.write("EXTI", IMR1, 1 << 13)
    part.pins["PC13"].set_external_level(True, part.now_ps)
    part.pins["PC13"].set_external_level(False, part.now_ps)
    assert part.read("EXTI", PR1) == 0  # EXTICR4 selects port A
    part.write("SYSCFG", 0x14, 2 << 4)
    assert part.read("EXTI", PR1) == 1 << 13  # PA13 is pulled up, PC13 is low: switching over is an edge
    part.write("EXTI", PR1, 1 << 13)
    part.pins["PC13"].set_external_level(True, part.now_ps)
    assert part.read("EXTI", PR1) == 0
    part.pins["PC13"].set_external_level(False, part.now_ps)
    assert part.read("EXTI", PR1) == 1 << 13
    assert part.mcu.core.debug_read(0xE000_E204, 4) & 1 << 8  # interrupt 40 pends
    part.write("EXTI", PR1, 1 << 13)
    assert part.read("EXTI", PR1) == 0


def test_software_trigger_sets_pending_once(part):
    part.write("EXTI", SWIER1, 1 << 5)
    assert part.read("EXTI", PR1) == 1 << 5
    part.write("EXTI", PR1, 1 << 5)
    assert part.read("EXTI", SWIER1) == 0


@pytest.mark.parametrize(
    ("interrupt", "event", "pending"), [(0, 1, False), (1, 0, True), (1, 1, True), (0, 0, True)]
)
@pytest.mark.parametrize("by_software", [False, True])
def test_a_line_that_is_an_event_alone_has_no_pending_bit(part, interrupt, event, pending, by_software):
    part.enable_clock(0x4C, 0)
    part.write("GPIOA", MODER, part.read("GPIOA", MODER) & ~(3 << 10))
    part.pins["PA5"].set_external_level(False, part.now_ps)
    part.write("EXTI", IMR1, interrupt << 5)
    part.write("EXTI", EMR1, event << 5)
    part.write("EXTI", RTSR1, 1 << 5)
    if by_software:
        part.write("EXTI", SWIER1, 1 << 5)
    else:
        part.pins["PA5"].set_external_level(True, part.now_ps)
    assert bool(part.read("EXTI", PR1)) is pending
    assert bool(part.mcu.core._emulator.state[EVENT_REGISTER]) is bool(event)
    assert part.mcu.peripherals.exti.wakeup_pending is pending  # what keeps the part out of Stop


def test_direct_lines_have_no_pending_bit(part):
    part.write("EXTI", SWIER1, 1 << 27)
    assert part.read("EXTI", PR1) == 0


def test_pull_up_against_a_low_line_draws_current(part):
    before_a = part.mcu.supply.current_a
    part.pins["PA13"].set_external_level(False, part.now_ps)
    assert round(part.mcu.supply.current_a - before_a, 9) == round(3.0 / 40e3, 9)


def test_a_locked_pin_keeps_its_configuration_until_a_reset(part):
    part.enable_clock(0x4C, 1)
    for key in (1 << 16 | 1, 1, 1 << 16 | 1):
        part.write("GPIOB", 0x1C, key)
    assert part.read("GPIOB", 0x1C) == 1 << 16 | 1
    part.write("GPIOB", 0x00, 0x5)
    assert part.read("GPIOB", 0x00) & 0xF == 0x7  # pin 0 is still analog
    part.mcu.system_reset("software")
    part.enable_clock(0x4C, 1)
    part.write("GPIOB", 0x00, 0x5)
    assert part.read("GPIOB", 0x00) & 0xF == 0x5


def test_a_wrong_lock_sequence_locks_nothing(part):
    part.enable_clock(0x4C, 1)
    for key in (1 << 16 | 1, 2, 1 << 16 | 1):
        part.write("GPIOB", 0x1C, key)
    assert not part.read("GPIOB", 0x1C) & 1 << 16


@pytest.mark.parametrize(("bank", "line", "irq"), [(0, 21, 64), (0, 22, 64), (0x20, 3, 1), (0x20, 6, 1)])
def test_software_pends_the_lines_of_comparators_and_monitors(part, bank, line, irq):
    part.set_bits("EXTI", bank, 1 << line)
    part.write("EXTI", 0x10 + bank, 1 << line)
    assert part.mcu.core._nvic.level >> 16 + irq & 1
    part.write("EXTI", 0x14 + bank, 1 << line)
    assert not part.mcu.core._nvic.level >> 16 + irq & 1
