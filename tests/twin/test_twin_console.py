# SPDX-License-Identifier: Apache-2.0
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from hil.twin.console import FRAME_PS, RECEIVE_PIN, ConsoleServer, received_byte
from hil.twin.core.scheduler import Scheduler
from hil.twin.pins import make_pins


class Usart:
    def __init__(self) -> None:
        self.on_transmit: Callable[[int, int, float], None] = lambda end_ps, byte, baud: None
        self.received: list[int] = []

    def receive(self, byte: int) -> None:
        self.received.append(byte)


class Board:
    """A part that is all UART."""

    def __init__(self) -> None:
        self.usart2 = Usart()


class UartBench:
    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.scheduler = Scheduler()
        self.mcu = Board()
        self.debug_lines_isolated = False
        self.pins = make_pins()
        self.isolation_listeners: list[Callable[[], None]] = []

    def transmit(self, data: bytes, baud: float = 115200) -> None:
        with self.lock:
            for byte in data:
                self.mcu.usart2.on_transmit(0, byte, baud)


@pytest.fixture
def bench() -> UartBench:
    return UartBench()


@pytest.fixture
def server(bench: UartBench) -> Iterator[ConsoleServer]:
    with contextlib.closing(ConsoleServer(bench, "127.0.0.1", 0)) as server:
        yield server


class Terminal:
    """A terminal that is known to be plugged in: its first keystroke has arrived."""

    def __init__(self, bench: UartBench, server: ConsoleServer) -> None:
        arrived = threading.Event()
        take = server.type

        def type_and_tell(data: bytes) -> None:
            take(data)
            arrived.set()

        server.type = type_and_tell  # type: ignore[method-assign]
        host, port = server.address.split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=5)
        self.socket.sendall(b"!")
        assert arrived.wait(5)
        del server.type  # type: ignore[method-assign]
        with bench.lock:
            bench.scheduler.advance_to(bench.scheduler.now_ps + FRAME_PS)
            bench.mcu.usart2.received.clear()

    def read(self, count: int) -> bytes:
        with self.socket.makefile("rb") as stream:
            return stream.read(count)


@pytest.mark.parametrize("baud", [115200, 115200 * 1.029, 115200 * 0.971])
def test_bytes_pass_within_the_tolerance(baud: float) -> None:
    assert [received_byte(byte, baud) for byte in range(256)] == list(range(256))


@pytest.mark.parametrize("baud", [115200 * 1.031, 115200 * 0.969, 57600, 230400, 9600])
def test_no_byte_passes_beyond_the_tolerance(baud: float) -> None:
    garbage = [received_byte(byte, baud) for byte in range(256)]
    assert all(garbage[byte] != byte and 0 <= garbage[byte] < 256 for byte in range(256))


def test_half_speed_bits_are_sampled_twice() -> None:
    # Sent at 57600, the receiver's 8 samples see the start bit once more, then data bits 0, 0, 1, 1, 2, 2, 3.
    assert received_byte(0b1010, 57600) == 0b1_00_11_00_0


def test_what_the_part_sends_reaches_the_terminal(bench: UartBench, server: ConsoleServer) -> None:
    bench.transmit(b"nobody listens yet\r\n")
    terminal = Terminal(bench, server)
    with terminal.socket:
        bench.transmit(b"@0 BOOT\r\n")
        assert terminal.read(9) == b"@0 BOOT\r\n"
    assert server.last_line == "@0 BOOT"


def test_isolated_lines_lose_bytes(bench: UartBench, server: ConsoleServer) -> None:
    terminal = Terminal(bench, server)
    with terminal.socket:
        bench.debug_lines_isolated = True
        bench.transmit(b"lost")
        bench.debug_lines_isolated = False
        bench.transmit(b"kept")
        assert terminal.read(4) == b"kept"


def test_a_newcomer_replaces_the_terminal(bench: UartBench, server: ConsoleServer) -> None:
    first = Terminal(bench, server)
    second = Terminal(bench, server)
    with first.socket, second.socket:
        bench.transmit(b"x")
        assert second.read(1) == b"x"
        assert first.read(1) == b""


def test_typed_bytes_arrive_one_frame_time_apart(bench: UartBench, server: ConsoleServer) -> None:
    frame_ps = 10 * 10**12 // 115200
    server.type(b"ab")
    bench.scheduler.advance_to(frame_ps)
    assert bench.mcu.usart2.received == [ord("a")]
    bench.scheduler.advance_to(2 * frame_ps)
    assert bench.mcu.usart2.received == [ord("a"), ord("b")]


def test_a_typed_byte_is_on_the_receive_pin_bit_by_bit(bench: UartBench, server: ConsoleServer) -> None:
    edges: list[tuple[float, bool | None]] = []
    pin = bench.pins[RECEIVE_PIN]
    assert pin.external_level is True, "the line idles high"
    pin.external_listeners.append(lambda time_ps, level: edges.append((time_ps * 115200 / 1e12, level)))
    server.type(b"\n")  # 0x0A: start bit, then 0 1 0 1 0 0 0 0 from the lowest bit on, then the stop bit
    bench.scheduler.advance_to(2 * FRAME_PS)
    assert [level for _, level in edges] == [False, True, False, True, False, True]
    assert [time for time, _ in edges] == pytest.approx([0, 2, 3, 4, 5, 9], abs=1e-3)


def test_the_receive_pin_is_undriven_while_the_lines_are_open(
    bench: UartBench, server: ConsoleServer
) -> None:
    pin = bench.pins[RECEIVE_PIN]
    for isolated, level in ((True, None), (False, True)):
        bench.debug_lines_isolated = isolated
        for listener in bench.isolation_listeners:
            listener()
        assert pin.external_level is level


def test_what_was_sent_before_is_on_the_line_when_time_moves(bench: UartBench, server: ConsoleServer) -> None:
    terminal = Terminal(bench, server)
    with terminal.socket:
        for byte in b"abc":
            with bench.lock:  # its thread cannot take the byte: only pull() does
                terminal.socket.sendall(bytes([byte]))
                server.pull()
                bench.scheduler.advance_to(bench.scheduler.now_ps + FRAME_PS)
                assert bench.mcu.usart2.received.pop() == byte
