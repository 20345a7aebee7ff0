# SPDX-License-Identifier: Apache-2.0
import contextlib
import socket
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from hil.boards import REFERENCE, Board
from hil.twin.console import FRAME_PS, ConsoleServer
from hil.twin.core.scheduler import Scheduler
from hil.twin.pins import Pins, make_pins
from hil.twin.signal import Signal
from hil.twin.uart_line import PS_PER_S, Format, Receiver, Reception

BOARD = Board.load(REFERENCE)


class Usart:
    """Receives from the pin with the line's own receiver, which has tests beside the USART's."""

    frame_bits = 10.0

    def __init__(self, scheduler: Scheduler, pins: Pins) -> None:
        self.transmitted: Signal[[int, int, float]] = Signal()
        self.received: list[int] = []
        receiver = Receiver(
            scheduler, lambda: (115200.0, Format()), lambda frame: self.received.append(frame.data)
        )
        pins[BOARD.console.rx].external_level_changed.connect(
            lambda time_ps, level: receiver.put(time_ps, level is not False)
        )

    @property
    def idle_level(self) -> bool:
        return True

    def levels(self, data: int) -> tuple[bool, ...]:
        return Format().levels(data)


class Part:
    """A part that is all UART."""

    def __init__(self, scheduler: Scheduler, pins: Pins) -> None:
        self.console_uart = Usart(scheduler, pins)


class UartBench:
    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.scheduler = Scheduler()
        self.debug_lines_isolated = False
        self.st_link_powered = True
        self.pins = make_pins()
        self.board = BOARD
        self.mcu = Part(self.scheduler, self.pins)
        self.isolation_changed: Signal[[]] = Signal()

    def rng(self, name: str) -> np.random.Generator:
        return np.random.default_rng(len(name))

    def transmit(self, data: bytes, baud: float = 115200) -> None:
        with self.lock:
            for byte in data:
                self.scheduler.advance_to(self.scheduler.now_ps + round(10 * PS_PER_S / baud))
                self.mcu.console_uart.transmitted(self.scheduler.now_ps, byte, baud)


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
            bench.mcu.console_uart.received.clear()

    def read(self, count: int) -> bytes:
        with self.socket.makefile("rb") as stream:
            return stream.read(count)


def heard(bench: UartBench, server: ConsoleServer, data: bytes, baud: float) -> list[Reception]:
    """What the host's end makes of bytes sent without a pause at another rate."""
    arrived: list[Reception] = []
    server._host.receiver._deliver = arrived.append
    bench.transmit(data, baud)
    bench.scheduler.advance_to(bench.scheduler.now_ps + 10 * FRAME_PS)
    return arrived


@pytest.mark.parametrize("error", [-0.03, -0.01, 0.0, 0.01, 0.03])
def test_three_per_cent_off_every_byte_passes(bench: UartBench, server: ConsoleServer, error: float) -> None:
    frames = heard(bench, server, bytes(range(256)), 115200 * (1 + error))
    assert bytes(frame.data for frame in frames) == bytes(range(256))
    assert not any(frame.framing_error or frame.noise for frame in frames)


@pytest.mark.parametrize("baud", [115200 * 1.06, 115200 * 0.94, 57600, 230400, 9600])
def test_six_per_cent_off_text_comes_with_errors(
    bench: UartBench, server: ConsoleServer, baud: float
) -> None:
    text = b"@0 BOOT fw=1.0 reset=power*1234\r\n"
    frames = heard(bench, server, text, baud)
    wrong = bytes(frame.data for frame in frames) != text
    assert wrong or all(frame.framing_error for frame in frames)
    assert wrong is (baud != 115200 * 0.94)  # there the stop bit alone is missed


def test_half_speed_bits_are_sampled_twice(bench: UartBench, server: ConsoleServer) -> None:
    # Sent at 57600, the receiver's samples see the start bit once more, then data bits 0, 0, 1, 1, 2, 2, 3.
    assert heard(bench, server, b"\xfa", 57600)[0].data == 0b1_00_11_00_0


def test_what_the_part_sends_reaches_the_terminal(bench: UartBench, server: ConsoleServer) -> None:
    bench.transmit(b"nobody listens yet\r\n")
    terminal = Terminal(bench, server)
    with terminal.socket:
        bench.transmit(b"@0 BOOT\r\n")
        assert terminal.read(9) == b"@0 BOOT\r\n"
    assert server.last_line == "@0 BOOT"
    bench.transmit(b"\x1b[2J\x07hello\r\n")
    assert server.last_line == "[2Jhello"  # for a person's terminal, which must not obey it


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
    assert bench.mcu.console_uart.received == [ord("a")]
    bench.scheduler.advance_to(2 * frame_ps)
    assert bench.mcu.console_uart.received == [ord("a"), ord("b")]


def test_a_typed_byte_is_on_the_receive_pin_bit_by_bit(bench: UartBench, server: ConsoleServer) -> None:
    edges: list[tuple[float, bool | None]] = []
    pin = bench.pins[BOARD.console.rx]
    assert pin.external_level is True, "the line idles high"
    pin.external_level_changed.connect(lambda time_ps, level: edges.append((time_ps * 115200 / 1e12, level)))
    server.type(b"\n")  # 0x0A: start bit, then 0 1 0 1 0 0 0 0 from the lowest bit on, then the stop bit
    bench.scheduler.advance_to(2 * FRAME_PS)
    assert [level for _, level in edges] == [False, True, False, True, False, True]
    assert [time for time, _ in edges] == pytest.approx([0, 2, 3, 4, 5, 9], abs=1e-3)


def test_the_receive_pin_is_undriven_while_the_lines_are_open(
    bench: UartBench, server: ConsoleServer
) -> None:
    pin = bench.pins[BOARD.console.rx]
    for isolated, level in ((True, None), (False, True)):
        bench.debug_lines_isolated = isolated
        bench.isolation_changed()
        assert pin.external_level is level


def test_what_was_sent_before_is_on_the_line_when_time_moves(bench: UartBench, server: ConsoleServer) -> None:
    terminal = Terminal(bench, server)
    with terminal.socket:
        for byte in b"abc":
            with bench.lock:  # its thread cannot take the byte: only pull() does
                terminal.socket.sendall(bytes([byte]))
                server.pull()
                bench.scheduler.advance_to(bench.scheduler.now_ps + FRAME_PS)
                assert bench.mcu.console_uart.received.pop() == byte
