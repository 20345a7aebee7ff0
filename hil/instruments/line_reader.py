# SPDX-License-Identifier: Apache-2.0
"""Lines from a socket, each with an end: in time and in bytes."""

from __future__ import annotations

import socket
import time

_CHUNK_BYTES = 1 << 16


class LineReader:
    """Takes lines from ``connection``. What follows a line is kept for the next one.

    A socket's own time-out starts anew with every byte, so that a server that trickles or floods would keep
    its reader for ever. Here the time counts for the whole line.
    """

    def __init__(self, connection: socket.socket, longest_bytes: int) -> None:
        """Nothing is read yet.

        Args:
            connection: the socket; its time-out is changed by :meth:`read_line`.
            longest_bytes: bytes of a line, at most.
        """
        self._connection = connection
        self._longest_bytes = longest_bytes
        self._pending = bytearray()

    def read_line(self, timeout_s: float) -> bytes:
        """The next line with its line end.

        Raises:
            TimeoutError: the line was not complete in time.
            ConnectionError: the other side has closed the connection, or sends more than a line may hold.
        """
        deadline_s = time.monotonic() + timeout_s
        searched = 0
        while (end := self._pending.find(b"\n", searched)) < 0:
            searched = len(self._pending)
            if searched > self._longest_bytes:
                raise ConnectionAbortedError(f"more than {self._longest_bytes} bytes and no end of a line")
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                raise TimeoutError(f"no complete answer within {timeout_s:g} s")
            self._connection.settimeout(left_s)
            try:
                data = self._connection.recv(_CHUNK_BYTES)
            except TimeoutError:
                continue  # the time is up, which is told above
            if not data:
                raise ConnectionResetError("the other side has closed the connection")
            self._pending += data
        line = bytes(self._pending[: end + 1])
        del self._pending[: end + 1]
        return line
