# SPDX-License-Identifier: Apache-2.0
"""Requests as bytes, in whatever pieces they come: the short way answers as pyOCD's own handler does."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from hil.twin.probe.server import ProbeServer

SELECT_SWD = b'{"id": 0, "request": "swj_sequence", "arguments": [16, 59294]}\n'
POWER_UP = b'{"id": 1, "request": "write_dp", "arguments": [4, 1342177280]}\n'


@pytest.fixture
def server(bench: Any) -> Iterator[ProbeServer]:
    with contextlib.closing(ProbeServer(bench, "127.0.0.1", 0)) as server:
        yield server


@contextlib.contextmanager
def connected(server: ProbeServer) -> Iterator[socket.socket]:
    host, _, port = server.address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.sendall(SELECT_SWD)
        assert json.loads(client.recv(100)) == {"id": 0, "status": 0}
        yield client


def answers(client: socket.socket, count: int) -> list[Any]:
    """The next ``count`` answers; fewer if the server hangs up."""
    with client.makefile("rb") as lines:
        return [json.loads(line) for _, line in zip(range(count), lines, strict=False)]


def test_requests_that_come_together_are_answered_in_turn(server: ProbeServer) -> None:
    with connected(server) as client:
        client.sendall(
            POWER_UP + b'{"id": 2, "request": "read_dp", "arguments": [0]}\n{"id": 3, "request": "lock"}\n'
        )
        assert answers(client, 3) == [
            {"id": 1, "status": 0},
            {"id": 2, "status": 0, "result": 0x2BA01477},
            {"id": 3, "status": 0},
        ]


def test_a_request_in_pieces_is_answered_once_it_is_whole(server: ProbeServer) -> None:
    with connected(server) as client:
        for piece in (POWER_UP[:1], POWER_UP[1:40], POWER_UP[40:] + POWER_UP[:7], POWER_UP[7:]):
            client.sendall(piece)
        assert answers(client, 2) == 2 * [{"id": 1, "status": 0}]


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (b"\n", {"id": -1, "status": 1, "error": "invalid request format"}),
        (b"[1]\n", {"id": -1, "status": 1, "error": "invalid request format"}),
        (b'{"id": 5, "request": "lock"} x\n', {"id": -1, "status": 1, "error": "invalid request format"}),
        (b'\xff{"id": 5, "request": "lock"}\n', None),
        (b'{"request": "lock"}\n', {"id": -1, "status": 1, "error": "missing request ID"}),
        (b'{"id": 5}\n', {"id": 5, "status": 1, "error": "missing request field"}),
        (b'{"id": 5, "request": "dance"}\n', {"id": 5, "status": 1, "error": "unknown request type"}),
        (
            b'{"id": 5, "request": "lock", "arguments": {}}\n',
            {"id": 5, "status": 1, "error": "invalid request arguments format"},
        ),
        (
            b'{"id": 5, "request": "lock", "arguments": [1]}\n',
            {"id": 5, "status": 1, "error": "malformed request; invalid number of arguments"},
        ),
        (b' {"request": "lock", "id": 5}  \r\n', {"id": 5, "status": 0}),
        (b'{"id": "five", "request": "lock"}\n', {"id": "five", "status": 0}),
        (
            b'{"id": 5, "request": "readprop", "arguments": ["is_open"]}\n',
            {"id": 5, "status": 0, "result": False},
        ),
        (b"[" * 100_000 + b"\n", None),
    ],
)
def test_an_odd_request_is_answered_as_pyocd_does(
    server: ProbeServer, request_: bytes, answer: dict[str, Any] | None
) -> None:
    with connected(server) as client:
        client.sendall(request_ + b'{"id": 6, "request": "lock"}\n')
        first, *more = answers(client, 2)
    if answer is None:  # said to be wrong, and hung up on
        assert first["status"] == 1
        assert more == []
    else:
        assert [first, *more] == [answer, {"id": 6, "status": 0}]


def test_what_the_target_refuses_is_said_and_the_connection_stays(server: ProbeServer) -> None:
    with connected(server) as client:
        client.sendall(b'{"id": 7, "request": "read_ap", "arguments": [12]}\n' + POWER_UP)
        refused, accepted = answers(client, 2)
    assert refused["id"] == 7
    assert refused["status"] == 12
    assert "debug power is not requested" in refused["error"]
    assert accepted == {"id": 1, "status": 0}
