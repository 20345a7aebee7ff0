# SPDX-License-Identifier: Apache-2.0
"""HiSLIP clients that break the protocol: each gets the FatalError or Error that IVI-6.1 has for it."""

from __future__ import annotations

import random
import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest

HEADER = struct.Struct("!2sBBIQ")
(
    INITIALIZE,
    INITIALIZE_RESPONSE,
    FATAL,
    ERROR,
    ASYNC_LOCK,
    _,
    DATA,
    DATA_END,
    CLEAR_COMPLETE,
    CLEAR_ACKNOWLEDGE,
    REMOTE_LOCAL,
    _,
    TRIGGER,
) = range(13)
ASYNC_MAXIMUM, ASYNC_INITIALIZE, ASYNC_INITIALIZE_RESPONSE = 15, 17, 18
ASYNC_CLEAR, STATUS_QUERY, STATUS_RESPONSE = 19, 21, 22
POOR_HEADER, BOTH_CHANNELS, WRONG_SEQUENCE = (FATAL, 1), (FATAL, 2), (FATAL, 3)
MESSAGE_TYPE, CONTROL_CODE, VENDOR, TOO_LARGE = (ERROR, 1), (ERROR, 2), (ERROR, 3), (ERROR, 4)


class Connection:
    """One of a client's two connections."""

    def __init__(self, live: Any) -> None:
        self._live = live
        self.socket = live.connect("hislip")
        self._answers = self.socket.makefile("rb")

    def send(self, kind: int, control: int = 0, parameter: int = 0, payload: bytes = b"") -> None:
        self.socket.sendall(HEADER.pack(b"HS", kind, control, parameter, len(payload)) + payload)

    def receive(self) -> tuple[int, int, int, bytes]:
        """Type, control code, parameter and payload of the next message."""
        prologue, kind, control, parameter, size = HEADER.unpack(self._answers.read(HEADER.size))
        assert prologue == b"HS"
        return kind, control, parameter, self._answers.read(size)

    def outcome(self) -> tuple[int, int]:
        """Type and code of the next message, which counts."""
        kind, control, _, _ = self.receive()
        name = {FATAL: f"FatalError {control}", ERROR: f"Error {control}"}.get(kind, "answered")
        self._live.tally("hislip", name)
        return kind, control

    def ended(self) -> bool:
        try:
            return self._answers.read(1) == b""
        except ConnectionError:
            return True

    def close(self) -> None:
        self._answers.close()
        self.socket.close()


class Client:
    """Both connections, initialized."""

    def __init__(self, live: Any) -> None:
        self.synchronous, self.asynchronous = Connection(live), Connection(live)
        self.synchronous.send(INITIALIZE, 0, 0x0100 << 16 | 0x7878, b"hislip0")
        _, _, parameter, _ = self.synchronous.receive()
        self.number = parameter & 0xFFFF
        self.asynchronous.send(ASYNC_INITIALIZE, 0, self.number)
        assert self.asynchronous.receive()[0] == ASYNC_INITIALIZE_RESPONSE

    def works(self) -> bool:
        self.synchronous.send(DATA_END, 0, 2, b"*CLS;*IDN?\n")
        return self.synchronous.receive()[3].startswith(b"Keysight")

    def ended(self) -> bool:
        return self.synchronous.ended() and self.asynchronous.ended()

    def close(self) -> None:
        self.synchronous.close()
        self.asynchronous.close()


@pytest.fixture
def connection(live: Any) -> Iterator[Connection]:
    connection = Connection(live)
    yield connection
    connection.close()


@pytest.fixture
def client(live: Any) -> Iterator[Client]:
    client = Client(live)
    yield client
    client.close()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", POOR_HEADER),
        (b"hs" + bytes(14), POOR_HEADER),
        (HEADER.pack(b"HS", DATA, 0, 0, 0), WRONG_SEQUENCE),
        (HEADER.pack(b"HS", TRIGGER, 0, 0, 0), WRONG_SEQUENCE),
        (HEADER.pack(b"HS", 255, 255, 2**32 - 1, 0), WRONG_SEQUENCE),
        (HEADER.pack(b"HS", ASYNC_INITIALIZE, 0, 0x99, 0), WRONG_SEQUENCE),  # a session of nobody
        (HEADER.pack(b"HS", ASYNC_INITIALIZE, 0, 2**32 - 1, 0), WRONG_SEQUENCE),
    ],
)
def test_a_wrong_beginning_is_fatal(connection: Connection, data: bytes, expected: tuple[int, int]) -> None:
    connection.socket.sendall(data)
    assert connection.outcome() == expected
    assert connection.ended()


