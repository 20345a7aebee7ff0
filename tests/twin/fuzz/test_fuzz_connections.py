# SPDX-License-Identifier: Apache-2.0
"""What any TCP server meets: noise, endless lines, connections that end in every wrong way."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
from typing import Any

import pytest

SERVER_NAMES = ("probe", "daq", "power_analyzer", "hislip", "vxi11", "console", "clock", "faults", "hands")
BEGINNINGS = {
    "probe": b'{"id": 1, "request": "read_dp", "arguments": [0',
    "daq": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0\0\0\x20\1\4\0\0\0\1",
    "power_analyzer": b"OUTP OFF,(@1",
    "hislip": b"HS\0\0\1\0xx" + (7).to_bytes(8, "big") + b"hisl",
    "vxi11": struct.pack("!8I", 1 << 31 | 40, 7, 0, 2, 0x0607AF, 1, 11, 0),
    "console": b"$1 RES",
    "clock": b"SLEEP 1000",
    "faults": b"STICK PA5 LO",
    "hands": b"LOAD BOAR",
}
"""A request of each server, cut off before it would do anything."""
LONG_LINE = 10_000_000
PIECE = 1 << 16


def send_all_it_takes(client: socket.socket, data: bytes) -> None:
    """Send, also to a server that hangs up in the middle or stops reading."""
    client.settimeout(0.15)
    with contextlib.suppress(OSError):
        client.sendall(data)


def drain(client: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while client.recv(PIECE):
            pass


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", SERVER_NAMES)
def test_random_bytes(live: Any, name: str, seed: int) -> None:
    print("seed", name, seed)
    source = random.Random(f"{name} {seed}")
    with live.connect(name) as client:
        for _ in range(4):
            noise = source.randbytes(source.randrange(1, 2000))
            send_all_it_takes(client, noise.replace(b"S", b"s") + b"\n" * source.randrange(2))
            live.tally(name, "random bytes")


@pytest.mark.parametrize("name", SERVER_NAMES)
def test_a_line_of_ten_megabytes(live: Any, name: str) -> None:
    with live.connect(name) as client:
        reader = threading.Thread(target=drain, args=(client,))
        reader.start()
        for letter in (b"A", b"[", b"9"):
            send_all_it_takes(client, letter * (LONG_LINE // 3))
        send_all_it_takes(client, b"\n")
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)
        reader.join()
    live.tally(name, "10 MB line")


@pytest.mark.parametrize("name", SERVER_NAMES)
def test_connections_that_end_badly(live: Any, name: str) -> None:
    half_open = live.connect(name)  # says something unfinished, then neither reads nor closes
    half_open.sendall(b'{"id": 1, "req')
    closed_for_writing = live.connect(name)
    closed_for_writing.shutdown(socket.SHUT_WR)
    reset = live.connect(name)
    reset.sendall(b"*IDN?\nNOW\n" * 100)
    reset.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    reset.close()  # with RST, the answers unread
    live.assert_alive()
    half_open.close()
    closed_for_writing.close()
    live.tally(name, "half-open, half-closed, reset", 3)


@pytest.mark.parametrize("name", SERVER_NAMES)
def test_a_request_cut_off_anywhere(live: Any, name: str) -> None:
    """The client is gone in the middle of its message, by an orderly end or by a reset."""
    beginning = BEGINNINGS[name]
    for end in range(1, len(beginning) + 1):
        client = live.connect(name)
        client.sendall(beginning[:end])
        if end % 2:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    live.tally(name, "cut off in mid-message", len(beginning))


@pytest.mark.parametrize("name", SERVER_NAMES)
def test_clients_that_send_a_byte_now_and_then(live: Any, name: str) -> None:
    """Many that never come to the end of a request keep nobody else from being served."""
    with contextlib.ExitStack() as clients:
        slow = [clients.enter_context(live.connect(name)) for _ in range(24)]
        for position, byte in enumerate(BEGINNINGS[name]):
            for client in slow:
                with contextlib.suppress(OSError):  # the console serves one terminal, the newest
                    client.sendall(bytes([byte]))
            if position % 16 == 0:
                live.assert_alive()
        live.assert_untouched()
    live.tally(name, "slow byte by byte", len(slow))


@pytest.mark.parametrize(
    ("name", "request_line"),
    [
        ("power_analyzer", b"*IDN?;*IDN?;*IDN?\n"),
        ("clock", b"NOW\n"),
        ("faults", b"NONSENSE\n"),
        ("probe", b'{"id":1}\n'),
    ],
)
def test_a_client_that_never_reads_its_answers(live: Any, name: str, request_line: bytes) -> None:
    with live.connect(name) as client:
        send_all_it_takes(client, request_line * 200_000)
        live.assert_alive()
    live.tally(name, "answers never read")
