# SPDX-License-Identifier: Apache-2.0
"""Each wiring fault that a rig file can plant shows where a real one would."""

from typing import Any

import pytest
from pyocd.core import exceptions

from hil.parts import Part
from hil.twin import bench_config
from hil.twin.bench import Bench
from hil.twin.errors import BenchConfigError
from hil.twin.probe.swd_line import SwdLine
from hil.twin.serve import POWER_ON, POWER_ON_SETTLING_S

L476 = Part.load("stm32l476")

WIRING = {
    "sensor": {"pin": "PA0", "terminal": "Dev1/ao0"},
    "marker_active": {"pin": "PB10", "terminal": "Dev1/ctr1"},
    "supply_readback": {"pin": "VDD", "terminal": "Dev1/ai1"},
    "debug_connection": {"terminal": "Dev1/port0/line0", "active": "high"},
}
IDCODE = 0xE004_2000


def make_bench(*, supplied: bool = True, **twin: Any) -> Bench:
    bench = Bench(bench_config.parse({"wiring": WIRING, "power_analyzer": {}, "twin": twin}, "rig.toml"))
    if supplied:
        bench.analyzer.execute(POWER_ON)
        bench.advance(POWER_ON_SETTLING_S)
    return bench


def ask(bench: Bench, query: str) -> float:
    return float(bench.analyzer.execute(query.encode()))


def test_nothing_is_wrong_unless_it_is_planted() -> None:
    bench = make_bench()
    bench.close_relay()
    assert ask(bench, "MEAS:CURR? (@1)") > 100e-6
    assert bench.harm.entries == []
    line = SwdLine(bench)
    line.select_swd()
    line.transfer(1)


def test_a_reversed_ammeter_reads_the_other_sign() -> None:
    assert ask(make_bench(ammeter="reversed"), "MEAS:CURR? (@1)") < -100e-6


def test_without_a_relay_the_lines_are_always_connected() -> None:
    bench = make_bench(relay="missing")
    assert not bench.debug_lines_isolated
    bench.daq.lines.drive(bench.scheduler.now_ps, "port0/line0", False)
    assert not bench.debug_lines_isolated


def test_a_welded_relay_never_opens_again() -> None:
    bench = make_bench(relay="welded")
    assert bench.debug_lines_isolated
    for level in (True, False):
        bench.daq.lines.drive(bench.scheduler.now_ps, "port0/line0", level)
        assert not bench.debug_lines_isolated


def test_a_coil_without_a_driver_overloads_the_line_and_never_pulls() -> None:
    bench = make_bench(relay="without_driver")
    bench.close_relay()
    assert bench.debug_lines_isolated
    assert bench.daq.lines.read("port0/line0") is False
    assert "asked 40 mA of Dev1/port0/line0, which may give 24 mA" in bench.harm.entries[0]


def test_jp6_feeds_the_part_whatever_the_analyzer_does() -> None:
    bench = make_bench(supplied=False, jp6="on")
    assert bench.mcu.supply_voltage_v == pytest.approx(3.3)
    bench.analyzer.execute(POWER_ON)
    bench.advance(POWER_ON_SETTLING_S)
    assert ask(bench, "MEAS:VOLT? (@1)") == pytest.approx(3.3, abs=0.01)
    assert ask(bench, "MEAS:CURR? (@1)") < -0.05


def test_open_sense_leads_let_the_output_rise_until_its_backup_ends_it() -> None:
    bench = make_bench(supplied=False, sense_leads="open")
    bench.analyzer.execute(b"VOLT:SENS:SOUR EXT,(@1);:VOLT:PROT:REM 3.3,(@1)")
    bench.analyzer.execute(POWER_ON)
    assert bench.mcu.supply_voltage_v == pytest.approx(4.8)
    bench.advance(POWER_ON_SETTLING_S)
    assert bench.mcu.supply_voltage_v == 0.0
    assert int(ask(bench, "STAT:QUES:COND? (@1)")) & 1
    assert "VDD was 4.80 V, 4 V at most" in bench.harm.entries[0]


