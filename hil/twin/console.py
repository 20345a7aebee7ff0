# SPDX-License-Identifier: Apache-2.0
"""The console: the part's UART behind the ST-LINK's virtual COM port, offered as a TCP socket.

Open it with pyserial's ``socket://`` URL. The far end of the UART runs at the rate of the rig file's console,
as the port of a user who follows the firmware's manual; what a part transmits at another rate or in another
format is sampled as a UART samples it. What the terminal types is on the part's receive pin bit by bit, where
the USART samples it and a start bit can wake the part.
"""

from __future__ import annotations

import contextlib
import select
import socket
import socketserver
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Protocol

import numpy as np

from hil.boards import Board
from hil.twin.far_end import FarEnd, Usart
from hil.twin.pins import Pins
from hil.twin.signal import Signal
from hil.twin.tcp_server import TcpServer
from hil.twin.uart_line import PS_PER_S, Event, Format, Reception
from hil.twin.web_page import comes_from_a_browser

HOST_BAUD = 115200
"""The rate the host's side of the virtual COM port is set to, unless the rig file says another one."""

HOST_FORMAT = Format()
"""8 data bits, no parity; 1 stop bit. A byte with a framing error is passed on as it was sampled (ASSUMPTION:
so does the ST-LINK)."""

FRAME_BITS = 10
FRAME_PS = FRAME_BITS * PS_PER_S // HOST_BAUD

NOISE_BYTES = (0x00, 0x80, 0xC0, 0xE0, 0xF0, 0xF8, 0xFC, 0xFE, 0xFF)
"""What a short dip of a floating line is received as: low bits first, then high (ASSUMPTION: one dip)."""
FLOATING_BYTE_SHARE = 0.5
FLOATING_BYTE_AFTER_S = (1e-3, 20e-3)
"""How often, and how soon after the part has let go of its transmit pin, noise passes for a byte
(ASSUMPTIONS)."""

_FULL_POLL_S = 0.05
"""How often a connection looks whether the port has room again."""

_SEND_BUFFER_BYTES = 1 << 20
_LINE_LIMIT = 256
_CHUNK_BYTES = 4096
_TYPED_BYTES = 1 << 16
"""Bytes on their way to the part that the port holds before it lets its terminal wait; bench time takes them
away. Far more than a command line."""


class Mcu(Protocol):
    """The part of the microcontroller that the console reaches."""

    @property
    def console_uart(self) -> Usart:
        """The UART that the board wires to its debug probe."""


class Scheduler(Protocol):
    """The bench's time."""

    @property
    def now_ps(self) -> int:
        """Bench time in picoseconds."""

    def at(self, time_ps: int, action: Callable[[], None]) -> Event:
        """Call ``action`` at ``time_ps``."""


class ConsoleBench(Protocol):
    """What the console needs of the bench."""

    @property
    def lock(self) -> AbstractContextManager[object]:
        """Held by whoever touches the machine."""

    @property
    def scheduler(self) -> Scheduler:
        """The bench's time."""

    @property
    def board(self) -> Board:
        """Which pins are the console's."""

    @property
    def mcu(self) -> Mcu:
        """The part on the board."""

    @property
    def pins(self) -> Pins:
        """The part's pins."""

    @property
    def debug_lines_isolated(self) -> bool:
        """Whether the relay has opened the debug and console lines."""

    @property
    def st_link_powered(self) -> bool:
        """Whether the far end of the lines has its supply."""

    def rng(self, name: str) -> np.random.Generator:
        """A random generator of its own for ``name``."""

    @property
    def isolation_changed(self) -> Signal[[]]:
        """Called when the relay has opened or closed them."""


