# SPDX-License-Identifier: Apache-2.0
"""Traps of clocks and analog blocks that are left on (C)."""

import pytest

STOP2_A = 1.18e-6
"""RTC off, 25 °C, 3.0 V: DS10198 Rev 8, T45."""


@pytest.mark.parametrize(
    ("name", "extra_a", "source"),
    [
        ("c1_hsi16_kept_on", 155e-6, "T59"),
        ("c5_voltage_detector_on", 1.1e-6, "T25"),
        ("c5_brown_out_level_raised", 1.1e-6, "T25"),
        ("c6_monitors_on", 2 * 0.2e-6 + 2 * 2e-6, "T25"),
        ("c7_reference_buffer_on", 16e-6, "T84"),
        ("c8_adc_left_on", 16e-6 + 0.6e-6 + 12.5e-6, "T76, T26"),
        ("c9_switch_booster_on", 900e-6, "T75: the maximum above 2.7 V"),
    ],
)
def test_block_left_on_adds_to_stop_2(trap_part, name, extra_a, source):
    avoided, trapped = (trap_part(f"{name}_{end}").start(0.05) for end in ("avoided", "trap"))
    assert (avoided.mcu.mode, avoided.current_a) == ("stop2", pytest.approx(STOP2_A))
    assert (trapped.mcu.mode, trapped.current_a) == ("stop2", pytest.approx(STOP2_A + extra_a)), source


@pytest.mark.parametrize(("supply_v", "booster_a"), [(1.8, 250e-6), (2.4, 500e-6)])
def test_booster_by_supply_voltage(trap_part, supply_v, booster_a):
    part = trap_part("c9_switch_booster_on_trap").start()
    part.mcu.set_supply_voltage(supply_v)
    assert part.current_a == pytest.approx(booster_a, rel=0.01)  # T75


def test_hard_driven_crystal(trap_part):
    avoided, trapped = (trap_part(f"c2_crystal_driven_hard_{end}").start(2.1) for end in ("avoided", "trap"))
    assert (avoided.mcu.mode, avoided.current_a) == ("stop2", pytest.approx(1.67e-6))  # T45
    assert trapped.current_a == pytest.approx(1.67e-6 + 0.38e-6)  # T58: 630 - 250 nA


def test_rtc_on_lsi_draws_the_same_and_keeps_bad_time(trap_part):
    currents_a, periods_s = [], []
    for end in ("avoided", "trap"):
        part = trap_part(f"c3_rtc_on_lsi_{end}").start(2.1)
        currents_a.append(part.current_a)
        awake = []
        for _ in range(2):
            awake.append(part.time_of_mode("run", limit_s=1.5))
            part.advance(1e-3)
        periods_s.append(awake[1] - awake[0])
    assert currents_a == pytest.approx([1.67e-6, 1.64e-6])  # T45
    assert periods_s[0] == pytest.approx(1.0, abs=2e-4)
    assert periods_s[1] == pytest.approx(32_768 / 32_000, abs=2e-4)  # T61: 32 kHz nominal


def test_polling_for_a_crystal_that_is_not_there(trap_part, monkeypatch):
    parts = {}
    for end in ("avoided", "trap"):
        part = parts[end] = trap_part(f"c4_crystal_polled_{end}")
        # MB1136 C-01 has no crystal
        monkeypatch.setattr(part.mcu.peripherals.rcc.oscillators["lse"], "_start_ps", lambda: None)
        part.start(0.02 if end == "trap" else 1.1)
    assert (parts["trap"].mcu.mode, parts["avoided"].mcu.mode) == ("run", "stop2")
    assert parts["trap"].current_a > 500e-6  # T27
    assert parts["avoided"].current_a == pytest.approx(1.64e-6)  # T45


def test_flash_left_on_in_low_power_sleep(trap_part):
    avoided, trapped = (
        trap_part(f"c10_flash_on_in_low_power_sleep_{end}").start() for end in ("avoided", "trap")
    )
    # Beside the flash, the clock of PWR is on (T51).
    assert (avoided.mcu.mode, avoided.current_a) == (
        "lpsleep",
        pytest.approx(18e-6, rel=0.01),
    )  # T44, 100 kHz
    assert (trapped.mcu.mode, trapped.current_a) == ("lpsleep", pytest.approx(33e-6, rel=0.01))  # T42
    assert trapped.current_a - avoided.current_a == pytest.approx(15e-6)
