# SPDX-License-Identifier: Apache-2.0
"""The bench's clock over TCP, one request per line.

``TOKEN <token>`` comes first and is answered ``OK``. The bench tells its token to the program that started
it, so that no other program on the machine moves its time.

``NOW`` answers ``OK <seconds>``. ``SLEEP <seconds>`` lets the bench live for that long and answers ``OK
<seconds>`` with the time it has then. Anything else answers ``ERR <reason>`` and the connection stays.
Seconds are decimal numbers that read back to the same float.
"""

from __future__ import annotations

import contextlib
import hmac
import re
import select
import socket
import socketserver
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from hil.twin.tcp_server import TcpServer
from hil.twin.web_page import comes_from_a_browser

MAX_SLEEP_S = 30 * 86400.0
"""The longest single sleep: 30 days, more than any soak, so that a slip of the unit does not take for
ever."""

SLICE_S = 1.0
"""A long sleep lets go of the bench this often, so that other clients (a safe-state request) are not shut
out."""


_DECIMAL = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_LINE_LIMIT = 256
_DISCARD_BYTES = 1 << 16
_TOKEN_WANTED = "ERR expected TOKEN <token> first, as the bench announced it"


class ClockBench(Protocol):
    """What the clock needs of the bench."""

    @property
    def lock(self) -> AbstractContextManager[object]:
        """Held by whoever touches the machine."""

    @property
    def now_s(self) -> float:
        """Bench time in seconds."""

    def advance(self, seconds: float) -> None:
        """Let bench time pass."""


class ClockProtocol:
    """The line protocol, free of sockets."""

    def __init__(self, bench: ClockBench, before: Callable[[], None] = lambda: None) -> None:
        """``before`` is called when a client asks, before time moves for it."""
        self._bench = bench
        self._before = before

    def answer(self, line: str, alive: Callable[[], bool] = lambda: True) -> str:
        """The answer to one request line, without its line end."""
        self._before()
        match line.split():
            case ["NOW"]:
                return self._now()
            case ["SLEEP", text]:
                return self._sleep(text, alive)
        return f"ERR {line.strip()!r}: expected NOW or SLEEP <seconds>"

    def _now(self) -> str:
        with self._bench.lock:
            return f"OK {self._bench.now_s!r}"

    def _sleep(self, text: str, alive: Callable[[], bool]) -> str:
        try:
            seconds = decimal(text, MAX_SLEEP_S)
        except ValueError as error:
            return f"ERR SLEEP {error} seconds"
        whole_slices, rest_s = divmod(seconds, SLICE_S)
        for _ in range(int(whole_slices)):
            if not alive():
                return "ERR nobody waits any more"
            with self._bench.lock:
                self._bench.advance(SLICE_S)
        with self._bench.lock:
            self._bench.advance(rest_s)
            return f"OK {self._bench.now_s!r}"


def decimal(text: str, maximum: float) -> float:
    """A plain decimal number from 0 to ``maximum``; raises ValueError for anything else that Python reads."""
    value = float(text) if _DECIMAL.fullmatch(text) else -1.0
    if not 0 <= value <= maximum:
        raise ValueError(f"{text!r}: expected 0 to {maximum:.0f}")
    return value


class LineProtocol(Protocol):
    """Answers one line at a time."""

    def answer(self, line: str, alive: Callable[[], bool]) -> str:
        """The answer to one request line, without its line end; ``alive`` says whether the client still
        waits.
        """


class LineServer(TcpServer):
    """Serves a line protocol to any number of clients that know its token."""

    def __init__(self, protocol: LineProtocol, host: str, port: int, token: str) -> None:
        """Serve ``protocol``; ``token`` is what a client says first."""
        super().__init__(host, port, _LineConnection)
        self.protocol = protocol
        self._token = token.encode("ascii")
        self.start()

    @property
    def address(self) -> str:
        """Where clients connect and what they say first, ``token@host:port``."""
        return f"{self._token.decode('ascii')}@{super().address}"

    def knows(self, line: bytes) -> bool:
        """Whether ``line`` gives the token."""
        return hmac.compare_digest(line.rstrip(), b"TOKEN " + self._token)


class ClockServer(LineServer):
    """Serves the clock to any number of clients."""

    def __init__(
        self, bench: ClockBench, host: str, port: int, token: str, before: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(ClockProtocol(bench, before), host, port, token)


class _LineConnection(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True
    server: LineServer

    def handle(self) -> None:
        known = False
        # The client may be gone at any moment, whatever it still wanted.
        with contextlib.suppress(OSError):
            while (line := self.rfile.readline(_LINE_LIMIT)) and not comes_from_a_browser(line):
                if len(line) == _LINE_LIMIT and not line.endswith(b"\n"):
                    self._discard_rest()
                if known:
                    answer = self.server.protocol.answer(line.decode("ascii", errors="replace"), self._alive)
                else:
                    known = self.server.knows(line)
                    answer = "OK" if known else _TOKEN_WANTED
                self.wfile.write(answer.encode("ascii", errors="replace") + b"\n")

    def _alive(self) -> bool:
        """Whether the client has not gone: there is nothing to read, or something."""
        try:
            readable, _, _ = select.select([self.connection], [], [], 0)
            return not readable or bool(self.connection.recv(1, socket.MSG_PEEK))
        except OSError:
            return False

    def _discard_rest(self) -> None:
        """One line gets one answer, however long it is."""
        while (piece := self.rfile.readline(_DISCARD_BYTES)) and not piece.endswith(b"\n"):
            pass
