# SPDX-License-Identifier: Apache-2.0
"""Traps that refuse a low-power mode or land in another (A), and debug logic left on (B)."""

import pytest

STOP2_A = 1.18e-6
"""RTC off, 25 °C, 3.0 V: DS10198 Rev 8, T45."""


def entered(trap_part, entry):
    part = trap_part(entry).start()
    return part.mcu.mode, part.current_a


@pytest.mark.parametrize(
    ("name", "mode", "current_a", "source"),
    [
        ("a1_lpr_set", "stop1", 6.65e-6, "T46"),
        ("a2_power_clock_off", "stop0", 111e-6, "T47"),
        ("a3_mode_left_at_reset", "stop0", 111e-6, "T47"),
        ("a6_stop2_from_low_power_run", "stop1", 6.65e-6, "T46"),
        ("b1_debug_in_stop", "stop2", 260e-6, "T42: Sleep at 4 MHz, range 1, as assumption dbg_stop has it"),
    ],
)
def test_lands_in_another_mode(trap_part, name, mode, current_a, source):
    assert entered(trap_part, f"{name}_avoided") == ("stop2", pytest.approx(STOP2_A))
    assert entered(trap_part, f"{name}_trap") == (mode, pytest.approx(current_a)), source


@pytest.mark.parametrize("name", ["a4_line_pending", "a4_rtc_flag_left"])
def test_pending_wake_up_lets_the_program_run_on(trap_part, name):
    trapped = trap_part(f"{name}_trap").start(0.013)
    assert trapped.mcu.mode == "run"
    cycles = trapped.mcu.core.cycle_count
    trapped.advance(1e-3)
    assert trapped.mcu.core.cycle_count - cycles > 3_900  # 4 MHz: it executes all the time
    assert trapped.current_a > 500e-6  # T27
    assert trap_part(f"{name}_avoided").start(0.013).mcu.mode == "stop2"


def test_tick_wakes_from_sleep_every_millisecond(trap_part):
    trapped, avoided = (trap_part(f"a5_tick_left_running_{end}").start() for end in ("trap", "avoided"))
    asleep_a = avoided.mean_current_a(0.1)
    cycles = trapped.mcu.core.cycle_count
    raised_a = trapped.mean_current_a(0.1)
    awake = (trapped.mcu.core.cycle_count - cycles) / (0.1 * 4e6)
    assert 100 * 150 < trapped.mcu.core.cycle_count - cycles < 100 * 400
    assert avoided.mcu.core.state == "sleeping"
    assert raised_a > asleep_a * (1 + awake)


def test_stopping_the_fast_msi_hangs_the_entry(trap_part):
    trapped = trap_part("a7_fast_msi_stopped_trap").start()
    assert trapped.mcu.mode == "sleep"
    assert trapped.current_a > 700e-6  # Sleep at HSI16 in range 1: T42
    assert entered(trap_part, "a7_fast_msi_stopped_avoided") == ("stop2", pytest.approx(STOP2_A))


def test_late_write_of_cr4_is_lost_and_the_button_does_not_wake(trap_part):
    for end, woken in (("trap", False), ("avoided", True)):
        part = trap_part(f"a8_cr4_written_last_{end}")
        part.drive("PC13", True)
        part.start()
        assert part.mcu.mode == "standby", end
        part.drive("PC13", False)
        part.advance(10e-6)
        assert (part.current_a > 1e-3) is woken, end  # the wake-up draws 1.7 mA: T48


def test_temperature_sensor_left_on_ends_stop_in_a_brown_out_reset(trap_part):
    trapped = trap_part("a9_temperature_sensor_left_on_trap").start()
    assert trapped.mean_current_a(10e-3) > 200e-6
    assert entered(trap_part, "a9_temperature_sensor_left_on_avoided") == ("stop2", pytest.approx(STOP2_A))


def test_debugger_leaves_dbgmcu_set_until_the_supply_goes(trap_part):
    dbgmcu_cr = 0xE004_2004
    part = trap_part("b1_debug_in_stop_avoided")
    part.mcu.set_nrst(True)
    part.start()
    part.mcu.core.debug_write(dbgmcu_cr, 4, 0x7)  # what pyOCD does at every connect
    part.mcu.set_nrst(False)
    part.advance(0.01)
    assert (part.mcu.mode, part.current_a) == ("stop2", pytest.approx(260e-6))
    part.mcu.set_nrst(True)
    part.mcu.set_nrst(False)
    part.advance(0.01)
    assert part.current_a == pytest.approx(260e-6)
    part.mcu.set_supply_voltage(0.0)
    part.start()
    assert part.current_a == pytest.approx(STOP2_A)