def test_local_sensing_does_not_need_the_leads() -> None:
    assert make_bench(sense_leads="open").mcu.supply_voltage_v == pytest.approx(3.0, abs=0.01)


def test_a_floating_ground_hums() -> None:
    bench = make_bench(ground="floating")
    readings_v = []
    for _ in range(40):
        bench.advance(1e-3)
        readings_v.append(bench.daq.analog_input.read("ai1", 10.0, bench.scheduler.now_ps))
    assert max(readings_v) == pytest.approx(4.0, abs=0.05)
    assert min(readings_v) == pytest.approx(2.0, abs=0.05)


def test_a_neighbours_channel_is_seen_and_its_end_is_harm() -> None:
    bench = make_bench(neighbour_channel_on=True)
    assert bench.analyzer.execute(b"SYST:CHAN?") == b"2\n"
    assert bench.analyzer.execute(b"OUTP? (@1,2)") == b"1,1\n"
    assert bench.harm.entries == []
    bench.analyzer.execute(b"*RST")
    assert bench.analyzer.execute(b"OUTP? (@2)") == b"0\n"
    assert "*RST has switched off channel 2" in bench.harm.entries[0]
    assert make_bench().analyzer.execute(b"SYST:CHAN?") == b"1\n"


@pytest.mark.parametrize(("lse", "factor"), [("fitted", 1.0), ("slow", 4.0), ("absent", None)])
def test_a_crystal_starts_late_or_never(lse: str, factor: float | None) -> None:
    bench = make_bench(lse=lse)
    oscillator = bench.mcu.peripherals.rcc.oscillators["lse"]
    oscillator.switch(True)
    typical_s = L476.fact("lse_start").typ_scalar()
    bench.advance(0.99 * typical_s * (factor or 10))
    assert not oscillator.ready
    bench.advance(0.02 * typical_s * (factor or 10))
    assert oscillator.ready is (factor is not None)


def test_an_st_link_without_power_pulls_its_lines_low() -> None:
    bench = make_bench(st_link="unplugged")
    bench.close_relay()
    assert bench.mcu.nrst_low
    assert bench.pins["PA3"].external_level is None  # there is no console in this bench
    with pytest.raises(exceptions.TransferError, match="no target answers"):
        SwdLine(bench).transfer(1)


@pytest.mark.parametrize(("target", "device_id"), [("fitted", 0x415), ("another", 0x435)])
def test_another_part_tells_so(target: str, device_id: int) -> None:
    bench = make_bench(target=target)
    bench.close_relay()
    assert SwdLine(bench).read(IDCODE, 4) & 0xFFF == device_id


def test_nothing_on_the_probe_does_not_answer() -> None:
    bench = make_bench(target="none")
    bench.close_relay()
    with pytest.raises(exceptions.TransferError, match="no target answers"):
        SwdLine(bench).transfer(1)


@pytest.mark.parametrize(
    ("twin", "message"),
    [
        ({"relay": "open"}, r'\[twin\] relay: expected one of "fitted", "missing", .*, not \'open\''),
        ({"neighbour_channel_on": 1}, r"neighbour_channel_on: expected true or false, not 1"),
        ({"realism": "some"}, r'realism: expected one of "ideal", "bench"'),
        ({"output_on": "50"}, r"output_on: expected a number with a unit"),
        ({"input_pull_down": "20 V"}, r"input_pull_down: .*expected a value such as"),
        (
            {"wires": {"sensor": {"input_resistance": "1 kohm"}}},
            r"sensor\.input_resistance: None is no input|no input",
        ),
    ],
)
def test_what_cannot_be_planted_is_refused(twin: dict[str, object], message: str) -> None:
    with pytest.raises(BenchConfigError, match=message):
        bench_config.parse({"wiring": WIRING, "twin": twin}, "rig.toml")
