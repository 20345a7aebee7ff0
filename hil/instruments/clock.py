# SPDX-License-Identifier: Apache-2.0
"""The bench clock: the wall's, or that of a bench that keeps its own time and is asked for it over TCP."""

from __future__ import annotations

import math
import socket
import time

from hil.errors import ConnectError, InstrumentTimeoutError, ProtocolError
from hil.instruments.interrupts import whole_exchange
from hil.instruments.line_reader import LineReader

_ANSWER_TIMEOUT_S = 60.0
"""Longest wall time between an order and its answer, on top of the bench time asked for (assumption: a
bench with its own time may lag behind the wall's while it works, but not by more)."""

_SUSPECT_TIMEOUT_S = 1.0
"""The same for a bench that owes an answer, until it answers again (assumption). A way out asks for the time
at each of its steps, and has to come to its end also where none is answered."""

_LONGEST_ANSWER_BYTES = 1024

_ROUNDING_S = 1e-6
"""How much too early a wait may seem to end: the bench says its time in decimal digits."""


_LEAST_SLEEP_S = 1e-9
"""A shorter sleep is made that long: one that a bench rounds to none would not end, however often it is
repeated, what is left of a wait."""


class WallClock:
    """Bench time is wall time."""

    def now_s(self) -> float:
        """Seconds of the monotonic clock."""
        return time.monotonic()

    def sleep(self, duration_s: float) -> None:
        """Wait ``duration_s``."""
        time.sleep(duration_s)

    def close(self) -> None:
        """Nothing to release."""


class BenchClock:
    """The time of a bench that says what time it is. Lines over TCP.

    ``TOKEN <token>`` comes first, where the bench wants one, and is answered by ``OK``. ``NOW`` is answered
    by ``OK <seconds>``. ``SLEEP <seconds>`` lets that much bench time pass and is answered likewise. A
    refusal is ``ERR <text>``.
    """

    def __init__(self, host: str, port: int, token: str = "") -> None:
        """Nothing is connected before the first order, which gives ``token``: a driver that is handed a clock
        must switch its instrument off also where nobody keeps the time.
        """
        self._where = f"bench clock {host}:{port}"
        self._address, self._token = (host, port), token
        self._earliest_s = -math.inf
        self._suspect = False
        self._connection: socket.socket | None = None

    def now_s(self) -> float:
        """Seconds since the bench was started."""
        return self._ask("NOW", 0.0)

    def sleep(self, duration_s: float) -> None:
        """Let ``duration_s`` of bench time pass, or a little more; nothing passes for zero."""
        if duration_s > 0:
            duration_s = max(duration_s, _LEAST_SLEEP_S)
        self._ask(f"SLEEP {duration_s!r}", duration_s)

    def close(self) -> None:
        """Close the connection; the next order opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _connect(self) -> None:
        try:
            self._connection = socket.create_connection(self._address, timeout=self._patience_s)
        except OSError as error:
            raise ConnectError(
                str(error), where=self._where, operation="connect", hint="is the bench's service running?"
            ) from error
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answers = LineReader(self._connection, _LONGEST_ANSWER_BYTES)
        self._introduced = not self._token

    def _ask(self, order: str, duration_s: float) -> float:
        """The bench's time when ``order`` has been done, ``duration_s`` after the last answer or later.

        A clock that stands still or goes back is refused: whoever waits for a time would wait for ever.
        """
        if self._connection is None:
            self._connect()
        if not self._introduced:
            if self._exchange(f"TOKEN {self._token}", 0.0) != b"OK\n":
                self.close()
                raise ProtocolError(
                    "the bench does not take the token",
                    where=self._where,
                    operation="connect",
                    hint="the token that this bench announced at its start",
                )
            self._introduced = True
        answer = self._exchange(order, duration_s)
        try:
            status, value = answer.decode("ascii").split(maxsplit=1)
            now_s = float(value)
            if status == "OK" and self._earliest_s + duration_s - _ROUNDING_S <= now_s < math.inf:
                self._earliest_s = now_s
                return now_s
        except ValueError:
            pass  # reported below, with the answer itself
        raise ProtocolError(
            f"answered {answer!r}",
            where=self._where,
            operation=order,
            expected="OK <seconds>, of a time that goes on",
        )

    @property
    def _patience_s(self) -> float:
        return _SUSPECT_TIMEOUT_S if self._suspect else _ANSWER_TIMEOUT_S

    def _exchange(self, order: str, duration_s: float) -> bytes:
        """Send a line and return the line that answers it, when ``duration_s`` have passed."""
        verb = order.partition(" ")[0]  # what errors name: a token is nobody's business
        answer = b""
        assert self._connection is not None
        try:
            timeout_s = self._patience_s + duration_s
            with whole_exchange():
                self._connection.settimeout(timeout_s)
                self._connection.sendall(order.encode("ascii") + b"\n")
                answer = self._answers.read_line(timeout_s)
            self._suspect = False
            return answer
        except TimeoutError as error:
            self._suspect = True
            raise InstrumentTimeoutError(f"no answer: {error}", where=self._where, operation=verb) from error
        except OSError as error:
            raise ConnectError(str(error), where=self._where, operation=verb) from error
        finally:
            if not answer:  # one that comes late would be taken for that of the next order
                self.close()


def open_clock(address: str) -> WallClock | BenchClock:
    """The clock at ``address``: "wall" or "tcp://[token@]host:port".

    Raises:
        ConnectError: it is no address.
    """
    if address == "wall":
        return WallClock()
    token, _, place = address.removeprefix("tcp://").rpartition("@")
    host, _, port = place.rpartition(":")
    if not (host and port.isascii() and port.isdecimal() and int(port) < 1 << 16):
        raise ConnectError(
            "no address of a clock",
            where=f"bench clock {place}",
            operation="connect",
            expected="tcp://host:port, or wall",
            hint="check [clock] address",
        )
    return BenchClock(host, int(port), token)
