# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import socket
from collections.abc import Iterator

import grpc
import pytest
from nidaqmx._stubs import nidaqmx_pb2 as pb

from hil.twin import bench_config
from hil.twin.bench import Bench
from hil.twin.console import ConsoleServer
from hil.twin.faults import Faults
from hil.twin.serve import POWER_ON, POWER_ON_SETTLING_S

RIG = {
    "wiring": {
        "readback": {"pin": "PA1", "terminal": "Dev1/ai1"},
        "button": {"pin": "PC13", "terminal": "Dev1/port0/line3"},
        "debug_connection": {"terminal": "Dev1/port0/line0", "active": "high"},
        "sensor": {"pin": "PA0", "terminal": "Dev1/ao0"},
        "marker": {"pin": "PA8", "terminal": "Dev1/ctr0"},
    }
}
FLASH_KEYS = (0x4567_0123, 0xCDEF_89AB)
FLASH_KEYR, FLASH_CR, FLASH_SR = 0x4002_2008, 0x4002_2014, 0x4002_2010
RCC_BDCR, PWR_CR1, RCC_APB1ENR1 = 0x4002_1090, 0x4000_7000, 0x4002_1058


@pytest.fixture
def bench() -> Bench:
    bench = Bench(bench_config.parse(RIG, "rig.toml"))
    bench.analyzer.execute(POWER_ON)
    bench.advance(POWER_ON_SETTLING_S)
    return bench


@pytest.fixture
def faults(bench: Bench) -> Faults:
    return Faults(bench, {}, {})


def test_a_stuck_pin_shows_its_rail_until_it_is_free(bench: Bench, faults: Faults) -> None:
    pin, counter_input = bench.pins["PA8"], bench.daq.lines.terminals["PFI9"]
    pin.drive(False, 0)
    assert faults.answer("STICK PA8 HIGH") == "OK"
    assert counter_input.level
    pin.drive(True, 1)
    pin.drive(False, 2)
    assert counter_input.level
    assert pin.external_level is True
    assert faults.answer("STICK PA8 FREE") == "OK"
    assert not counter_input.level
    assert pin.external_level is None


def test_an_open_wire_floats_at_both_its_ends(bench: Bench, faults: Faults) -> None:
    assert faults.answer("OPEN sensor") == faults.answer("OPEN marker") == "OK"
    assert bench.pins["PA0"].voltage_v(0) is None
    bench.pins["PA8"].drive(True, 0)
    assert not bench.daq.lines.terminals["PFI9"].level
    assert faults.answer("CLEAR") == "OK"
    assert bench.pins["PA0"].voltage_v(0) is not None
    assert bench.daq.lines.terminals["PFI9"].level


def test_a_droop_resets_the_part_and_passes(bench: Bench, faults: Faults) -> None:
    assert faults.answer("DROOP 1.0 0.01") == "OK"
    assert bench.mcu.mode in ("off", "reset")
    bench.advance(0.005)
    assert bench.mcu.supply_voltage_v == 1.0
    bench.advance(0.02)
    assert bench.mcu.supply_voltage_v == pytest.approx(3.0, abs=0.01)
    assert bench.mcu.mode not in ("off", "reset")


def test_a_droop_waits_for_the_flash(bench: Bench, faults: Faults) -> None:
    assert faults.answer("DROOP 1.0 0.01 FLASH") == "OK"
    bench.advance(0.1)
    assert bench.mcu.supply_voltage_v > 2.9
    core = bench.mcu.core
    for key in FLASH_KEYS:
        core.debug_write(FLASH_KEYR, 4, key)
    core.debug_write(FLASH_CR, 4, 1)  # PG
    core.debug_write(0x0808_0000, 4, 0x1234_5678)
    core.debug_write(0x0808_0004, 4, 0x9ABC_DEF0)
    bench.advance(30e-6)
    assert bench.mcu.supply_voltage_v > 2.9
    bench.advance(20e-6)
    assert bench.mcu.supply_voltage_v == 1.0


