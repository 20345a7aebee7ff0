# SPDX-License-Identifier: Apache-2.0
"""Each example does what it says, in the mode that it names, and draws what the datasheet prints for that."""

from __future__ import annotations

import pytest

from hil.parts import Part
from hil.twin.devices.lsm6dsl import Lsm6dsl
from hil.twin.wiring import PinVoltage
from tests.twin.examples.conftest import COUNT, OTHER, STEP, VALUE

L476 = Part.load("stm32l476")

VDD_V, TEMPERATURE_C = 3.0, 25.0
RUNNING_WITH_PERIPHERALS = 0.25
"""The rows of Run are for ST's reduced code with every peripheral off. Their clocks add some 12 % (DS10198
Rev 8, T51), and code that polls a register draws some 5 % more than reduced code (docs/energy.md)."""
MEAN_OVER_S = 2e-3


def printed_a(table: str) -> float:
    """A row of DS10198 Rev 8, for a low-power mode."""
    return float(L476.supply_current(table, VDD_V, TEMPERATURE_C).typ)


def running_a(table: str, hclk_hz: float) -> float:
    """The same of a run or sleep mode."""
    return float(L476.run_current(table, hclk_hz, TEMPERATURE_C).typ)


def test_clock_tree(example):
    part = example("clock_tree")
    part.advance_until(lambda: part.result(STEP) == 1, 0.1)
    assert (part.result(VALUE), part.result(OTHER)) == (0, 0)
    assert part.result(COUNT) >= 3
    assert (part.mcu.mode, part.mcu.core.hclk_hz) == ("run", 80_000_000)
    # The table's code is not this loop, which the datasheet's own rows by code put up to 10 % away.
    assert part.mean_current_a(MEAN_OVER_S) == pytest.approx(
        running_a("run_flash_art_on_range1", 80e6), rel=0.1
    )


def test_stop_modes(example):
    part = example("stop_modes")
    rtc_a = printed_a("stop1_rtc_lsi") - printed_a("stop1_rtc_off_lcd_off")
    expected_a = {
        "stop0": printed_a("stop0_rtc_off") + rtc_a,  # no row with the RTC
        "stop1": printed_a("stop1_rtc_lsi"),
        "stop2": printed_a("stop2_rtc_lsi"),
    }
    for mode in ("stop0", "stop1", "stop2"):
        part.advance_until(lambda mode=mode: part.mcu.mode == mode, 0.2)
        part.advance(1e-3)
        assert part.mean_current_a(MEAN_OVER_S) == pytest.approx(expected_a[mode], rel=0.02)
    turns, start_s = part.result(COUNT), part.now_s
    part.advance_until(lambda: part.result(COUNT) == turns + 4, 0.2)
    assert part.now_s - start_s == pytest.approx(4 * 20e-3, rel=0.1)


def test_standby_and_shutdown(example):
    part = example("standby")
    part.drive("PA0", False)
    part.advance_until(lambda: part.mcu.mode == "standby", 0.01)
    part.advance(1e-3)
    assert part.mean_current_a(MEAN_OVER_S) == pytest.approx(printed_a("standby_rtc_lsi_no_iwdg"), rel=0.02)
    part.advance_until(lambda: part.mcu.mode == "shutdown", 0.02)
    part.advance(1e-3)
    # The LSI stops in Shutdown, and the RTC on it.
    assert part.mean_current_a(MEAN_OVER_S) == pytest.approx(printed_a("shutdown_rtc_off"), rel=0.05)
    assert part.backup(0) == 2
    part.drive("PA0", True)
    part.advance(5e-3)
    assert (part.backup(0), part.backup(1), part.backup(2)) == (3, 1, 1)


def test_low_power_run_and_sleep(example):
    part = example("low_power_run")
    part.advance_until(lambda: part.result(STEP) == 1, 0.1)
    part.advance(1e-3)
    assert part.mcu.mode == "lprun"
    assert part.mean_current_a(MEAN_OVER_S) == pytest.approx(
        running_a("run_flash_art_on_lprun", 2e6), rel=0.15
    )
    part.advance_until(lambda: part.mcu.mode == "lpsleep", 0.1)
    part.advance(100e-6)
    assert part.mean_current_a(MEAN_OVER_S) == pytest.approx(running_a("lpsleep_flash_pd", 2e6), rel=0.15)
    part.advance_until(lambda: part.result(STEP) == 3, 0.1)
    assert (part.mcu.mode, part.mcu.core.hclk_hz) == ("run", 4_000_000)


def test_adc_by_dma(example):
    part = example("adc_dma")
    part.drive("PA0", True)
    part.advance_until(lambda: part.result(COUNT) == 2, 0.2)
    reference_v = float(L476.fact("vrefint").typ_scalar())
    assert part.result(VALUE) == pytest.approx(reference_v / VDD_V * 4096, abs=2)
    assert part.result(OTHER) == 4095
    part.advance(500e-6)
    assert part.mcu.mode == "sleep"
    assert part.mean_current_a(MEAN_OVER_S) > running_a("sleep_flash_on_range1", 4e6)


