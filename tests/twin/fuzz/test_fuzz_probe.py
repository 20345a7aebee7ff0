# SPDX-License-Identifier: Apache-2.0
"""Requests to the probe that no pyOCD would send."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

HANDLE = 0
GENERAL_ERROR = 1
RAM, NOWHERE = 0x2000_0000, 0x6000_0000

WRONG = (
    ("read_block32", [HANDLE, RAM, 1_000_000_000]),
    ("read_block8", [HANDLE, NOWHERE, 10]),
    ("read_block32", [HANDLE, 2**40, 1]),
    ("read_block32", [HANDLE, -4, 1]),
    ("read_block32", [HANDLE, RAM, -1]),
    ("read_block8", [HANDLE, "0x20000000", 4]),
    ("read_mem", [HANDLE, RAM + 1, 32]),
    ("read_mem", [HANDLE, RAM, 64]),
    ("read_mem", [99, RAM, 32]),
    ("write_mem", [HANDLE, RAM, "ten", 32]),
    ("write_mem", [HANDLE, NOWHERE, 1, 32]),
    ("write_block8", [HANDLE, RAM, ["a", None]]),
    ("write_block32", [HANDLE, RAM, 5]),
    ("read_ap_multiple", [0xC, 10**12]),
    ("read_ap_multiple", [0xC, -1]),
    ("read_ap", [None]),
    ("write_ap_multiple", [0xC, "text"]),
    ("write_dp", [4, 1.5]),
    ("read_dp", [0x10]),
    ("set_clock", [0]),
    ("set_clock", [1e-9]),
    ("set_clock", [float("nan")]),
    ("set_clock", ["fast"]),
    ("assert_reset", ["yes"]),
    ("connect", ["JTAG"]),
    ("connect", ["CARRIER_PIGEON"]),
    ("get_memory_interface_for_ap", [1, 99]),
    ("hello", [2]),
    ("read_dp", []),
    ("launch", [1]),
    ("swo_start", [115200]),
)
ODDITIES = (None, True, -1, 0, 1, 2**31, 2**63, 10**30, 0.5, "x", "", [], [0], {}, [[]])


class Client:
    """One connection, and the protocol of pyOCD's remote probe."""

    def __init__(self, live: Any) -> None:
        self._live = live
        self._open()

    def _open(self) -> None:
        self._socket = self._live.connect("probe")
        self._file = self._socket.makefile("rwb")
        self.ask("open", [])
        self.ask("connect", ["SWD"])
        self.ask("write_dp", [4, 0x5000_0000])
        assert self.ask("get_memory_interface_for_ap", [1, 0])["result"] == HANDLE

    def ask(self, request: Any, arguments: Any) -> dict[str, Any]:
        """The answer; a server that hung up after it is connected to again."""
        line = json.dumps({"id": 3, "request": request, "arguments": arguments}).encode() + b"\n"
        self._file.write(line)
        self._file.flush()
        answer: dict[str, Any] = json.loads(self._file.readline())
        assert answer["id"] == 3
        self.hung_up = answer["status"] == GENERAL_ERROR and not self._socket_answers()
        if self.hung_up:
            self.close()
            self._open()
        return answer

    def _socket_answers(self) -> bool:
        try:
            self._file.write(b"{}\n")
            self._file.flush()
            return bool(self._file.readline())
        except OSError:
            return False

    def alive(self) -> bool:
        return self.ask("read_dp", [0])["status"] == 0

    def close(self) -> None:
        self._file.close()
        self._socket.close()


@pytest.fixture
def client(live: Any) -> Any:
    client = Client(live)
    yield client
    client.close()


@pytest.mark.parametrize(("request_name", "arguments"), WRONG)
def test_a_wrong_request_is_refused_at_once(
    live: Any, client: Client, request_name: str, arguments: list[Any]
) -> None:
    start_s = live.bench.now_s
    answer = client.ask(request_name, arguments)
    live.tally("probe", f"status {answer['status']}")
    if request_name == "get_memory_interface_for_ap":
        assert answer.get("result") is None  # no such access port
    else:
        assert answer["status"] != 0
        assert answer["error"]
        assert not client.hung_up
    assert live.bench.now_s - start_s < 0.1
    assert client.alive()


@pytest.mark.parametrize("seed", range(4))
def test_random_arguments(live: Any, client: Client, seed: int) -> None:
    """None of these is a whole and valid request to change something."""
    print("seed", seed)
    source = random.Random(seed)
    for _ in range(100):
        name, arguments = source.choice(WRONG)
        position = source.randrange(len(arguments) + 1)
        changed = [*arguments[:position], source.choice(ODDITIES), *arguments[position + 1 :]]
        if name in ("write_mem", "write_block8", "write_block32", "assert_reset", "write_ap_multiple"):
            changed = [source.choice(ODDITIES[11:]) for _ in changed]
        live.tally("probe", f"status {client.ask(name, changed)['status']}")


@pytest.mark.parametrize(
    "line",
    [
        b"[]",
        b"17",
        b"{}",
        b'{"id": 1}',
        b'{"id": 1, "request": "read_dp", "arguments": {}}',
        b"\xff",
        b"{" * 9000,
    ],
)
def test_lines_that_are_no_request(live: Any, line: bytes) -> None:
    with live.connect("probe") as connection:
        connection.sendall(line + b"\n")
        answer = json.loads(connection.makefile("rb").readline())
        assert answer["status"] != 0
    live.tally("probe", f"status {answer['status']}")


def test_nesting_without_end(live: Any) -> None:
    with live.connect("probe") as connection:
        connection.sendall(b"[" * 100_000 + b"\n")
        assert json.loads(connection.makefile("rb").readline())["status"] != 0