@pytest.mark.parametrize(("state", "ready"), [("DEAD", 0), ("ALIVE", 2)])
def test_a_dead_crystal_does_not_start(bench: Bench, faults: Faults, state: str, ready: int) -> None:
    assert faults.answer(f"CRYSTAL {state}") == "OK"
    core = bench.mcu.core
    core.debug_write(RCC_APB1ENR1, 4, 1 << 28)
    core.debug_write(PWR_CR1, 4, 1 << 8)
    core.debug_write(RCC_BDCR, 4, 1)
    bench.advance(5)
    assert core.debug_read(RCC_BDCR, 4) & 2 == ready


def test_a_crystal_that_dies_stops_while_it_runs(bench: Bench, faults: Faults) -> None:
    core = bench.mcu.core
    core.debug_write(RCC_APB1ENR1, 4, 1 << 28)
    core.debug_write(PWR_CR1, 4, 1 << 8)
    core.debug_write(RCC_BDCR, 4, 1)
    bench.advance(5)
    assert core.debug_read(RCC_BDCR, 4) & 2
    assert faults.answer("CRYSTAL DIES") == "OK"
    bench.advance(5)
    assert not core.debug_read(RCC_BDCR, 4) & 2
    core.debug_write(RCC_BDCR, 4, 0)
    core.debug_write(RCC_BDCR, 4, 1)
    bench.advance(5)
    assert not core.debug_read(RCC_BDCR, 4) & 2  # and stays so


def test_an_open_supply_lead_leaves_the_output_on_and_the_part_off(bench: Bench, faults: Faults) -> None:
    assert faults.answer("OPEN SUPPLY") == "OK"
    assert bench.mcu.mode == "off"
    assert float(bench.analyzer.execute(b"MEAS:VOLT? (@1)")) == pytest.approx(3.0, abs=0.01)
    assert bench.analyzer.execute(b"STAT:OPER:COND? (@1)").strip() == b"1"
    bench.analyzer.execute(b"VOLT 2.9,(@1)")
    assert bench.mcu.supply_voltage_v == 0.0
    assert faults.answer("CLOSE SUPPLY") == "OK"
    bench.advance(0.01)
    assert bench.mcu.supply_voltage_v == pytest.approx(2.9, abs=0.01)
    assert bench.mcu.mode not in ("off", "reset")


def test_a_short_across_the_supply_trips_the_analyzer(bench: Bench, faults: Faults) -> None:
    bench.analyzer.execute(b"CURR:PROT:STAT ON,(@1)")
    assert faults.answer("SHORT SUPPLY 1") == "OK"
    assert bench.mcu.supply_voltage_v == pytest.approx(0.1)  # the limit is 100 mA
    assert bench.mcu.mode == "off"
    assert float(
        bench.analyzer.execute(b"SENS:CURR:RANG:AUTO ON,(@1);:SENS:SWE:POIN 100,(@1);:MEAS:CURR? (@1)")
    ) == pytest.approx(0.1, rel=0.01)
    bench.advance(0.03)
    assert int(bench.analyzer.execute(b"STAT:QUES:COND? (@1)")) == 2
    assert faults.answer("PART SUPPLY") == "OK"
    bench.analyzer.execute(b"OUTP:PROT:CLE (@1)")
    bench.advance(0.01)
    assert bench.mcu.supply_voltage_v == pytest.approx(3.0, abs=0.01)


def test_a_leak_across_the_supply_is_measured_with_the_part(bench: Bench, faults: Faults) -> None:
    before_a = bench.mcu.supply.current_a
    assert faults.answer("SHORT SUPPLY 3000") == "OK"
    assert bench.mcu.supply.current_a - before_a == pytest.approx(1e-3, rel=0.01)
    assert faults.answer("CLEAR") == "OK"
    assert bench.mcu.supply.current_a == pytest.approx(before_a)


def test_solder_between_two_pins_carries_what_the_part_drives(bench: Bench, faults: Faults) -> None:
    first, second = bench.pins["PA8"], bench.pins["PB10"]
    first.drive(True, 0)
    assert faults.answer("SHORT PA8 PB10") == "OK"
    assert second.external_level is True
    first.drive(False, 1)
    assert second.external_level is False
    assert faults.answer("PART PB10 PA8") == "OK"
    assert second.external_level is None
    first.drive(True, 2)
    assert second.external_level is None


