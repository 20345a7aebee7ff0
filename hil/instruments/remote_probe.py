# SPDX-License-Identifier: Apache-2.0
"""pyOCD's probe over the network, with an end to every request.

pyOCD 0.46 swallows its socket's time-out and takes a closed connection for a line that is not complete yet:
it asks again for ever (``pyocd.utility.sockets.ClientSocket.readline``). Its 0.1 s for sending are too few
for a server that is busy.
"""

from __future__ import annotations

import json

from pyocd.probe.tcp_client_probe import TCPClientProbe

from hil.instruments.line_reader import LineReader

ANSWER_TIMEOUT_S = 20.0
"""From a request to the end of its answer. Assumption: reading 16 KiB takes 2 s at 100 kHz, the slowest
request that the driver makes, and a virtual bench on a loaded machine a few times as long."""

_LONGEST_ANSWER_BYTES = 1 << 24
"""A mebibyte of memory is answered as four million characters."""


def bound(probe: TCPClientProbe) -> None:
    """Make each request of ``probe`` end by itself, with an answer or an OSError.

    After an error the connection is closed: a late answer would be taken for that of the next request.
    """
    connection = probe._socket
    reader: LineReader | None = None
    asked: object = None

    def read_line() -> bytes:
        nonlocal reader
        link = connection._socket
        try:
            if reader is None:
                reader = LineReader(link, _LONGEST_ANSWER_BYTES)
            line = reader.read_line(ANSWER_TIMEOUT_S)
            _check(line, asked)
        except OSError:
            link.close()
            raise
        return line

    def write(data: bytes) -> None:
        nonlocal asked
        link = connection._socket
        try:
            asked = json.loads(data)["id"]
            link.settimeout(ANSWER_TIMEOUT_S)
            link.sendall(data)
        except OSError:
            link.close()
            raise

    connection.readline = read_line
    connection.write = write


def hang_up(probe: object) -> None:
    """Close the connection of a session that did not come about; pyOCD leaves it open after some errors."""
    if isinstance(probe, TCPClientProbe) and probe._socket._socket is not None:
        probe._socket._socket.close()


def _check(line: bytes, asked: object) -> None:
    """Refuse what does not answer the request ``asked``. pyOCD looks at no answer's number."""
    try:
        answer = json.loads(line)
    except ValueError:  # UnicodeDecodeError is one
        answer = None
    if not isinstance(answer, dict) or answer.get("id") != asked or not isinstance(answer.get("status"), int):
        raise ConnectionAbortedError(f"{line[:100]!r} is no answer to request {asked}")