@pytest.mark.parametrize("kind", [DATA, DATA_END, TRIGGER, CLEAR_COMPLETE, 99])
def test_nothing_goes_before_the_second_connection(connection: Connection, kind: int) -> None:
    connection.send(INITIALIZE, 0, 0x0100 << 16, b"hislip0")
    assert connection.receive()[0] == INITIALIZE_RESPONSE
    connection.send(kind, 0, 2, b"OUTP OFF,(@1)")
    assert connection.outcome() == BOTH_CHANNELS
    assert connection.ended()


def test_a_session_has_one_second_connection(live: Any, client: Client, connection: Connection) -> None:
    connection.send(ASYNC_INITIALIZE, 0, client.number)
    assert connection.outcome() == WRONG_SEQUENCE
    assert connection.ended()
    assert client.works()


@pytest.mark.parametrize("which", ["synchronous", "asynchronous"])
@pytest.mark.parametrize("kind", [INITIALIZE, ASYNC_INITIALIZE])
def test_a_second_beginning_is_fatal_to_the_session(client: Client, which: str, kind: int) -> None:
    connection = getattr(client, which)
    connection.send(kind, 0, client.number)
    assert connection.outcome() == WRONG_SEQUENCE
    assert client.ended()


@pytest.mark.parametrize("which", ["synchronous", "asynchronous"])
def test_both_connections_end_together(client: Client, which: str) -> None:
    getattr(client, which).socket.shutdown(socket.SHUT_RDWR)
    assert client.ended()


@pytest.mark.parametrize("which", ["synchronous", "asynchronous"])
@pytest.mark.parametrize(
    ("kind", "expected"), [(26, MESSAGE_TYPE), (127, MESSAGE_TYPE), (128, VENDOR), (255, VENDOR)]
)
def test_unknown_messages_are_refused_and_the_session_lives(
    client: Client, which: str, kind: int, expected: tuple[int, int]
) -> None:
    connection = getattr(client, which)
    connection.send(kind, 7, 2**32 - 1, b"whatever")
    assert connection.outcome() == expected
    assert client.works()


def test_messages_of_the_other_connection_are_unknown(client: Client) -> None:
    client.synchronous.send(STATUS_QUERY)
    assert client.synchronous.outcome() == MESSAGE_TYPE
    client.asynchronous.send(DATA_END, 0, 2, b"OUTP OFF,(@1)")
    assert client.asynchronous.outcome() == MESSAGE_TYPE
    assert client.works()


@pytest.mark.parametrize(
    ("which", "kind"),
    [
        ("synchronous", DATA_END),
        ("synchronous", TRIGGER),
        ("asynchronous", STATUS_QUERY),
        ("asynchronous", REMOTE_LOCAL),
    ],
)
def test_unknown_control_codes(client: Client, which: str, kind: int) -> None:
    connection = getattr(client, which)
    connection.send(kind, 0x55, 2, b"OUTP OFF,(@1)")
    assert connection.outcome() == CONTROL_CODE
    assert client.works()


@pytest.mark.parametrize("size", [(1 << 20) + 1, 5_000_000, 2**32, 2**63, 2**64 - 1])
def test_a_length_beyond_the_buffer_is_refused_at_once(client: Client, size: int) -> None:
    connection = client.synchronous
    connection.socket.sendall(HEADER.pack(b"HS", DATA_END, 0, 2, size) + b"OUTP OFF,(@1)")
    assert connection.outcome() == TOO_LARGE  # though the rest has not come and may never come
    if size > 10_000_000:
        return  # nobody waits for it
    connection.socket.sendall(bytes(size - len(b"OUTP OFF,(@1)")))
    assert client.works()


def test_pieces_that_add_up_to_too_much(client: Client) -> None:
    piece = bytes(600_000)
    client.synchronous.send(DATA, 0, 2, piece)
    client.synchronous.send(DATA, 0, 2, piece)
    assert client.synchronous.outcome() == TOO_LARGE
    assert client.works()


@pytest.mark.parametrize("seed", range(6))
def test_random_messages(live: Any, seed: int) -> None:
    """Any types, codes, numbers and lengths on both connections; no payload is a command that does harm."""
    print("seed", seed)
    source = random.Random(seed)
    client = Client(live)
    for _ in range(60):
        connection = source.choice((client.synchronous, client.asynchronous))
        kind = source.choice((*range(26), *source.choices(range(256), k=4)))
        payload = source.choice((b"", b"*CLS", b"*IDN?\n", b"SYST:ERR?", source.randbytes(40)))
        size = source.choice((len(payload),) * 9 + (source.randrange(100),))
        header = HEADER.pack(
            b"HS", kind, source.choice((0, 1, source.randrange(256))), source.getrandbits(32), size
        )
        try:
            connection.socket.sendall(header + payload)
        except OSError:
            live.tally("hislip", "hung up on")
            client.close()
            client = Client(live)
        else:
            live.tally("hislip", "random message")
    client.close()
