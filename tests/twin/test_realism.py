# SPDX-License-Identifier: Apache-2.0
"""Each unkindness of a real bench, by itself."""

from typing import Any

import numpy as np
import pytest

from hil.twin import bench_config
from hil.twin.analyzer.noise_table import CURRENT_A, noise_rms
from hil.twin.bench import Bench
from hil.twin.serve import POWER_ON

WIRING = {
    "sensor": {"pin": "PA0", "terminal": "Dev1/ao0"},
    "debug_connection": {"terminal": "Dev1/port0/line0", "active": "high"},
}


def make_bench(**twin: Any) -> Bench:
    return Bench(bench_config.parse({"wiring": WIRING, "power_analyzer": {}, "twin": twin}, "rig.toml"))


def scpi(bench: Bench, message: str) -> str:
    return bench.analyzer.execute(message.encode()).decode().strip()


def test_an_ideal_bench_takes_no_time() -> None:
    bench = make_bench()
    bench.analyzer.execute(POWER_ON)
    bench.close_relay()
    assert (bench.scheduler.now_ps, bench.debug_lines_isolated) == (0, False)
    assert bench.mcu.supply_voltage_v == pytest.approx(3.0, abs=0.01)


def test_the_whole_of_a_real_bench_has_a_name() -> None:
    realism = make_bench(realism="bench", scpi_latency="60 ms").config.realism
    assert (realism.scpi_latency_s, realism.stray_bytes) == (pytest.approx(60e-3), True)
    assert (realism.noise, realism.log_overflow) == ("keysight", "silent")
    ideal = make_bench(output_on="40 ms").config.realism
    assert (ideal.output_on_s, ideal.output_off_s, ideal.noise) == (pytest.approx(40e-3), 0.0, "quiet")


def test_a_message_takes_its_time() -> None:
    bench = make_bench(scpi_latency="60 ms")
    scpi(bench, "*IDN?")
    assert bench.now_s == pytest.approx(60e-3)


def test_the_output_rises_late_and_evenly() -> None:
    bench = make_bench(output_on="50 ms")
    bench.analyzer.execute(POWER_ON)
    bench.advance(39e-3)
    assert bench.mcu.supply_voltage_v == 0.0
    bench.advance(6e-3)
    assert bench.mcu.supply_voltage_v == pytest.approx(1.5, abs=0.2)
    assert scpi(bench, "*OPC?") == "1"
    assert bench.now_s == pytest.approx(50e-3, abs=2e-3)
    assert bench.mcu.supply_voltage_v == pytest.approx(3.0, abs=0.01)


def test_the_output_falls_late_and_its_capacitors_later() -> None:
    bench = make_bench(output_off="25 ms", supply_capacitance="5 uF")
    bench.analyzer.execute(POWER_ON)
    scpi(bench, "OUTP OFF,(@1)")
    bench.advance(24e-3)
    assert bench.mcu.supply_voltage_v == pytest.approx(3.0, abs=0.01)
    bench.advance(2e-3)
    assert float(scpi(bench, "MEAS:VOLT? (@1)")) == pytest.approx(0.0, abs=0.01)  # the module's own side
    assert 1.0 < bench.mcu.supply_voltage_v < 3.0
    bench.advance(3.0)
    assert bench.mcu.supply_voltage_v < 0.3


def test_a_low_impedance_turn_off_takes_the_capacitors_along() -> None:
    bench = make_bench(output_off="25 ms", supply_capacitance="5 uF")
    scpi(bench, "OUTP:TMOD LOWZ,(@1)")
    bench.analyzer.execute(POWER_ON)
    scpi(bench, "OUTP OFF,(@1)")
    bench.advance(26e-3)
    assert bench.mcu.supply_voltage_v == 0.0


def test_a_protection_does_not_wait() -> None:
    bench = make_bench(output_off="25 ms")
    bench.analyzer.execute(POWER_ON)
    scpi(bench, "VOLT:PROT:REM 2,(@1)")
    bench.advance(1e-3)
    assert bench.mcu.supply_voltage_v == 0.0


def test_the_relay_is_slow_and_bounces() -> None:
    bench = make_bench(relay_operate="3 ms", relay_bounce="1 ms")
    bench.analyzer.execute(POWER_ON)
    moves: list[bool] = []
    bench.isolation_changed.connect(lambda: moves.append(not bench.debug_lines_isolated))
    bench.close_relay()
    bench.advance(2.9e-3)
    assert moves == []
    bench.advance(1.2e-3)
    assert moves == [True, False, True, False, True, False, True]


def test_the_tables_noise_is_on_the_readings() -> None:
    table = noise_rms(CURRENT_A[1e-3], np.array([5.12e-6, 102.4e-6, 16.7e-3, 66.8e-3]))
    assert table == pytest.approx([1.4e-6, 306.2e-9, 6.9e-9, 3.45e-9], rel=0.01)
    spreads = []
    for noise in ("quiet", "keysight"):
        bench = make_bench(analyzer_noise=noise)
        bench.analyzer.execute(POWER_ON)
        bench.advance(0.1)
        scpi(bench, "SENS:CURR:RANG 1e-3,(@1);:SENS:SWE:TINT 5.12e-6,(@1);:SENS:SWE:POIN 2000,(@1);:FORM ASC")
        readings = np.array([float(text) for text in scpi(bench, "MEAS:ARR:CURR? (@1)").split(",")])
        spreads.append(float(np.std(readings)))
    assert spreads == pytest.approx([25e-9, 1.4e-6], rel=0.1)


@pytest.mark.parametrize(("overflow", "error"), [("reported", "-230"), ("silent", "+0")])
def test_an_overwritten_log_is_told_of_or_not(overflow: str, error: str) -> None:
    bench = make_bench(log_overflow=overflow)
    scpi(bench, "SENS:ELOG:FUNC:CURR ON,(@1);:SENS:ELOG:PER 0.01,(@1);:TRIG:ELOG:SOUR BUS,(@1)")
    scpi(bench, "INIT:ELOG (@1);:TRIG:ELOG (@1)")
    bench.advance(25.0)
    assert scpi(bench, "SYST:ERR?").startswith(error)
    assert len(scpi(bench, "FETC:ELOG? 10000,(@1)").split(",")) == 2001  # of 9.994 ms
