# SPDX-License-Identifier: Apache-2.0
"""Servers that take a connection and never answer, and ones that flood: each order to them ends by itself."""

import itertools
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
import serial

from hil.errors import ConnectError, DeviceError, DeviceTimeoutError, InstrumentError, InstrumentTimeoutError
from hil.instruments import (
    bounded_visa,
    exchange,
    grpc_deadline,
    lpm01a_link,
    remote_probe,
    scpi_link,
    serial_console,
)
from hil.instruments import clock as clock_module
from hil.instruments.clock import BenchClock, WallClock
from hil.instruments.lpm01a import Lpm01a
from hil.instruments.n6705c import open_n6705c
from hil.instruments.nidaqmx_daq import NiDaq
from hil.instruments.pyocd_board import PyocdBoard
from hil.instruments.records import crc16_ccitt_false
from hil.instruments.serial_console import SerialConsole

SHORT_S = 0.4
"""In place of every time-out, so that the tests are quick."""

BOUND_S = 20.0
"""Wall time within which each order has ended: some time-outs of SHORT_S, on a loaded machine."""


def silent(connection: socket.socket, over: threading.Event) -> None:
    """Take what comes and say nothing."""
    while not over.is_set():
        if select.select([connection], [], [], 0.02)[0] and not connection.recv(4096):
            return


def flooding(data: bytes) -> Callable[[socket.socket, threading.Event], None]:
    """Send ``data`` over and over, whatever comes."""

    def serve(connection: socket.socket, over: threading.Event) -> None:
        connection.settimeout(0.1)
        while not over.is_set():
            try:
                connection.sendall(data)
            except TimeoutError:
                continue

    return serve


def trickling(connection: socket.socket, over: threading.Event) -> None:
    """Send a byte whenever a time-out for a byte would nearly have passed."""
    while not over.wait(SHORT_S / 8):
        connection.sendall(b" ")


@contextmanager
def server(serve: Callable[[socket.socket, threading.Event], None]) -> Iterator[int]:
    """A server on a port of its own; yields the port."""
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def connected(connection: socket.socket) -> None:
        with connection:
            try:
                serve(connection, over)
            except OSError:
                return  # the client has had enough

    def accept() -> None:
        while not over.is_set():
            if select.select([listener], [], [], 0.02)[0]:
                connection, _ = listener.accept()
                threads.append(threading.Thread(target=connected, args=(connection,)))
                threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        accepting.join()
        for thread in threads:
            thread.join()
        listener.close()


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock_module, "_ANSWER_TIMEOUT_S", SHORT_S)
    monkeypatch.setattr(clock_module, "_SUSPECT_TIMEOUT_S", SHORT_S / 4)
    monkeypatch.setattr(remote_probe, "ANSWER_TIMEOUT_S", SHORT_S)
    monkeypatch.setattr(grpc_deadline, "CALL_TIMEOUT_S", SHORT_S)
    monkeypatch.setattr(grpc_deadline, "SUSPECT_TIMEOUT_S", SHORT_S)
    monkeypatch.setattr(lpm01a_link, "ANSWER_TIMEOUT_S", SHORT_S)
    monkeypatch.setattr(scpi_link, "_IO_TIMEOUT_MS", int(SHORT_S * 1e3))
    monkeypatch.setattr(bounded_visa, "ANSWER_TIMEOUT_S", 2 * SHORT_S)


def power_analyzer(port: int) -> None:
    open_n6705c(
        f"TCPIP0::127.0.0.1::{port}::SOCKET",
        channel=1,
        voltage_maximum_v=3.6,
        current_maximum_a=0.1,
        clock=WallClock(),
        serial=None,
    )


def powershield(port: int) -> None:
    Lpm01a(
        lambda: serial.serial_for_url(f"socket://127.0.0.1:{port}", timeout=0, write_timeout=SHORT_S),
        voltage_maximum_v=3.6,
        current_maximum_a=0.1,
        clock=WallClock(),
    )


def daq(port: int) -> None:
    NiDaq("Dev1", grpc_target=f"127.0.0.1:{port}", limits_v={"Dev1/ao0": (0.0, 3.0)}, lines=[])


def board(port: int) -> None:
    PyocdBoard(f"remote:127.0.0.1:{port}", "stm32l475xg", 4e6).connect()


def bench_clock(port: int) -> None:
    with closing(BenchClock("127.0.0.1", port)) as clock:
        clock.now_s()


LINKS = {
    "power_analyzer": power_analyzer,
    "power": powershield,  # a power analyzer, too
    "daq": daq,
    "board": board,
    "bench clock": bench_clock,
}
FLOODS = {"zeros": bytes(1 << 16), "blanks": b" " * (1 << 16), "lines": b"12\n" * 10_000}


@pytest.mark.parametrize("link", LINKS)
def test_a_server_that_never_answers(link: str) -> None:
    began_s = time.monotonic()
    with server(silent) as port, pytest.raises(InstrumentTimeoutError) as caught:
        LINKS[link](port)
    assert time.monotonic() - began_s < BOUND_S
    assert caught.value.where.startswith(link)
    assert caught.value.operation


@pytest.mark.parametrize("flood", FLOODS)
@pytest.mark.parametrize("link", LINKS)
def test_a_server_that_floods(link: str, flood: str) -> None:
    began_s = time.monotonic()
    with server(flooding(FLOODS[flood])) as port, pytest.raises(InstrumentError) as caught:
        LINKS[link](port)
    assert time.monotonic() - began_s < BOUND_S
    assert caught.value.where.startswith(link)
    assert caught.value.operation


