# SPDX-License-Identifier: Apache-2.0
"""SCPI over a TCP socket: lines in, response lines out, one thread per client."""

from __future__ import annotations

import socket
import socketserver
import threading
from typing import Protocol

from hil.twin.tcp_server import TcpServer
from hil.twin.web_page import comes_from_a_browser

INPUT_BUFFER_BYTES = 1 << 20
"""Longest line taken (assumption: far more than any SCPI line); a longer one is thrown away with error
-363."""


class Instrument(Protocol):
    """What is behind the socket."""

    def execute(self, message: bytes) -> bytes:
        """Run one line; the response with its terminator, or nothing."""

    def overrun(self) -> None:
        """A line was too long and has been thrown away."""


class _Connection(socketserver.BaseRequestHandler):
    server: ScpiServer
    request: socket.socket

    def setup(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.server.connections_lock:
            self.server.connections.add(self.request)

    def finish(self) -> None:
        with self.server.connections_lock:
            self.server.connections.discard(self.request)

    def handle(self) -> None:
        line = bytearray()
        overrun = False
        while chunk := self._receive():
            *complete, rest = chunk.split(b"\n")
            for part in complete:
                line += part
                if comes_from_a_browser(line):
                    return
                if overrun or len(line) > INPUT_BUFFER_BYTES:
                    self.server.instrument.overrun()
                elif not self._answer(bytes(line).rstrip(b"\r")):
                    return
                line.clear()
                overrun = False
            line += rest
            if len(line) > INPUT_BUFFER_BYTES:
                if comes_from_a_browser(line):
                    return
                line.clear()
                overrun = True

    def _receive(self) -> bytes:
        try:
            return self.request.recv(1 << 16)
        except OSError:  # the client is gone, or the server closes
            return b""

    def _answer(self, message: bytes) -> bool:
        self.server.answering.wait()
        response = self.server.instrument.execute(message)
        try:
            self.request.sendall(response)
        except OSError:
            return False
        return True


class ScpiServer(TcpServer):
    """A running server of any number of clients."""

    def __init__(self, instrument: Instrument, host: str, port: int) -> None:
        super().__init__(host, port, _Connection)
        self.instrument = instrument
        self.connections: set[socket.socket] = set()
        self.connections_lock = threading.Lock()
        self.answering = threading.Event()
        self.answering.set()
        self.start()

    def close(self) -> None:
        """Stop listening and drop the clients."""
        super().close()
        self.hang(False)
        self.drop_clients()

    def hang(self, hung: bool) -> None:
        """A fault: take messages and act on none until it is over."""
        if hung:
            self.answering.clear()
        else:
            self.answering.set()

    def drop_clients(self) -> None:
        """A fault: every connection ends; clients may connect again."""
        with self.connections_lock:
            connections = list(self.connections)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:  # it closed in the meantime
                continue
