# SPDX-License-Identifier: Apache-2.0
"""The live line: what it says of a part, and that it can always be drawn."""

from __future__ import annotations

import pytest

from hil.twin import bench_config
from hil.twin.bench import Bench
from hil.twin.serve import POWER_ON
from hil.twin.status import Meter, _engineering, status_line


@pytest.fixture
def bench() -> Bench:
    return Bench(
        bench_config.parse(
            {"wiring": {"debug_connection": {"terminal": "Dev1/port0/line0", "active": "high"}}}, "rig.toml"
        )
    )


def test_the_line_says_what_the_part_does(bench: Bench) -> None:
    meter = Meter(bench)
    assert status_line(bench, "", meter.mean_current_a()).plain.split() == (
        ["0.000000", "s", "off", "no", "clock", "0", "nA", "0.000", "V"]
    )
    bench.analyzer.execute(POWER_ON)
    bench.advance(0.5)
    line = status_line(bench, "@7 ANOM score=3", meter.mean_current_a()).plain
    assert line.split()[:2] == ["0.500000", "s"]
    assert bench.mcu.mode in line
    assert "4.000 MHz" in line
    assert line.endswith("@7 ANOM score=3")


def test_the_line_names_what_was_asked_for_and_is_not_modelled(bench: Bench) -> None:
    bench.analyzer.execute(POWER_ON)
    bench.advance(0.1)
    bench.mcu.core.debug_write(0x4002_1058, 4, 1 << 28)
    bench.mcu.core.debug_write(0x4000_7004, 4, 1 << 4)
    line = status_line(bench, "", 0.0).plain
    assert "not modelled: 1, last PWR.CR2 bit 4 (PVME1)" in line


def test_the_current_is_the_mean_since_the_last_look(bench: Bench) -> None:
    bench.analyzer.execute(POWER_ON)
    bench.advance(0.1)
    meter = Meter(bench)
    draws_a = bench.mcu.supply.current_a
    bench.advance(0.3)
    bench.mcu.external_current_a += 1e-3
    bench.advance(0.1)
    assert meter.mean_current_a() == pytest.approx(draws_a + 0.25e-3, rel=0.01)
    assert meter.mean_current_a() == pytest.approx(bench.mcu.supply.current_a)  # time stands still


def test_history_that_the_analyzer_has_given_up_is_not_asked_for(bench: Bench) -> None:
    bench.analyzer.execute(POWER_ON)
    meter = Meter(bench)
    bench.advance(3.5)
    for _ in range(10):
        bench.mcu.external_current_a += 1e-6
        bench.advance(0.37)
        meter.mean_current_a()


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0 n"), (1.2345e-9, "1.234 n"), (999e-6, "999 µ"), (0.0123, "12.3 m"), (2.0, "2 ")],
)
def test_prefixes(value: float, text: str) -> None:
    assert _engineering(value) == text
