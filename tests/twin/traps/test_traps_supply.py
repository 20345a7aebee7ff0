# SPDX-License-Identifier: Apache-2.0
"""What the supply and the surroundings do to a sleeping part, and what a slow ammeter does not see."""

import numpy as np
import pytest

BKP0R, RCC_CSR, RAM = 0x4000_2850, 0x4002_1094, 0x2000_4000
BROWN_OUT_AND_PIN = 0x0C


def test_supply_and_temperature_change_while_it_sleeps(trap_part):
    part = trap_part("a3_mode_left_at_reset_avoided").start()
    for supply_v, temperature_c, current_a in (
        (3.0, 25.0, 1.18e-6),
        (1.8, 25.0, 1.14e-6),
        (3.6, 85.0, 16.0e-6),
        (3.0, 55.0, 3.97e-6),
    ):
        part.mcu.set_supply_voltage(supply_v)
        part.mcu.set_temperature(temperature_c)
        assert part.mcu.mode == "stop2"
        assert part.mean_current_a(1e-3) == pytest.approx(current_a)  # DS10198 Rev 8, T45


def test_droop_below_a_raised_brown_out_level_resets_and_keeps_the_backup_domain(trap_part):
    part = trap_part("c5_brown_out_level_raised_trap").start(0.05)
    part.mcu.peripherals.rtc.words[BKP0R & 0xFF] = 0xCAFE
    part.mcu.set_supply_voltage(2.55)  # level 3 falls at 2.52 V typical: T25
    assert part.mcu.mode == "stop2"
    part.mcu.set_supply_voltage(2.50)
    assert part.mcu.mode == "reset"
    part.mcu.set_supply_voltage(2.60)  # and rises at 2.61 V
    part.advance(1e-3)
    assert part.mcu.mode == "reset"
    part.mcu.set_supply_voltage(3.0)
    part.advance(1e-3)
    assert part.mcu.mode == "stop2"
    assert part.mcu.peripherals.rcc.words[0x94] >> 24 == BROWN_OUT_AND_PIN
    assert part.mcu.peripherals.rtc.words[BKP0R & 0xFF] == 0xCAFE


def test_the_same_droop_passes_at_level_0(trap_part):
    part = trap_part("c5_brown_out_level_raised_avoided").start(0.05)
    part.mcu.set_supply_voltage(1.8)
    assert part.mcu.mode == "stop2"


@pytest.mark.parametrize(("lowest_v", "kept"), [(1.6, True), (1.5, False)])
def test_backup_domain_lives_down_to_the_lowest_vbat(trap_part, lowest_v, kept):
    part = trap_part("a3_mode_left_at_reset_avoided").start()
    part.mcu.peripherals.rtc.words[BKP0R & 0xFF] = 0xCAFE
    part.mcu.set_supply_voltage(lowest_v)  # 1.55 V: T23
    assert (part.mcu.mode, part.current_a) == ("off", 0.0)
    part.start()
    assert (part.mcu.peripherals.rtc.words[BKP0R & 0xFF] == 0xCAFE) is kept


def test_average_hides_the_peak_of_waking(trap_part):
    part = trap_part("c3_rtc_on_lsi_trap").start(0.1)
    start_ps = part.mcu.scheduler.now_ps
    part.advance(2.0)
    average_a = part.mcu.supply.mean_current_a(np.array([start_ps, part.mcu.scheduler.now_ps]))
    fine = part.mcu.supply.mean_current_a(np.arange(start_ps, part.mcu.scheduler.now_ps, 5_000_000))
    assert average_a[0] < 2e-6
    assert fine.max() == pytest.approx(2.24e-3)  # T45: 1300 times as much, for 10.6 us


def test_average_of_an_erase_hides_its_peak(trap_part):
    part = trap_part("flash_erased_trap")
    part.mcu.set_supply_voltage(3.0)
    part.time_of_mode("stop2", limit_s=0.05)
    end_ps = part.mcu.scheduler.now_ps
    window_ps = np.array([end_ps - 22_000_000_000, end_ps - 10_000_000], dtype=np.int64)
    fine = part.mcu.supply.mean_current_a(np.arange(0, end_ps, 10_000_000))
    average_a = float(part.mcu.supply.mean_current_a(window_ps)[0])
    running_a = average_a - 3.4e-3  # DS10198 Rev 8, T63
    assert 0 < running_a < 1.5e-3
    assert fine.max() == pytest.approx(running_a + 7e-3, rel=0.01)
    assert (fine > running_a + 5e-3).sum() == pytest.approx(4, abs=1)  # 41 us
