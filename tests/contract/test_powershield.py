# SPDX-License-Identifier: Apache-2.0
"""Driver and virtual PowerShield, which share no code, understand each other over a socket."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from hil.config.drivers import Surroundings, find
from hil.errors import ConnectError, ProtocolError
from hil.instruments.lpm01a import Lpm01a, Lpm01aTable
from hil.twin import realism
from hil.twin.lpm01a import PowerShield, SerialPort
from tests.twin.analyzer.conftest import FakeBench


class BenchTime:
    """The clock of a bench in this process."""

    def __init__(self, bench: FakeBench) -> None:
        self._bench = bench

    def now_s(self) -> float:
        return self._bench.now_s

    def sleep(self, duration_s: float) -> None:
        self._bench.advance(duration_s)

    def close(self) -> None: ...


@pytest.fixture
def bench() -> FakeBench:
    return FakeBench()


@pytest.fixture
def port(bench: FakeBench) -> Iterator[SerialPort]:
    server = SerialPort(bench, PowerShield(bench, {}, realism.parse({}, "test")), "127.0.0.1", 0)
    yield server
    server.close()


def opened(bench: FakeBench, port: SerialPort, **keys: Any) -> Lpm01a:
    accuracy = {"gain": "2 %", "offset": "100 nA", "source": "test"}
    table = Lpm01aTable.model_validate(
        {
            "driver": "lpm01a",
            "port": f"socket://{port.address}",
            "ranges": [{"range": "50 mA", **accuracy}],
            "voltage": {"gain": "1 %", "offset": "1 mV", "source": "test"},
            **keys,
        }
    )
    board: Lpm01a = find("lpm01a").open(
        table, Surroundings("power_analyzer", BenchTime(bench), 3.6, 0.1, {}, ())
    )
    return board


def test_the_part_is_supplied_measured_and_switched_off(bench: FakeBench, port: SerialPort) -> None:
    board = opened(bench, port)
    board.supply_on(3.0, 0.1)
    assert bench.mcu.voltage_v == pytest.approx(3.0, rel=0.01)
    assert board.measure_voltage_v() == pytest.approx(bench.mcu.voltage_v, abs=1e-3)
    bench.mcu.supply.set(bench.now_s, 2e-3)
    assert board.measure_current_a() == pytest.approx(2e-3, rel=0.02)
    board.close()
    assert bench.mcu.voltage_v == 0.0


@pytest.mark.parametrize("rate_hz", [1e3, 100e3])
def test_a_log_shows_when_the_current_changes(bench: FakeBench, port: SerialPort, rate_hz: float) -> None:
    board = opened(bench, port)
    board.supply_on(3.0, 0.1)
    start_s = bench.now_s
    bench.mcu.supply.set(start_s, 10e-6)
    bench.mcu.supply.set(start_s + 0.25, 5e-3)
    waveform = board.log(0.5, 1 / rate_hz)
    assert waveform.current_a.size == round(0.5 * rate_hz)
    rises = int(np.argmax(waveform.current_a > 1e-3))
    assert waveform.start_s + rises * waveform.period_s == pytest.approx(
        start_s + 0.25, abs=2 / rate_hz + 1e-3
    )
    assert waveform.current_a[:rises].mean() == pytest.approx(10e-6, rel=0.02, abs=100e-9)


def test_a_steady_current_of_nanoamperes_is_read_in_static_mode(bench: FakeBench, port: SerialPort) -> None:
    board = opened(bench, port)
    board.supply_on(3.0, 0.1)
    bench.mcu.supply.set(bench.now_s, 30e-9)
    assert board.log(1.0, 1e-3, range_a=20e-6).mean_a == pytest.approx(30e-9, abs=1.7e-9)


def test_a_run_that_was_killed_in_a_stream_leaves_a_board_that_the_next_one_takes(
    bench: FakeBench, port: SerialPort
) -> None:
    before = opened(bench, port)
    before.supply_on(3.0, 0.1)
    before._prepare(1e-5)
    before._link.command("start")
    bench.advance(0.1)
    after = opened(bench, port)
    assert bench.mcu.voltage_v == 0.0
    after.round_trip()


def test_an_over_current_is_told(bench: FakeBench, port: SerialPort) -> None:
    board = opened(bench, port)
    board.supply_on(3.0, 0.1)
    bench.scheduler.after(50_000_000_000, lambda: bench.mcu.supply.becomes(0.07))
    with pytest.raises(ProtocolError, match="over-current"):
        board.log(1.0, 1e-3)
    assert bench.mcu.voltage_v == 0.0


def test_another_serial_number_is_refused(bench: FakeBench, port: SerialPort) -> None:
    with pytest.raises(ConnectError, match="expected 1-2-3"):
        opened(bench, port, serial="1-2-3")
