# SPDX-License-Identifier: Apache-2.0
"""The value change dump, read back with a reader that is not the writer's own code path."""

from __future__ import annotations

import contextlib
import io
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from vcd.reader import TokenKind, tokenize

from hil.twin import bench_config
from hil.twin.bench import Bench
from hil.twin.console import FRAME_PS, ConsoleServer
from hil.twin.errors import TwinError
from hil.twin.serve import POWER_ON
from hil.twin.trace import MODES, Trace

RIG = {
    "wiring": {
        "marker": {"pin": "PA8", "terminal": "Dev1/ctr0"},
        "debug_connection": {"terminal": "Dev1/port0/line0", "active": "high"},
    }
}
Changes = dict[str, list[tuple[int, object]]]


@pytest.fixture
def bench() -> Bench:
    return Bench(bench_config.parse(RIG, "rig.toml"))


@pytest.fixture
def console(bench: Bench) -> Iterator[ConsoleServer]:
    with contextlib.closing(ConsoleServer(bench, "127.0.0.1", 0)) as console:
        yield console


def read(data: bytes) -> Changes:
    """Every change by the signal's full name, times in the file's unit."""
    names: dict[str, str] = {}
    scopes: list[str] = []
    changes: Changes = defaultdict(list)
    time = 0
    for token in tokenize(io.BytesIO(data)):
        match token.kind:
            case TokenKind.TIMESCALE:
                assert str(token.timescale) == "1 ps"
            case TokenKind.SCOPE:
                scopes.append(token.scope.ident)
            case TokenKind.UPSCOPE:
                scopes.pop()
            case TokenKind.VAR:
                names[token.var.id_code] = ".".join([*scopes, token.var.reference])
            case TokenKind.CHANGE_TIME:
                assert token.time_change >= time
                time = token.time_change
            case TokenKind.CHANGE_SCALAR:
                changes[names[token.scalar_change.id_code]].append((time, token.scalar_change.value))
            case TokenKind.CHANGE_VECTOR:
                changes[names[token.vector_change.id_code]].append((time, token.vector_change.value))
            case TokenKind.CHANGE_REAL:
                changes[names[token.real_change.id_code]].append((time, token.real_change.value))
            case TokenKind.CHANGE_STRING:
                changes[names[token.string_change.id_code]].append((time, token.string_change.value))
    return changes


def test_a_start_is_in_the_trace(bench: Bench, console: ConsoleServer, tmp_path: Path) -> None:
    path = tmp_path / "run.vcd"
    trace = Trace(bench, console, path)
    bench.advance(0.001)
    on_ps = bench.scheduler.now_ps
    bench.analyzer.execute(POWER_ON)
    bench.advance(0.01)
    trace.close()
    changes = read(path.read_bytes())
    assert changes["power.mode"][0] == (0, "off")
    assert changes["power.mode"][1] == (on_ps, "reset")
    started_ps, mode = changes["power.mode"][2]
    assert mode != "reset"
    assert started_ps - on_ps == 250 * 10**6  # the reset temporisation (DS10198 Rev 8, table 25)
    assert [MODES[number] for _, number in changes["power.mode_number"]] == [
        mode for _, mode in changes["power.mode"]
    ]
    assert changes["power.supply_v"][1][1] == pytest.approx(3.0, abs=0.01)
    assert changes["power.clock_hz"][-1][1] == 4_000_000
    assert changes["power.current_a"][-1][1] == pytest.approx(bench.mcu.supply.current_a)
    assert [level for _, level in changes["reset.core_held"]][:2] == ["1", "0"]


def test_pins_resets_and_the_console_are_in_the_trace(
    bench: Bench, console: ConsoleServer, tmp_path: Path
) -> None:
    bench.analyzer.execute(POWER_ON)
    bench.advance(0.01)
    bench.close_relay()
    path = tmp_path / "run.vcd"
    trace = Trace(bench, console, path)
    start_ps = bench.scheduler.now_ps
    bench.pins["PA8"].drive(True, start_ps)
    bench.advance(1e-6)
    bench.pins["PA8"].drive(None, bench.scheduler.now_ps)
    bench.pins["PC13"].set_external_level(False, bench.scheduler.now_ps)
    bench.mcu.set_nrst(True)
    bench.advance(1e-6)
    bench.mcu.set_nrst(False)
    bench.advance(1e-3)
    console.type(b"A")
    bench.advance(2 * FRAME_PS * 1e-12)
    for byte in b"@1 HI\r\n":
        bench.advance(FRAME_PS * 1e-12)
        bench.mcu.console_uart.transmitted(bench.scheduler.now_ps, byte, 115200.0)
    bench.advance(1e-3)
    trace.close()
    changes = read(path.read_bytes())
    assert changes["pins.PA8_marker"][1:] == [(start_ps, "1"), (start_ps + 10**6, "z")]
    assert [level for _, level in changes["pins.PC13"]] == ["1", "0"]
    assert [level for _, level in changes["reset.nrst"]] == ["1", "0", "1"]
    assert [byte for _, byte in changes["console.typed"]][1:] == [ord("A")]
    assert bytes(int(str(byte)) for _, byte in changes["console.sent"][1:]) == b"@1 HI\r\n"
    assert changes["console.line"][-1][1] == "@1_HI"
    assert [level for _, level in changes["pins.PA3"]] == ["1", "0", "1", "0", "1", "0", "1"]  # 0x41, by bits


def test_planned_steps_of_the_current_are_in_the_trace(
    bench: Bench, console: ConsoleServer, tmp_path: Path
) -> None:
    path = tmp_path / "run.vcd"
    trace = Trace(bench, console, path)
    bench.mcu.supply.record(0, 1.0)
    bench.mcu.supply.plan(2_000_000, 2.0)
    bench.mcu.supply.plan(4_000_000, 3.0)
    bench.advance(3e-6)
    bench.pins["PA8"].drive(True, 0)
    bench.advance(3e-6)
    trace.close()
    changes = read(path.read_bytes())["power.current_a"]
    assert changes[-3:] == [(0, 1.0), (2_000_000, 2.0), (4_000_000, 3.0)]


def test_what_a_killed_bench_leaves_behind_still_opens(
    bench: Bench, console: ConsoleServer, tmp_path: Path
) -> None:
    path = tmp_path / "run.vcd"
    trace = Trace(bench, console, path)
    bench.analyzer.execute(POWER_ON)
    for step in range(8000):
        bench.pins["PA8"].drive(bool(step % 2), bench.scheduler.now_ps)
        bench.advance(1e-6)
    changes = read(path.read_bytes())  # not closed
    assert len(changes["pins.PA8_marker"]) > 100
    trace.close()
    assert len(read(path.read_bytes())["pins.PA8_marker"]) > 8000


def test_a_closed_trace_stays_as_it_is(bench: Bench, console: ConsoleServer, tmp_path: Path) -> None:
    path = tmp_path / "run.vcd"
    trace = Trace(bench, console, path)
    trace.close()
    trace.close()
    before = path.read_bytes()
    bench.analyzer.execute(POWER_ON)
    bench.pins["PA8"].drive(True, 0)
    assert path.read_bytes() == before


def test_a_file_that_cannot_be_written_is_a_clear_error(
    bench: Bench, console: ConsoleServer, tmp_path: Path
) -> None:
    with pytest.raises(TwinError, match=r"trace .*run\.vcd cannot be written"):
        Trace(bench, console, tmp_path / "nowhere" / "run.vcd")
