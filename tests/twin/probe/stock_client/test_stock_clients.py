# SPDX-License-Identifier: Apache-2.0
"""Clients that come one after another, two at once, are killed, or lose their connection."""

from __future__ import annotations

import random
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.twin.probe.stock_client.conftest import COUNTING, FLASH, LiveBench, Program

Make = Callable[[int], LiveBench]
SEED = 20


def test_one_client_after_another(live: Make, program: Program) -> None:
    bench = live(COUNTING)
    counts = []
    for _ in range(5):
        session = bench.connect()
        counts.append(session.target.read32(program.symbols["counter"]))
        session.close()
        bench.advance(0.001)
        assert bench.core.state == "running"  # as pyOCD leaves it
    assert counts == sorted(set(counts))


def test_two_clients_at_once_see_the_same_part(live: Make, program: Program) -> None:
    bench = live(COUNTING)
    first, second = bench.connect(), bench.connect()
    first.target.write32(0x2000_4000, 0x1234)
    assert second.target.read32(0x2000_4000) == 0x1234
    second.target.resume()
    assert not first.target.is_halted()
    first.target.halt()
    assert second.target.is_halted()
    assert second.target.read_core_register("pc") == first.target.read_core_register("pc")


def test_a_second_client_does_not_disturb_a_load(live: Make, tmp_path: Path) -> None:
    bench = live(COUNTING)
    data = random.Random(SEED).randbytes(16384)
    (tmp_path / "data.bin").write_bytes(data)
    writer, reader = bench.commander(), bench.connect(connect_mode="attach")
    done = threading.Event()
    seen = set()

    def read() -> None:
        while not done.is_set():
            seen.add(reader.target.read32(0xE004_2000))

    thread = threading.Thread(target=read)
    thread.start()
    try:
        writer(f"load {tmp_path / 'data.bin'} {FLASH:#x}")
    finally:
        done.set()
        thread.join()
    assert bench.flash[: len(data)] == data
    assert seen == {0x1007_6415}


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.9])
def test_a_client_killed_in_the_middle_of_a_load_leaves_a_part_that_loads(
    live: Make, program: Program, tmp_path: Path, fraction: float
) -> None:
    bench = live(COUNTING)
    bench.core.memory["flash"][:] = 0xFF
    data = random.Random(SEED).randbytes(32768)
    (tmp_path / "data.bin").write_bytes(data)
    written = threading.Event()
    flash = bench.bench.mcu.peripherals.flash
    store = flash.array_write

    def watch_stores(address: int, width: int, value: int) -> None:
        if address - FLASH >= fraction * len(data):  # at least the first word of every page comes here
            written.set()
        store(address, width, value)

    flash.array_write = watch_stores
    command = bench.pyocd("load", str(tmp_path / "data.bin"), "--base-address", f"{FLASH:#x}")
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        assert written.wait(60)
        process.kill()
    flash.array_write = store

    content = bench.flash[: len(data)]
    doubles = range(0, len(data), 8)
    wrong = [at for at in doubles if content[at : at + 8] not in (data[at : at + 8], b"\xff" * 8)]
    assert wrong == []
    do = bench.commander(connect_mode="under-reset")
    do(f"load {program.elf}")
    do("reset")
    bench.advance(0.001)
    assert bench.flash[: len(program.image)] == program.image
    assert bench.word(program.symbols["counter"]) > 10


def test_a_dropped_probe_is_an_error_to_its_client_and_none_to_the_next(live: Make) -> None:
    bench = live(COUNTING)
    session = bench.connect()
    bench.server.drop_clients()
    bench.sessions.pop_all()  # it could not even be closed in order
    # pyOCD asks a connection that has ended for ever, and its own time limits do not look at it.
    assert session.probe._socket._socket.recv(1) == b""
    session.probe._socket.close()
    assert bench.connect().target.is_halted()


def test_nrst_is_let_go_when_its_client_is_dropped(live: Make) -> None:
    bench = live(COUNTING)
    session = bench.connect()
    session.probe.assert_reset(True)
    assert bench.core.state == "reset"
    bench.server.drop_clients()
    assert session.probe._socket._socket.recv(1) == b""
    bench.sessions.pop_all()
    session.probe._socket.close()
    other = bench.connect(connect_mode="attach")
    assert not other.target.is_halted()


def test_a_part_without_supply_is_fed_through_its_debug_lines(live: Make) -> None:
    """Nothing opens the lines of this bench, so the part runs on what comes in through its pins."""
    bench = live(COUNTING)
    with bench.bench.lock:
        bench.bench.analyzer.execute(b"OUTP OFF,(@1)")
        bench.bench.advance(0.1)
    bench.connect()
    assert 1.8 < bench.bench.mcu.supply_voltage_v < 2.0