@pytest.mark.parametrize("link", LINKS)
def test_a_server_that_trickles(link: str) -> None:
    began_s = time.monotonic()
    with server(trickling) as port, pytest.raises(InstrumentError) as caught:
        LINKS[link](port)
    assert time.monotonic() - began_s < BOUND_S
    assert caught.value.where.startswith(link)


def test_a_probe_that_falls_silent_ends_every_order_to_it() -> None:
    with server(silent) as port:
        probe = PyocdBoard(f"remote:127.0.0.1:{port}", "stm32l475xg", 4e6)
        for order in (probe.identity, probe.connect, lambda: probe.connect(under_reset=True)):
            with pytest.raises(InstrumentTimeoutError, match=r"board: \w+.*is the probe's server alive"):
                order()


@pytest.mark.parametrize(
    "answer",
    [
        b"\n",
        b"\xff\n",
        b"12\n",
        b"[]\n",
        b'{"id": 0}\n',
        b'{"id": 7, "status": 0}\n',
        b'{"id": 0, "status": "bad"}\n',
        b'{"id": 0, "status": 0',
    ],
)
def test_what_a_probe_answers_beside_the_protocol(answer: bytes) -> None:
    def serve(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(4096)
        connection.sendall(answer)
        silent(connection, over)

    with server(serve) as port, pytest.raises(InstrumentError, match=r"board: connect: "):
        board(port)


@pytest.mark.parametrize("result", [b"null", b'"x"', b"[1]", b"{}", b"-1", b"1e400"])
def test_values_that_no_probe_has(result: bytes) -> None:
    def serve(connection: socket.socket, over: threading.Event) -> None:
        connection.settimeout(BOUND_S)
        for number in itertools.count():
            if not connection.recv(4096):
                return
            connection.sendall(b'{"id": %d, "status": 0, "result": %s}\n' % (number, result))

    with server(serve) as port, pytest.raises(InstrumentError, match=r"board: connect: "):
        board(port)


def test_a_clock_that_owes_an_answer_is_given_less_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A way out asks for the time at each of its steps."""
    with server(silent) as port, closing(BenchClock("127.0.0.1", port, "token")) as clock:
        monkeypatch.setattr(clock_module, "_ANSWER_TIMEOUT_S", SHORT_S)
        with pytest.raises(InstrumentTimeoutError):
            clock.now_s()
        monkeypatch.setattr(clock_module, "_ANSWER_TIMEOUT_S", 100 * BOUND_S)
        began_s = time.monotonic()
        for _ in range(3):
            with pytest.raises(InstrumentTimeoutError):
                clock.now_s()
        assert time.monotonic() - began_s < BOUND_S


def test_a_silent_console_ends_at_its_time() -> None:
    with server(silent) as port:
        console = SerialConsole(f"socket://127.0.0.1:{port}", 115200, WallClock())
        with pytest.raises(DeviceTimeoutError, match="no BOOT record"):
            console.wait_for("BOOT", SHORT_S)
        console.close()


def test_a_console_full_of_garbage_ends_at_its_time() -> None:
    began_s = time.monotonic()
    with server(flooding(b"\xff" * (1 << 16))) as port:
        console = SerialConsole(f"socket://127.0.0.1:{port}", 115200, WallClock())
        with pytest.raises(DeviceTimeoutError, match=r"1 garbage line"):
            console.wait_for("BOOT", SHORT_S)
        console.close()
    assert time.monotonic() - began_s < BOUND_S


class Endless:
    """A port that always has more."""

    def __init__(self, data: bytes) -> None:
        self.data, self.given = data, 0

    def read(self, size: int) -> bytes:
        self.given += 1
        assert self.given < 10_000, "read for ever"
        return (self.data * (size // len(self.data) + 1))[: size // len(self.data) * len(self.data)]

    def close(self) -> None:
        pass


def test_a_flood_of_records_is_the_devices_fault_and_takes_bounded_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body = b"0 ANOM score=1"
    port = Endless(b"@" + body + b"*%04X\r\n" % crc16_ccitt_false(body))
    monkeypatch.setattr("serial.serial_for_url", lambda *_arguments, **_options: port)
    monkeypatch.setattr(serial_console, "_RECORDS_MOST", 60_000)
    console = SerialConsole("loop://", 115200, WallClock())
    with pytest.raises(DeviceError, match="more than 60000 records since the last clear"):
        console.wait_for("BOOT", 60.0)
    assert len(console.records) <= 60_000
    console.clear()
    assert console.records == ()


def test_a_flood_without_lines_is_told_in_few_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serial.serial_for_url", lambda *_arguments, **_options: Endless(b"x"))
    monkeypatch.setattr(exchange, "listening", lambda: True)
    told: list[tuple[object, ...]] = []
    monkeypatch.setattr(exchange, "message", lambda *message: told.append(message))
    console = SerialConsole("loop://", 115200, WallClock())
    console.poll()
    assert told
    assert all(len(str(answer)) < 100 for _, _, answer in told)


def test_a_console_that_takes_nothing_is_an_instruments_fault() -> None:
    class Full(Endless):
        def write(self, _data: bytes) -> None:
            import serial

            raise serial.SerialTimeoutException("Write timeout")

    with pytest.MonkeyPatch.context() as patch:
        given: dict[str, object] = {}

        def full(*_arguments: object, **options: object) -> Full:
            given.update(options)
            return Full(b"x")

        patch.setattr("serial.serial_for_url", full)
        console = SerialConsole("loop://", 115200, WallClock())
        with pytest.raises(InstrumentTimeoutError, match=r"console loop://: write: .*no bytes for 5 s"):
            console.send(b"$1 WAKE\n")
    assert given["write_timeout"] == 5.0


def test_a_connection_that_is_refused_is_no_time_out() -> None:
    with pytest.raises(ConnectError, match="daq: identify"):
        daq(1)