class ConsoleServer(TcpServer):
    """A TCP server for one terminal at a time; a newcomer replaces the one before.

    Bytes that the part sends while nobody listens, or while the lines are isolated, are lost.
    """

    def __init__(
        self, bench: ConsoleBench, host: str, port: int, *, baud: int = HOST_BAUD, stray_bytes: bool = False
    ) -> None:
        """The host's side runs at ``baud``. With ``stray_bytes`` it receives noise when its lines move, and
        while they float.
        """
        super().__init__(host, port, _ConsoleConnection)
        self._bench = bench
        self._noise = bench.rng("console noise") if stray_bytes else None
        self._terminal: socket.socket | None = None
        self._hung = False
        self._line = bytearray()
        self.last_line = ""
        """The last complete line the part sent, for whoever watches."""
        self.byte_passed: Signal[[str, int]] = Signal()
        """Tells of each byte that has passed: "sent" by the part, or "typed" at the terminal."""
        self._host = FarEnd(
            bench.scheduler,
            bench.mcu.console_uart,
            self._put_level,
            self._arrived,
            baud=baud,
            connected=lambda: not bench.debug_lines_isolated,
            frame=HOST_FORMAT,
        )
        self._host.sent.connect(lambda byte: self._tell("typed", byte))
        with bench.lock:
            bench.isolation_changed.connect(self._lines_moved)
            bench.pins[bench.board.console.tx].level_out_changed.connect(self._transmit_pin_changed)
            self._idle()
        self.start()

    def close(self) -> None:
        """Hang up and stop serving."""
        super().close()
        self._hang_up()

    def refuse(self) -> None:
        """Another program holds the port: nobody can open it any more."""
        super().close()

    def hang(self, hung: bool) -> None:
        """A fault: the port stays open, and nothing goes through it either way."""
        with self._bench.lock:
            self._hung = hung

    def drop_clients(self) -> None:
        """A fault: the port goes away under its terminal, which may open it again."""
        with self._bench.lock:
            self._hang_up()

    def attach(self, terminal: socket.socket) -> None:
        """Plug ``terminal`` in, in place of the one before."""
        terminal.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        with self._bench.lock:
            self._hang_up()
            self._terminal = terminal

    def detach(self, terminal: socket.socket) -> None:
        """Unplug ``terminal``, unless another one has replaced it."""
        with self._bench.lock:
            if self._terminal is terminal:
                self._terminal = None

    def pull(self) -> None:
        """Take what the terminal has sent so far.

        To be called before bench time moves at somebody's request: bytes sent before the request are then on
        the line before that time passes, whichever thread is the quicker.
        """
        with self._bench.lock:
            if self._terminal is not None:
                self.take(self._terminal)

    def take(self, terminal: socket.socket) -> bool:
        """Type what waits in the connection of ``terminal`` and return whether it is plugged in at all."""
        with self._bench.lock:
            if self._terminal is not terminal:
                return False
            # It may be going away; its own thread will see.
            with contextlib.suppress(OSError, ValueError):
                if self._has_room() and select.select([terminal], [], [], 0)[0]:
                    typed = terminal.recv(_CHUNK_BYTES)
                    if comes_from_a_browser(typed):
                        self._hang_up()
                        return False
                    self.type(typed)
            return True

    def type(self, data: bytes) -> None:
        """What the terminal sends reaches the part's pin one frame time after the other, in bench time."""
        with self._bench.lock:
            if not self._hung:
                self._host.send(data)

    def has_room(self, terminal: socket.socket) -> bool:
        """Whether ``terminal`` may type on: like a real port, this one stops taking bytes when it is full."""
        with self._bench.lock:
            return self._has_room() or self._terminal is not terminal

    def _has_room(self) -> bool:
        return len(self._host.waiting) < _TYPED_BYTES

    def _put_level(self, level: bool) -> None:
        """The terminal's end puts ``level`` on the receive pin; through open lines nothing is driven."""
        # Without power the far end pulls its lines low.
        driven = None if self._bench.debug_lines_isolated else level and self._bench.st_link_powered
        self._bench.pins[self._bench.board.console.rx].set_external_level(
            driven, self._bench.scheduler.now_ps
        )

    def _idle(self) -> None:
        """The relay has moved: the receive pin is undriven, or idles high."""
        self._put_level(True)

    def _lines_moved(self) -> None:
        self._idle()
        if self._noise is not None:
            self._receive_noise(0)

    def _transmit_pin_changed(self, _time_ps: int, level: bool | None) -> None:
        """A receive line that nobody drives picks up noise, now and then enough for a start bit."""
        if self._noise is None or level is not None or self._bench.debug_lines_isolated:
            return
        if self._noise.random() < FLOATING_BYTE_SHARE:
            delay_ps = round(float(self._noise.uniform(*FLOATING_BYTE_AFTER_S)) * PS_PER_S)
            byte = int(self._noise.choice(NOISE_BYTES))
            self._bench.scheduler.at(
                self._bench.scheduler.now_ps + delay_ps, partial(self._floating_noise, byte)
            )

    def _floating_noise(self, byte: int) -> None:
        floats = self._bench.pins[self._bench.board.console.tx].level_out is None
        if floats and not self._bench.debug_lines_isolated:
            self._receive_noise(byte)

    def _receive_noise(self, byte: int) -> None:
        """A byte that nobody has sent; it is on no trace of what the part does."""
        if self._bench.st_link_powered:
            self._deliver(byte)

    def _arrived(self, frame: Reception) -> None:
        """The host's end has received a byte."""
        if self._hung:
            return
        byte = frame.data
        self._remember(byte)
        self._tell("sent", byte)
        self._deliver(byte)

    def _deliver(self, byte: int) -> None:
        """To the terminal, if there is one."""
        terminal = self._terminal
        if self._hung or terminal is None:
            return
        try:
            # Never wait for a terminal that does not read: a full buffer loses bytes, as a serial port does.
            _, writable, _ = select.select([], [terminal], [], 0)
            if writable:
                terminal.send(bytes([byte]))
        except (OSError, ValueError):  # ValueError: closed meanwhile
            self._terminal = None

    def _tell(self, direction: str, byte: int) -> None:
        self.byte_passed(direction, byte)

    def _remember(self, byte: int) -> None:
        if byte == ord("\n") or len(self._line) >= _LINE_LIMIT:
            # A terminal shows it, and must not obey what the part sends.
            self.last_line = "".join(chr(byte) for byte in self._line if 0x20 <= byte < 0x7F).strip()
            self._line.clear()
        else:
            self._line.append(byte)

    def _hang_up(self) -> None:
        terminal, self._terminal = self._terminal, None
        if terminal is not None:
            # The terminal may have gone by itself.
            with contextlib.suppress(OSError):
                terminal.shutdown(socket.SHUT_RDWR)


class _ConsoleConnection(socketserver.BaseRequestHandler):
    server: ConsoleServer
    request: socket.socket

    def handle(self) -> None:
        try:
            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.server.attach(self.request)
            # Peeking waits for data and leaves it where pull() finds it.
            while self.request.recv(1, socket.MSG_PEEK) and self.server.take(self.request):
                while not self.server.has_room(self.request):
                    time.sleep(_FULL_POLL_S)
        except OSError:
            return  # the terminal's program has died
        finally:
            self.server.detach(self.request)