def test_dac_sine_is_read_back(example):
    part = example("dac_sine")
    part.pins["PA0"].connect_source(PinVoltage(part.pins["PA4"], lambda: VDD_V))
    part.advance_until(lambda: part.result(COUNT) == 3, 0.2)
    assert part.result(VALUE) == pytest.approx(3848, abs=1)
    assert part.result(OTHER) <= 1
    part.advance(500e-6)
    assert part.mcu.mode == "sleep"
    seen = {PinVoltage(part.pins["PA4"], lambda: VDD_V).voltage_v(part.now_ps)}
    for _ in range(32):
        part.advance(100e-6)
        seen.add(PinVoltage(part.pins["PA4"], lambda: VDD_V).voltage_v(part.now_ps))
    assert (max(seen), min(seen)) == pytest.approx((3848 / 4096 * VDD_V, 248 / 4096 * VDD_V))
    assert part.mean_current_a(MEAN_OVER_S) > running_a("sleep_flash_on_range1", 4e6)


def test_uart_with_time_outs(example):
    part = example("uart_timeouts")
    sent = []
    part.mcu.peripherals.uarts["USART2"].transmitted.connect(
        lambda time_ps, data, baud: sent.append((data, baud))
    )
    part.drive("PA3", True)
    part.advance_until(lambda: part.result(OTHER) == 2, 0.2)
    part.frame("PA3", 0x5A, 9600.0)
    part.advance(5e-3)
    assert (part.result(VALUE), part.result(COUNT)) == (0x5A, 1)
    assert [data for data, _ in sent] == [0xA5]
    assert sent[0][1] == pytest.approx(9600, rel=0.005)
    assert part.mcu.mode == "run"
    assert part.mean_current_a(MEAN_OVER_S) == pytest.approx(
        running_a("run_flash_art_on_range1", 4e6), rel=RUNNING_WITH_PERIPHERALS
    )


def test_watchdogs(example):
    part = example("watchdogs")
    part.advance_until(lambda: part.result(STEP) == 3, 1.0)
    iwdg, wwdg, pin = 1 << 5, 1 << 6, 1 << 2
    assert part.backup(0) == 3
    assert part.backup(2) & (iwdg | wwdg) == iwdg
    assert part.backup(3) & (iwdg | wwdg | pin) == wwdg | pin
    part.advance(1e-3)
    assert part.mcu.mode == "sleep"
    assert part.mean_current_a(MEAN_OVER_S) == pytest.approx(
        running_a("sleep_flash_on_range1", 4e6), rel=0.15
    )


def test_i2c_between_two_targets(example):
    part = example("i2c_sensor")
    part.mcu.peripherals.i2cs["I2C1"].devices.append(Lsm6dsl(part.mcu.scheduler))
    part.advance_until(lambda: part.result(STEP) == 1, 0.5)
    assert (part.result(VALUE), part.result(COUNT), part.result(OTHER)) == (0x6A, 25, 25)
    part.advance(1e-3)
    assert part.mcu.mode == "sleep"
    assert part.mean_current_a(MEAN_OVER_S) == pytest.approx(
        running_a("sleep_flash_on_range1", 4e6), rel=0.15
    )


def test_i2c_loop_within_the_part(example):
    part = example("i2c_loop")
    i2cs = part.mcu.peripherals.i2cs
    i2cs["I2C1"].join(i2cs["I2C2"])
    part.advance_until(lambda: part.result(STEP) == 1, 0.5)
    turns = 8
    assert part.result(COUNT) == 2 * turns
    assert part.result(VALUE) == sum(turn + 0x30 + turn**2 for turn in range(turns))
    assert part.result(OTHER) == 2 * turns  # the read's repeated START is no end of a transfer
    part.advance(1e-3)
    assert part.mcu.mode == "sleep"


def test_timer_pwm_and_capture(example):
    part = example("timer_pwm")
    part.pins["PA0"].level_out_changed.connect(
        lambda time_ps, level: part.pins["PA6"].set_external_level(bool(level), time_ps)
    )
    part.advance_until(lambda: part.result(COUNT) >= 5, 0.1)
    assert part.result(VALUE) == pytest.approx(1000, abs=1)
    assert part.result(OTHER) == pytest.approx(250, abs=1)
    assert part.mcu.mode == "run"
    assert part.mean_current_a(MEAN_OVER_S) == pytest.approx(
        running_a("run_flash_art_on_range1", 4e6), rel=RUNNING_WITH_PERIPHERALS
    )


def test_flash_log(example):
    part = example("flash_log")
    part.advance_until(lambda: part.result(STEP) == 1, 1.0)
    assert (part.result(VALUE), part.result(COUNT)) == (0, 600)
    log = part.mcu.core.memory["flash"][0x1_0000:0x1_1000].view("<u4").reshape(-1, 2)
    for place, (low, high) in enumerate(log.tolist()):
        record = place + 512 if place < 600 - 512 else place
        if 600 - 512 <= place < 256:
            assert (low, high) == (0xFFFF_FFFF, 0xFFFF_FFFF)  # erased for the round that is under way
        else:
            assert (low, high) == (record, record ^ 0xFFFF_FFFF)
    erased_s, programmed_s = (
        L476.fact(name).typ_scalar() for name in ("flash_page_erase", "flash_prog_dword")
    )
    assert part.result(OTHER) * 1e-3 == pytest.approx(3 * erased_s + 600 * programmed_s, rel=0.3)
    part.advance(1e-3)
    assert part.mcu.mode == "sleep"
    assert part.mean_current_a(MEAN_OVER_S) == pytest.approx(
        running_a("sleep_flash_on_range1", 4e6), rel=0.15
    )
