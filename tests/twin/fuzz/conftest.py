# SPDX-License-Identifier: Apache-2.0
"""A bench with a sleeping part and all its servers, and a digest of everything a client must not change."""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import grpc
import numpy as np
import pytest
from nidaqmx._stubs import nidaqmx_pb2 as pb

from hil.twin import bench_config
from hil.twin.bench import Bench
from hil.twin.bench_clock import ClockServer
from hil.twin.console import ConsoleServer
from hil.twin.faults import Faults, FaultServer
from hil.twin.hands import Hands, HandsServer
from hil.twin.probe.server import ProbeServer
from hil.twin.serve import POWER_ON, POWER_ON_SETTLING_S, Server
from hil.twin.thermometer import Thermometer

RIG = {
    "wiring": {
        "sensor": {"pin": "PA0", "terminal": "Dev1/ao0"},
        "led": {"pin": "PA5", "terminal": "Dev1/port0/line1"},
        "marker": {"pin": "PA8", "terminal": "Dev1/ctr0"},
        "debug_connection": {"terminal": "Dev1/port0/line0", "active": "high"},
    }
}

FLASH = 0x0800_0000
PROGRAM = struct.pack(
    "<II12H3I",
    0x2000_1000,  # initial stack
    FLASH + 9,  # reset vector
    0x4805,  # ldr r0, =RCC_AHB2ENR
    0x2101,  # movs r1, #GPIOAEN
    0x6001,  # str r1, [r0]
    0x4805,  # ldr r0, =GPIOA
    0x4905,  # ldr r1, =MODER with PA5 an output
    0x6001,  # str r1, [r0]
    0x2120,  # movs r1, #1 << 5
    0x6141,  # str r1, [r0, #ODR]
    0xB672,  # cpsid i
    0xBF30,  # wfi
    0xE7FD,  # b to the wfi
    0xBF00,  # nop, for alignment
    0x4002_104C,
    0x4800_0000,
    0xABFF_F7FF,
)
"""Drives PA5 high and sleeps for ever: whatever changes afterwards was changed from outside."""

REGISTERS = {
    "RCC": range(0x4002_1000, 0x4002_1098, 4),
    "PWR": range(0x4000_7000, 0x4000_7060, 4),
    "FLASH": range(0x4002_2000, 0x4002_2030, 4),
    "GPIOA": range(0x4800_0000, 0x4800_002C, 4),
    "DBGMCU": range(0xE004_2000, 0xE004_2014, 4),
}


