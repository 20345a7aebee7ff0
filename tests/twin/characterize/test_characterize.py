# SPDX-License-Identifier: Apache-2.0
"""A few lines of the datasheet, measured; and that a part which is off is found out."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator

import numpy as np
import pytest

from hil.parts import Part
from hil.twin.__main__ import main
from hil.twin.bench import PS_PER_S
from hil.twin.characterize import adders, clocked, low_power, peripheral_clocks, wake_up
from hil.twin.characterize.analyzer_client import SAMPLE_S
from hil.twin.characterize.figures import Correction, Printed, Reading, last_digits
from hil.twin.characterize.run import CHAPTERS, not_covered
from hil.twin.characterize.session import Session
from hil.twin.power import model

L476 = Part.load("stm32l476")


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Session() as session:
        yield session


@pytest.mark.parametrize(
    ("chapter", "line"),
    [
        (low_power, "stop2_rtc_lse_quartz"),
        (low_power, "standby_rtc_off_iwdg"),
        (low_power, "shutdown_rtc_off"),
        (low_power, "vbat_rtc_off"),
        (low_power, "vbat_rtc_lse_quartz"),
        (clocked, "run_sram1_lprun"),
        (wake_up, "wakeup_stop2_flash_msi4_range2"),
        (wake_up, "wakeup_stop1_sram1_msi48_range1"),
        (wake_up, "wakeup_standby_msi8"),
        (wake_up, "wakeup_current_stop1_msi48"),
        (adders, "pll_by_vco"),
        (adders, "pvm12_adder"),
        (adders, "pvm34_adder"),
        (peripheral_clocks, "peripheral:ahb_apb1_bridge"),
        (peripheral_clocks, "peripheral:i2c1_indep"),
    ],
)
def test_a_line_is_as_the_datasheet_prints_it(session, chapter, line):
    readings = list(chapter.measure(session, line))
    assert len(readings) == chapter.figure_count(L476, line)
    assert [reading.printed.id for reading in readings if not reading.within] == []


def test_a_part_that_draws_more_than_the_datasheet_says_is_out(session, monkeypatch):
    honest = L476.supply_current

    def higher(*condition):
        figure = honest(*condition)
        return dataclasses.replace(figure, typ=figure.typ * 1.03)

    model.supply_current_a.cache_clear()
    monkeypatch.setattr(L476, "supply_current", higher)
    readings = list(low_power.measure(session, "stop0_rtc_off"))
    model.supply_current_a.cache_clear()
    assert not any(reading.within for reading in readings)


def test_every_line_on_file_is_measured_or_named():
    named = {line for chapter in CHAPTERS for line in chapter.lines(L476)}
    named |= {entry.line for entry in not_covered(L476)}
    tables = {table["id"] for table in (*low_power._tables(L476), *clocked._tables(L476))}
    facts = {name for name in L476.fact_ids if name.startswith("wakeup_")}
    facts |= {fact["id"] for fact in L476.tables("supply_current")["fact"]}
    rows = {f"peripheral:{row}" for row in L476.peripheral_currents}
    assert named == tables | facts | rows


def test_the_mean_of_a_wake_up_is_recovered_from_samples():
    asleep_a, waking_a, running_a, latency_s = 7e-6, 1.5e-3, 6.7e-3, 6.2e-6
    phases = np.array([0.2, 0.4, 0.6, 0.8])
    fine = SAMPLE_S / 1000
    captures = []
    for phase in phases:
        times_s = (np.arange(1000 * 80) + 0.5) * fine
        begin_s = (8 + phase) * SAMPLE_S
        current_a = np.where(times_s < begin_s, asleep_a, waking_a)
        current_a[times_s > begin_s + latency_s] = running_a
        captures.append(current_a.reshape(80, 1000).mean(axis=1))
    found_a = wake_up.mean_over_wake_up_a(np.array(captures), phases, latency_s)
    assert found_a == pytest.approx(waking_a, rel=2e-3)


def test_values_of_one_decade_share_the_last_digit():
    digits = last_digits([1.5, 1.54, 15.7, 35.0, 356.0, float("nan")])
    assert digits == {1.5: 0.01, 1.54: 0.01, 15.7: 0.1, 35.0: 0.1, 356.0: 1.0}


def test_a_correction_is_taken_off_and_two_percent_or_the_last_digit_are_allowed():
    printed = Printed("line", "table", "A", 100e-6, 1e-6, {"V": 3.0, "°C": 25.0})
    assert printed.id == "line[3 V, 25 °C]"
    corrections = (Correction("MSI", 11e-6, "T60"),)
    assert Reading(printed, 112.9e-6, corrections).within
    assert not Reading(printed, 113.1e-6, corrections).within
    small = dataclasses.replace(printed, expected=0.2e-6, last_digit=0.1e-6)
    assert Reading(small, 0.3e-6).within
    assert not Reading(small, 0.31e-6).within


def test_the_command_line_gives_json_and_refuses_unknown_lines(capsys):
    assert main(["characterize", "--json", "wakeup_sleep_to_run"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["totals"]["covered"] == found["totals"]["within"] == len(found["rows"]) == 1
    assert found["totals"]["not_covered"] == sum(entry["figures"] for entry in found["not_covered"])
    assert found["rows"][0]["measured"] == pytest.approx(6, abs=0.1)
    assert main(["characterize", "no_such_line"]) == 2
    assert "no_such_line" in capsys.readouterr().err


def test_the_watchdog_runs_on_in_standby_and_ends_it(session):
    session.start(low_power._sleep(3, low_power.steps.watchdog()), low_power.Then.SLEEP)
    assert session.bench.mcu.mode == "standby"
    begun_ps = session.bench.scheduler.now_ps
    session.bench.advance_until(lambda: session.bench.mcu.mode == "run", 60.0)
    # 4096 periods of LSI / 256 (RM0351, IWDG), counted from the start of the watchdog.
    assert (session.bench.scheduler.now_ps - begun_ps) / PS_PER_S == pytest.approx(32.768, rel=0.01)
