# SPDX-License-Identifier: Apache-2.0
import contextlib
import socket
import threading

import pytest

from hil.twin.bench_clock import ClockProtocol, ClockServer


class IdleBench:
    """A bench on which nothing happens but time."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.now_s = 0.0
        self.advances: list[float] = []

    def advance(self, seconds: float) -> None:
        self.advances.append(seconds)
        self.now_s += seconds


def test_now_reads_back_to_the_same_float() -> None:
    bench = IdleBench()
    bench.now_s = 0.1 + 0.2
    assert float(ClockProtocol(bench).answer("NOW\n").removeprefix("OK ")) == bench.now_s


def test_sleep_advances_and_tells_the_time() -> None:
    bench = IdleBench()
    assert ClockProtocol(bench).answer("SLEEP 2.25\n") == "OK 2.25"
    assert sum(bench.advances) == 2.25


def test_a_long_sleep_lets_go_of_the_bench_in_between() -> None:
    bench = IdleBench()
    ClockProtocol(bench).answer("SLEEP 3.5")
    assert bench.advances == [1.0, 1.0, 1.0, 0.5]


@pytest.mark.parametrize(
    "line",
    [
        "SLEEP -1",
        "SLEEP nan",
        "SLEEP inf",
        "SLEEP 2592001",
        "SLEEP soon",
        "SLEEP",
        "SLEEP 1 2",
        "now",
        "",
        "NOW 1",
    ],
)
def test_bad_requests_are_answered_and_move_no_time(line: str) -> None:
    bench = IdleBench()
    assert ClockProtocol(bench).answer(line).startswith("ERR ")
    assert bench.advances == []


def test_the_connection_survives_a_bad_request() -> None:
    with contextlib.closing(ClockServer(IdleBench(), "127.0.0.1", 0, "t0ken")) as server:
        token, _, place = server.address.partition("@")
        assert token == "t0ken"
        host, port = place.split(":")
        with (
            socket.create_connection((host, int(port)), timeout=5) as client,
            client.makefile("rwb") as lines,
        ):
            lines.write(b"TOKEN t0ken\n\xff\nSLEEP 1\nNOW\n")
            lines.flush()
            assert lines.readline() == b"OK\n"
            assert lines.readline().startswith(b"ERR ")
            assert lines.readline() == b"OK 1.0\n"
            assert lines.readline() == b"OK 1.0\n"


@pytest.mark.parametrize(
    "first", [b"", b"NOW\n", b"TOKEN\n", b"TOKEN t0ke\n", b"TOKEN t0ken2\n", b"token t0ken\n"]
)
def test_without_the_token_no_time_passes(first: bytes) -> None:
    bench = IdleBench()
    with contextlib.closing(ClockServer(bench, "127.0.0.1", 0, "t0ken")) as server:
        host, port = server.address.rpartition("@")[2].split(":")
        with (
            socket.create_connection((host, int(port)), timeout=5) as client,
            client.makefile("rwb") as lines,
        ):
            lines.write(first + b"SLEEP 1\n")
            lines.flush()
            for _ in range(first.count(b"\n") + 1):
                assert lines.readline().startswith(b"ERR expected TOKEN <token> first")
    assert bench.advances == []
