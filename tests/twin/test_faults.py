# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from hil.twin import bench_config
from hil.twin.bench import Bench
from hil.twin.faults import Faults
from hil.twin.serve import POWER_ON, POWER_ON_SETTLING_S

RIG = {
    "wiring": {
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
