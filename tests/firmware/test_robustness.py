# SPDX-License-Identifier: Apache-2.0
"""The application where something fails under it: the crystal, the supply, itself."""

from __future__ import annotations

import itertools

import pytest

from hil.firmware.build import build
from hil.firmware.image import Image
from tests.firmware.emulated_part import LSE_START_S, Part

LSE_TIMEOUT_S = 5.0
PERIOD_S = 10.0
LSE_START_FAILS, LSE_FAILED = "ERR code=17", "ERR code=19"
LSI_TOLERANCE = (32.0 / 34.0, 32.0 / 29.5)
"""DS10198 Rev 8, table 61: what 10 s of a nominal 32 kHz may take, in tens of seconds."""
DMA1_CCR1, TIM6_CR1 = 0x4002_0008, 0x4000_1000


@pytest.fixture
def part() -> Part:
    return Part(Image.load(build()))


def periods_s(part: Part) -> list[float]:
    rises = part.rises("PB10")
    return [later - earlier for earlier, later in itertools.pairwise(rises)]


def test_without_a_crystal_the_rtc_runs_on_the_lsi_and_says_so(part: Part) -> None:
    part.mcu.peripherals.rcc.oscillators["lse"].dead = True
    part.advance(LSE_TIMEOUT_S - 0.5)
    assert (part.console, part.mcu.mode) == ("", "sleep")
    part.advance(0.6)
    assert "BOOT" in part.console
    assert " lse=0 " in part.console
    assert part.console.count(LSE_START_FAILS) == 1
    part.advance(2.5 * PERIOD_S)
    assert part.mcu.mode == "stop2"
    assert len(periods_s(part)) == 2
    for period_s in periods_s(part):
        assert LSI_TOLERANCE[0] <= period_s / PERIOD_S <= LSI_TOLERANCE[1]
    part.wake_console()
    assert part.ask("STATUS")["lse"] == "0"


def test_long_periods_on_the_lsi_keep_its_tolerance(part: Part) -> None:
    part.mcu.peripherals.rcc.oscillators["lse"].dead = True
    part.advance(LSE_TIMEOUT_S + 2.0)
    part.wake_console()
    part.ask("SET", period_ms=60000)
    part.advance(190.0)
    assert len(periods_s(part)) == 3
    for period_s in periods_s(part)[1:]:
        assert LSI_TOLERANCE[0] <= period_s / 60.0 <= LSI_TOLERANCE[1]


def test_crystal_that_stops_in_stop_2_is_replaced_by_the_lsi(part: Part) -> None:
    part.advance(LSE_START_S + 2.0)
    assert part.mcu.mode == "stop2"
    part.console = ""
    part.mcu.peripherals.rcc.stop_lse_crystal()
    part.advance(0.1)
    assert LSE_FAILED in part.console
    assert part.mcu.mode == "stop2"
    before = len(part.rises("PB10"))
    part.advance(2.1 * PERIOD_S)
    assert len(part.rises("PB10")) == before + 2
    period_s = periods_s(part)[-1]
    assert LSI_TOLERANCE[0] <= period_s / PERIOD_S <= LSI_TOLERANCE[1]
    part.wake_console()
    assert part.ask("STATUS")["lse"] == "0"
    assert part.ask("STATUS")["wakes"] == "3"


def test_crystal_that_stops_while_sampling_costs_no_window(part: Part) -> None:
    part.advance(LSE_START_S + 0.5)
    assert part.mcu.mode == "lpsleep"
    part.mcu.peripherals.rcc.stop_lse_crystal()
    part.advance(1.0)
    assert "wake=1 " in part.console
    assert LSE_FAILED in part.console
    part.advance(PERIOD_S)
    assert "wake=2 " in part.console


def test_crystal_that_comes_back_is_taken_after_a_reset_and_the_counters_are_kept(part: Part) -> None:
    lse = part.mcu.peripherals.rcc.oscillators["lse"]
    lse.dead = True
    part.advance(LSE_TIMEOUT_S + 2.0)
    lse.dead = False
    part.console = ""
    part.reset()
    part.advance(2 * LSE_START_S + 1.0)  # the backup domain's reset stops it once
    assert " anomalies=1 " in part.console
    assert " lse=1 " in part.console


def test_crystal_that_died_while_the_part_was_in_reset_is_replaced(part: Part) -> None:
    part.advance(LSE_START_S + 2.0)
    part.mcu.set_nrst(True)
    rcc = part.mcu.peripherals.rcc
    rcc.oscillators["lse"].dead = True
    rcc.oscillators["lse"].switch(False)
    part.console = ""
    part.advance(1e-3)
    part.mcu.set_nrst(False)
    part.advance(LSE_TIMEOUT_S + 1.0)
    assert " anomalies=1 " in part.console
    assert " lse=0 " in part.console


def test_window_that_never_ends_is_ended_by_the_watchdog(part: Part) -> None:
    part.advance(LSE_START_S + 0.5)
    assert part.mcu.mode == "lpsleep"
    part.write_word(TIM6_CR1, 0)
    part.console = ""
    part.advance(2**21 / 200e3 + 0.1)
    assert "BOOT" in part.console
    assert "reset=44" in part.console


def test_brown_out_is_told_by_the_cause_of_the_reset(part: Part) -> None:
    part.mcu.set_backup_supply(3.0)
    part.advance(LSE_START_S + 2.0)
    part.console = ""
    part.mcu.set_supply_voltage(1.5)
    part.advance(0.01)
    part.mcu.set_supply_voltage(3.0)
    part.advance(0.1)
    assert "reset=0c" in part.console  # BORRSTF and PINRSTF
    assert " anomalies=1 " in part.console
    assert "log=1" in part.console


def test_endless_talk_does_not_keep_the_part_from_its_duty(part: Part) -> None:
    part.advance(LSE_START_S + 0.1)
    wakes = len(part.rises("PB10"))
    end_s = part.now_s + 2.5 * PERIOD_S
    while part.now_s < end_s:
        part.type(b"noise")
        part.advance(0.2)
    assert len(part.rises("PB10")) > wakes
