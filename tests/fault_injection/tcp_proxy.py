# SPDX-License-Identifier: Apache-2.0
"""A TCP connection with a fault in it: a proxy in front of a sound server."""

from __future__ import annotations

import contextlib
import random
import select
import socket
import threading
from collections.abc import Callable
from typing import Protocol

_CHUNK_BYTES = 1 << 16
_LOOK_UP_S = 0.02
_DELAY_S = (0.05, 0.5)
"""A late piece is late by so much."""
_TRICKLE_S = 0.1
"""Between two bytes of a connection that trickles: far below every time-out for a byte."""

HOSTILE = (
    b"\x1b]0;owned\x07\x1b[2J\x1b[31m",
    b"</script><script>alert(1)</script>",
    b"[bold]markup[/bold][/]",
    b"\x00\xff\xfe\xc3",
    b"A" * 5000,
    b"\r\n\n+9.9E400\n",
)
"""What a hostile server puts among its answers."""


class Fault(Protocol):
    """What becomes of a piece of data: it is sent, changed, later, or the connection is over."""

    def __call__(self, data: bytes, to_client: bool, send: Callable[[bytes], None]) -> None:
        """Handle ``data``. Raises ConnectionAbortedError where the connection ends."""


def _faults(draw: random.Random, over: threading.Event) -> dict[str, Fault]:
    def drop(data: bytes, to_client: bool, send: Callable[[bytes], None]) -> None:
        raise ConnectionAbortedError

    def stall(data: bytes, to_client: bool, send: Callable[[bytes], None]) -> None:
        if not to_client:
            send(data)

    def delay(data: bytes, to_client: bool, send: Callable[[bytes], None]) -> None:
        over.wait(draw.uniform(*_DELAY_S))
        send(data)

    def duplicate(data: bytes, to_client: bool, send: Callable[[bytes], None]) -> None:
        send(data + data if to_client else data)

    def garble(data: bytes, to_client: bool, send: Callable[[bytes], None]) -> None:
        # Answers only: a garbled order to a supply is an order, which no controller can take back.
        if to_client and data:
            at = draw.randrange(len(data))
            data = data[:at] + bytes([data[at] ^ draw.randint(1, 255)]) + data[at + 1 :]
        send(data)

    def truncate(data: bytes, to_client: bool, send: Callable[[bytes], None]) -> None:
        send(data[: len(data) // 2] if to_client else data)

    def trickle(data: bytes, to_client: bool, send: Callable[[bytes], None]) -> None:
        if not to_client:
            send(data)
            return
        for at in range(len(data)):
            send(data[at : at + 1])
            if over.wait(_TRICKLE_S):
                send(data[at + 1 :])
                return

    def hostile(data: bytes, to_client: bool, send: Callable[[bytes], None]) -> None:
        if to_client:
            head, end, tail = data.rpartition(b"\n")
            data = head + draw.choice(HOSTILE) + end + tail
        send(data)

    return {
        "drop": drop,
        "stall": stall,
        "delay": delay,
        "duplicate": duplicate,
        "garble": garble,
        "truncate": truncate,
        "trickle": trickle,
        "hostile text": hostile,
    }


MODES = tuple(_faults(random.Random(), threading.Event()))
"""The faults that a proxy has."""


class TcpProxy:
    """Forwards every connection to ``target``; from :meth:`strike` to :meth:`heal` with a fault."""

    def __init__(self, target: tuple[str, int], draw: random.Random) -> None:
        """Listen on a free port of the loopback interface."""
        self._target = target
        self._draw = draw
        self._fault: Fault | None = None
        self._healed = threading.Event()
        self._closed = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def port(self) -> int:
        """Where clients connect."""
        return int(self._listener.getsockname()[1])

    def strike(self, mode: str) -> None:
        """Begin a fault of :data:`MODES`."""
        self._healed.clear()
        self._fault = _faults(self._draw, self._healed)[mode]

    def heal(self) -> None:
        """End the fault. What it has held back or changed stays so."""
        self._fault = None
        self._healed.set()

    def close(self) -> None:
        """End all connections."""
        self.heal()
        self._closed.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self._closed.is_set():
            if select.select([self._listener], [], [], _LOOK_UP_S)[0]:
                client, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), socket.create_connection(self._target) as server:
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            other_way = threading.Thread(target=self._pump, args=(client, server, False), daemon=True)
            other_way.start()
            self._pump(server, client, True)
            other_way.join()

    def _pump(self, source: socket.socket, sink: socket.socket, to_client: bool) -> None:
        """Forward one direction until either end hangs up."""
        with contextlib.suppress(OSError):
            while not self._closed.is_set():
                if not select.select([source], [], [], _LOOK_UP_S)[0]:
                    continue
                data = source.recv(_CHUNK_BYTES)
                if not data:
                    break
                if self._fault is None:
                    sink.sendall(data)
                else:
                    self._fault(data, to_client, sink.sendall)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