TALLY: dict[str, Counter[str]] = {}
"""What each server was sent too much of, and what became of it."""


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How many inputs each server was given, and with which errors it answered."""
    if TALLY:
        terminalreporter.section("fuzzed servers: inputs by outcome")
    for server, outcomes in sorted(TALLY.items()):
        shown = ", ".join(f"{outcome} {count}" for outcome, count in outcomes.most_common(14))
        terminalreporter.line(f"{server:<15}{sum(outcomes.values()):>7}  {shown}")


@dataclass
class LiveBench:
    """The bench and where its servers listen."""

    bench: Bench
    servers: dict[str, Server]
    before: dict[str, Any] = field(default_factory=dict)

    @staticmethod
    def tally(server: str, outcome: str, count: int = 1) -> None:
        """Count an input and its outcome for the summary."""
        TALLY.setdefault(server, Counter())[outcome] += count

    def connect(self, name: str, *, introduced: bool = True) -> socket.socket:
        """A client of the server, which has given the token where one is wanted."""
        token, _, place = self.servers[name].address.rpartition("@")
        host, port = place.rsplit(":", 1)
        client = socket.create_connection((host, int(port)), timeout=10)
        if token and introduced:
            client.sendall(f"TOKEN {token}\n".encode())
            assert client.recv(3) == b"OK\n"
        return client

    def digest(self) -> dict[str, Any]:
        """What the part and the outputs are like now, apart from the time."""
        bench = self.bench
        with bench.lock:
            core, source = bench.mcu.core, bench.analyzer.channel.source
            now_ps = bench.scheduler.now_ps
            return {
                "memory": [
                    hashlib.sha256(region.tobytes()).hexdigest()
                    for region in (core.memory["flash"], core.memory["sram1"], core.memory["sram2"])
                ],
                "registers": {
                    name: [core.debug_read(address, 4) for address in addresses]
                    for name, addresses in REGISTERS.items()
                },
                "core": (core.state, bench.mcu.mode),
                "pins": {
                    name: (pin.level_out, pin.external_level)
                    for name, pin in bench.pins.items()
                    # What a terminal types is on its line, whatever it is.
                    if (pin.level_out, pin.external_level) != (None, None) and name != bench.board.console.rx
                },
                "supply": (bench.mcu.supply_voltage_v, bench.mcu.supply.current_a),
                "output": (source.on, source.voltage_v, source.current_limit_a, source.over_voltage_v),
                "analog outputs": [output.voltage_v(now_ps) for output in bench.daq.analog_outputs.values()],
                "relay": bench.debug_lines_isolated,
            }

    def assert_untouched(self) -> None:
        assert self.digest() == self.before

    def assert_alive(self) -> None:
        """Every server serves a client that behaves."""
        with self.connect("power_analyzer") as client:
            client.sendall(b"*CLS;*IDN?\n")
            assert client.makefile("rb").readline().startswith(b"Keysight Technologies,N6705C")
        with self.connect("hislip") as client:
            client.sendall(b"HS\0\0\1\0xx" + (7).to_bytes(8, "big") + b"hislip0")
            assert client.recv(3) == b"HS\1"
        with self.connect("vxi11") as client:
            client.sendall(struct.pack("!11I", 1 << 31 | 40, 7, 0, 2, 0x0607AF, 1, 0, 0, 0, 0, 0))
            assert client.recv(8)[4:] == struct.pack("!I", 7)  # the null procedure's reply
        with self.connect("clock") as client:
            client.sendall(b"NOW\n")
            assert client.makefile("rb").readline().startswith(b"OK ")
        with self.connect("faults") as client:
            client.sendall(b"NO SUCH VERB\n")
            assert client.makefile("rb").readline().startswith(b"ERR ")
        with self.connect("probe") as client:
            for request in (
                {"id": 6, "request": "connect", "arguments": ["SWD"]},
                {"id": 7, "request": "read_dp", "arguments": [0]},
            ):
                client.sendall(json.dumps(request).encode() + b"\n")
            answers = client.makefile("rb")
            assert json.loads(answers.readline())["status"] == 0
            assert json.loads(answers.readline()) == {
                "id": 7,
                "status": 0,
                "result": 0x2BA01477,
            }
        with grpc.insecure_channel(self.servers["daq"].address) as channel:
            ask = channel.unary_unary(
                "/nidaqmx_grpc.NiDAQmx/GetErrorString",
                pb.GetErrorStringRequest.SerializeToString,
                pb.GetErrorStringResponse.FromString,
            )
            assert ask(pb.GetErrorStringRequest(error_code=-200284), timeout=10).error_string
        with self.connect("console") as client:
            client.sendall(b"\n")
            while not self._terminal_plugged_in(client):
                pass
            with self.bench.lock:
                self.bench.mcu.console_uart.transmitted(self.bench.scheduler.now_ps, ord("!"), 115200.0)
            assert client.recv(1) == b"!"

    def _terminal_plugged_in(self, client: socket.socket) -> bool:
        terminal = self.servers["console"]._terminal  # type: ignore[attr-defined]
        with contextlib.suppress(OSError):
            return terminal is not None and terminal.getpeername() == client.getsockname()
        return False


@pytest.fixture(scope="module")
def running_bench() -> Iterator[LiveBench]:
    bench = Bench(bench_config.parse(RIG, "fuzz.toml"))
    bench.mcu.core.memory["flash"][: len(PROGRAM)] = np.frombuffer(PROGRAM, np.uint8)
    bench.analyzer.execute(POWER_ON)
    bench.advance(POWER_ON_SETTLING_S)
    bench.close_relay()
    host = "127.0.0.1"
    with contextlib.ExitStack() as stack:
        servers: dict[str, Server] = {
            "probe": ProbeServer(bench, host, 0),
            "daq": bench.daq.serve(host, 0),
            "power_analyzer": bench.analyzer.serve(host, 0),
            "hislip": bench.analyzer.serve_hislip(host, 0),
            "vxi11": bench.analyzer.serve_vxi11(host, 0),
            "console": ConsoleServer(bench, host, 0),
            "clock": ClockServer(bench, host, 0, "t0ken"),
            "hands": HandsServer(Hands(bench), host, 0, "t0ken"),
            "thermometer": Thermometer(bench, {}).serve(host, 0),
            "faults": FaultServer(Faults(bench, {}, {}), host, 0, "t0ken"),
        }
        for server in servers.values():
            stack.callback(server.close)
        yield LiveBench(bench, servers)


@pytest.fixture
def live(running_bench: LiveBench) -> Iterator[LiveBench]:
    """The bench; when the test is over the part is as it was and every server answers."""
    running_bench.before = running_bench.digest()
    assert running_bench.before["core"] == ("sleeping", "sleep")
    assert running_bench.before["pins"]["PA5"] == (True, None)
    yield running_bench
    running_bench.assert_untouched()
    running_bench.assert_alive()