def test_every_kind_of_wire_can_be_open(bench: Bench, faults: Faults) -> None:
    bench.pins["PA1"].drive(True, 0)
    probe = bench.daq.analog_input.sources["ai1"]
    assert probe.voltage_v(0) > 2.9
    assert faults.answer("OPEN readback") == "OK"
    assert probe.voltage_v(0) == 0.0
    bench.daq.lines.drive(1, "port0/line3", False)
    assert bench.pins["PC13"].external_level is False
    assert faults.answer("OPEN button") == "OK"
    assert bench.pins["PC13"].external_level is None
    bench.daq.lines.drive(2, "port0/line0", True)
    assert not bench.debug_lines_isolated
    assert faults.answer("OPEN debug_connection") == "OK"
    assert bench.debug_lines_isolated  # the relay's coil is without current
    assert faults.answer("CLEAR") == "OK"
    assert not bench.debug_lines_isolated
    assert bench.pins["PC13"].external_level is False
    assert probe.voltage_v(0) > 2.9


def test_a_hung_daq_answers_when_it_is_over(bench: Bench) -> None:
    server = bench.daq.serve()
    faults = Faults(bench, {}, {"daq": server})
    with grpc.insecure_channel(server.address) as channel:
        ask = channel.unary_unary(
            "/nidaqmx_grpc.NiDAQmx/GetErrorString",
            pb.GetErrorStringRequest.SerializeToString,
            pb.GetErrorStringResponse.FromString,
        )
        assert faults.answer("HANG daq") == "OK"
        with pytest.raises(grpc.RpcError):
            ask(pb.GetErrorStringRequest(error_code=-200284), timeout=0.3)
        assert faults.answer("CLEAR") == "OK"
        assert ask(pb.GetErrorStringRequest(error_code=-200284), timeout=10).error_string
    server.close()


def test_a_hung_console_loses_what_passes(bench: Bench) -> None:
    console = ConsoleServer(bench, "127.0.0.1", 0)
    faults = Faults(bench, {}, {"console": console})
    typed: list[tuple[str, int]] = []
    console.byte_passed.connect(lambda direction, byte: typed.append((direction, byte)))
    assert faults.answer("HANG console") == "OK"
    console.type(b"a")
    bench.advance(1e-3)
    bench.mcu.console_uart.transmitted(bench.scheduler.now_ps, ord("b"), 115200.0)
    assert typed == []
    assert faults.answer("UNHANG console") == "OK"
    console.type(b"c")
    bench.advance(1e-3)
    assert typed == [("typed", ord("c"))]
    console.close()


@pytest.mark.parametrize(
    "line", ["", "DANCE", "STICK PA8", "STICK PZ9 HIGH", "OPEN sesame", "DROOP nan 1", "DROOP 1 -1", "DROP x"]
)
def test_what_is_not_understood_changes_nothing(bench: Bench, faults: Faults, line: str) -> None:
    before = bench.mcu.mode, bench.mcu.supply_voltage_v
    assert faults.answer(line).startswith("ERR ")
    assert (bench.mcu.mode, bench.mcu.supply_voltage_v) == before


@pytest.fixture
def analyzer_client(bench: Bench) -> Iterator[tuple[Faults, socket.socket]]:
    server = bench.analyzer.serve()
    host, port = server.address.split(":")
    faults = Faults(bench, {"power_analyzer": server}, {"power_analyzer": server})
    with socket.create_connection((host, int(port)), timeout=0.3) as client:
        yield faults, client
    server.close()


def test_a_hung_instrument_answers_when_it_is_over(analyzer_client: tuple[Faults, socket.socket]) -> None:
    faults, client = analyzer_client
    assert faults.answer("HANG power_analyzer") == "OK"
    client.sendall(b"*IDN?\n")
    with pytest.raises(TimeoutError):
        client.recv(100)
    assert faults.answer("UNHANG power_analyzer") == "OK"
    client.settimeout(5)
    assert client.recv(100).startswith(b"Keysight")


def test_a_dropped_link_ends_the_connection(analyzer_client: tuple[Faults, socket.socket]) -> None:
    faults, client = analyzer_client
    client.settimeout(5)
    client.sendall(b"*IDN?\n")
    assert client.recv(100)
    assert faults.answer("DROP power_analyzer") == "OK"
    assert client.recv(100) == b""
