# SPDX-License-Identifier: Apache-2.0
"""The PowerShield's serial port as a TCP socket, for pyserial's ``socket://``: one host at a time."""

from __future__ import annotations

import contextlib
import select
import socket
import socketserver
import threading
from contextlib import AbstractContextManager
from typing import Protocol

from hil.twin.lpm01a.powershield import PowerShield
from hil.twin.tcp_server import TcpServer
from hil.twin.web_page import comes_from_a_browser

LINE_BYTES_MOST = 256
"""Of a command (ASSUMPTION); what is longer is thrown away."""
_SEND_BUFFER_BYTES = 1 << 20


class LockedBench(Protocol):
    """What the port needs of the bench."""

    @property
    def lock(self) -> AbstractContextManager[object]:
        """Held by whoever touches the machine."""


class SerialPort(TcpServer):
    """A newcomer replaces the host before. The board does not notice that a host comes or goes."""

    def __init__(self, bench: LockedBench, board: PowerShield, host: str, port: int) -> None:
        super().__init__(host, port, _Connection)
        self.bench, self.board = bench, board
        self._host: socket.socket | None = None
        self.answering = threading.Event()
        self.answering.set()
        board.connect_host(self._send)
        self.start()

    def close(self) -> None:
        """Stop listening and hang up."""
        super().close()
        self.answering.set()
        self.drop_clients()

    def hang(self, hung: bool) -> None:
        """A fault: commands are taken and not acted on until it is over."""
        if hung:
            self.answering.clear()
        else:
            self.answering.set()

    def drop_clients(self) -> None:
        """A fault: the connection ends; a host may connect again."""
        with self.bench.lock:
            host, self._host = self._host, None
        if host is not None:
            with contextlib.suppress(OSError):
                host.shutdown(socket.SHUT_RDWR)

    def attach(self, host: socket.socket) -> None:
        """Plug a host in, in place of the one before."""
        self.drop_clients()
        host.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        with self.bench.lock:
            self._host = host

    def _send(self, data: bytes) -> bool:
        """Hand bytes to the host, whole or not at all; without a host they are lost. Never waits."""
        host = self._host
        if host is None:
            return True
        try:
            if not select.select([], [host], [], 0)[1]:
                return False
            host.sendall(data)
        except (OSError, ValueError):  # ValueError: closed meanwhile
            self._host = None
        return True


class _Connection(socketserver.BaseRequestHandler):
    server: SerialPort
    request: socket.socket

    def handle(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server.attach(self.request)
        line = bytearray()
        while chunk := self._receive():
            for part in chunk.replace(b"\r", b"\n").splitlines(keepends=True):
                line += part
                if comes_from_a_browser(line):
                    return
                if part.endswith(b"\n"):
                    self._act(bytes(line))
                    line.clear()
            del line[LINE_BYTES_MOST + 1 :]

    def _act(self, line: bytes) -> None:
        self.server.answering.wait()
        if len(line) <= LINE_BYTES_MOST:
            with self.server.bench.lock:
                self.server.board.execute(line)

    def _receive(self) -> bytes:
        try:
            return self.request.recv(1 << 12)
        except OSError:  # the host is gone, or the server closes
            return b""
