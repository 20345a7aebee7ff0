# SPDX-License-Identifier: Apache-2.0
"""Traps of pins (D)."""

import pytest

STOP2_A = 1.18e-6
STANDBY_A = 150e-9
"""RTC off, 25 °C, 3.0 V: DS10198 Rev 8, T45, T48."""
PULL_A = 3.0 / 40e3
"""Through one pull resistor, typical: T70."""


@pytest.mark.parametrize(
    ("name", "low_pins", "extra_a", "source"),
    [
        ("d1_inputs_left_floating", (), 16 * 2e-6, "assumption floating_input"),
        ("d3_pull_up_against_low_line", ("PB0",), PULL_A, "T70"),
        ("d4_debug_pins_unparked", ("PA15", "PB4"), 2 * PULL_A, "T70"),
    ],
)
def test_pins_add_to_stop_2(trap_part, name, low_pins, extra_a, source):
    for end, expected_a in (("avoided", STOP2_A), ("trap", STOP2_A + extra_a)):
        part = trap_part(f"{name}_{end}")
        for pin in low_pins:
            part.drive(pin, False)
        part.start()
        assert (part.mcu.mode, part.current_a) == ("stop2", pytest.approx(expected_a)), source


def test_pull_up_draws_only_while_the_line_is_low(trap_part):
    part = trap_part("d3_pull_up_against_low_line_trap").start()
    for level, extra_a in ((True, 0.0), (False, PULL_A), (None, 0.0)):
        part.drive("PB0", level)
        assert part.current_a == pytest.approx(STOP2_A + extra_a)


def test_debug_pins_cost_nothing_at_their_own_level(trap_part):
    part = trap_part("d4_debug_pins_unparked_trap")
    for pin, level in (("PA13", True), ("PA14", False), ("PA15", True), ("PB4", True)):
        part.drive(pin, level)
    assert part.start().current_a == pytest.approx(STOP2_A)


def test_input_with_a_defined_level_is_no_trap(trap_part):
    part = trap_part("d1_inputs_left_floating_trap")
    for index in range(16):
        part.drive(f"PB{index}", bool(index % 2))
    assert part.start().current_a == pytest.approx(STOP2_A)


def test_wrong_polarity_of_the_button_wakes_at_once(trap_part):
    for end, stays in (("avoided", True), ("trap", False)):
        part = trap_part(f"d5_wakeup_polarity_{end}")
        part.drive("PC13", True)
        part.start(1e-3)
        mean_a = part.mean_current_a(1e-3)
        assert (mean_a < 200e-9) is stays, end
        assert (mean_a > 500e-6) is not stays, end  # it wakes, runs and sleeps all the time


def test_console_pin_as_wake_up_pin(trap_part):
    avoided, trapped = (trap_part(f"d6_console_pin_wakes_{end}").start() for end in ("avoided", "trap"))
    assert (avoided.mcu.mode, avoided.current_a) == ("standby", pytest.approx(STANDBY_A))
    assert trapped.mcu.mode == "standby"
    assert trapped.current_a == pytest.approx(STANDBY_A + 300e-6)  # assumption floating_input: measured
    for part, woken in ((avoided, False), (trapped, True)):
        part.drive("PA2", True)  # a byte on the line
        part.advance(10e-6)
        assert (part.current_a > 1e-3) is woken  # T48: 1.7 mA while waking


def test_output_left_high_into_a_load(trap_part):
    for end, extra_a in (("avoided", 0.0), ("trap", 3.0 / 10e3)):
        part = trap_part(f"pin_left_high_into_load_{end}")
        part.pins["PB0"].connect_load(resistance_ohm=10e3)
        part.start()
        assert part.current_a == pytest.approx(STOP2_A + extra_a)


def test_toggling_charges_the_load_at_every_rising_edge(trap_part):
    trapped, avoided = (trap_part(f"pin_toggled_into_load_{end}") for end in ("trap", "avoided"))
    rising = []
    trapped.pins["PB0"].connect_load(capacitance_f=1e-9)
    trapped.pins["PB0"].level_out_changed.connect(
        lambda time_ps, level: rising.append(time_ps) if level else None
    )
    for part in (trapped, avoided):
        part.mcu._current.settle = lambda: None  # the two are different code, which draws differently
        part.start()
    rising.clear()
    extra_a = trapped.mean_current_a(1e-3) - avoided.mean_current_a(1e-3)
    assert len(rising) > 2
    assert extra_a == pytest.approx(len(rising) * 3.0 * (1e-9 + 5e-12) / 1e-3, rel=1e-6)  # f C V
