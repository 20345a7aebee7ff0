# SPDX-License-Identifier: Apache-2.0
"""The bench clock's client, against a bench that answers from a script."""

import socketserver
import threading
from collections.abc import Iterator

import pytest

from hil.errors import ConnectError, InstrumentTimeoutError, ProtocolError
from hil.instruments.clock import BenchClock, WallClock, open_clock


class ScriptedBench(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        self.orders: list[str] = []
        self.answers: list[bytes] = []
        super().__init__(("127.0.0.1", 0), _Connection)


class _Connection(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server = self.server
        assert isinstance(server, ScriptedBench)
        for raw in self.rfile:
            server.orders.append(raw.decode().rstrip("\n"))
            answer = server.answers.pop(0)
            if not answer:
                return
            self.wfile.write(answer)


@pytest.fixture
def bench() -> Iterator[ScriptedBench]:
    with ScriptedBench() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def clock(bench: ScriptedBench) -> Iterator[BenchClock]:
    host, port = bench.server_address[:2]
    clock = open_clock(f"tcp://{host!s}:{port}")
    assert isinstance(clock, BenchClock)
    yield clock
    clock.close()


def test_now_and_sleep(bench: ScriptedBench, clock: BenchClock) -> None:
    bench.answers = [b"OK 1.5\n", b"OK 1.75\n"]
    assert clock.now_s() == 1.5
    clock.sleep(0.25)
    assert bench.orders == ["NOW", "SLEEP 0.25"]


def test_what_is_left_of_a_wait_moves_time(bench: ScriptedBench, clock: BenchClock) -> None:
    """20 s less 19.999999999999993 s is below what a bench counts in."""
    bench.answers = [b"OK 20.0\n", b"OK 20.0\n"]
    clock.sleep(20 - 19.999999999999993)
    clock.sleep(0.0)
    assert bench.orders == ["SLEEP 1e-09", "SLEEP 0.0"]


@pytest.mark.parametrize("answer", [b"ERR no\n", b"OK soon\n", b"OK\n", b"\xff\n", b"OK nan\n", b"OK inf\n"])
def test_a_refusal_is_a_protocol_error(bench: ScriptedBench, clock: BenchClock, answer: bytes) -> None:
    bench.answers = [answer]
    with pytest.raises(ProtocolError, match="expected OK <seconds>"):
        clock.sleep(-1.0)


@pytest.mark.parametrize("second", [b"OK 1.5\n", b"OK 1.0\n"])
def test_a_time_that_does_not_go_on_is_refused(
    bench: ScriptedBench, clock: BenchClock, second: bytes
) -> None:
    bench.answers = [b"OK 1.5\n", second]
    assert clock.now_s() == 1.5
    with pytest.raises(ProtocolError, match=r"SLEEP 0\.25: answered .*time that goes on"):
        clock.sleep(0.25)


def test_a_bench_that_goes_away(bench: ScriptedBench, clock: BenchClock) -> None:
    bench.answers = [b""]
    with pytest.raises(ConnectError, match="closed the connection"):
        clock.now_s()


def test_an_order_that_was_given_up_does_not_answer_the_next_one(
    bench: ScriptedBench, clock: BenchClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.answers = [b"OK 1.5", b"OK 2.5\n"]  # the first has no end
    with monkeypatch.context() as context:
        context.setattr("hil.instruments.clock._ANSWER_TIMEOUT_S", 0.1)
        with pytest.raises(InstrumentTimeoutError, match="NOW: no answer"):
            clock.now_s()
    assert clock.now_s() == 2.5


def test_the_token_of_the_address_comes_first(bench: ScriptedBench) -> None:
    host, port = bench.server_address[:2]
    bench.answers = [b"OK\n", b"OK 1.5\n"]
    clock = open_clock(f"tcp://s3cret@{host!s}:{port}")
    assert clock.now_s() == 1.5
    clock.close()
    assert bench.orders == ["TOKEN s3cret", "NOW"]


def test_a_token_that_is_refused_is_not_repeated_in_the_error(bench: ScriptedBench) -> None:
    host, port = bench.server_address[:2]
    bench.answers = [b"ERR expected another\n"]
    clock = open_clock(f"tcp://s3cret@{host!s}:{port}")
    with pytest.raises(ProtocolError, match="does not take the token") as caught:
        clock.now_s()
    assert "s3cret" not in str(caught.value)


def test_no_bench() -> None:
    with pytest.raises(ConnectError, match="is the bench's service running"):
        open_clock("tcp://127.0.0.1:1").now_s()


def test_wall() -> None:
    clock = open_clock("wall")
    assert isinstance(clock, WallClock)
    before = clock.now_s()
    clock.sleep(0.0)
    assert clock.now_s() >= before
