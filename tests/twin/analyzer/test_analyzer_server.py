# SPDX-License-Identifier: Apache-2.0
"""What reaches the socket cannot hurt the instrument."""

from __future__ import annotations

import random
import socket

from hil.twin.analyzer import ScpiServer


def connect(server: ScpiServer) -> socket.socket:
    host, port = server.address.split(":")
    return socket.create_connection((host, int(port)), timeout=5)


def query(client: socket.socket, message: bytes) -> bytes:
    client.sendall(message + b"\n")
    answer = b""
    while not answer.endswith(b"\n"):
        answer += client.recv(4096)
    return answer


def test_random_bytes_do_not_stop_the_server(server: ScpiServer) -> None:
    noise = random.Random(1)
    with connect(server) as client:
        client.sendall(noise.randbytes(20_000) + b"\n*CLS\n")
        assert query(client, b"*IDN?").startswith(b"Keysight Technologies,N6705C,")


def test_a_line_longer_than_the_buffer_is_thrown_away(server: ScpiServer) -> None:
    with connect(server) as client:
        client.sendall(b"VOLT 1" + b"0" * 10_000_000 + b",(@1)\n")
        assert query(client, b"SYST:ERR?").startswith(b"-363,")
        assert query(client, b"SYST:ERR?") == b'+0,"No error"\n'


def test_two_clients_share_one_instrument(server: ScpiServer) -> None:
    with connect(server) as first, connect(server) as second:
        assert query(first, b"VOLT 2.5,(@1);VOLT? (@1)") == b"+2.50000000E+00\n"
        assert float(query(second, b"VOLT? (@1)")) == 2.5


def test_carriage_return_before_the_line_feed_is_accepted(server: ScpiServer) -> None:
    with connect(server) as client:
        assert query(client, b"*OPC?\r") == b"1\n"


def test_close_drops_clients_and_the_port(server: ScpiServer) -> None:
    with connect(server) as client:
        query(client, b"*IDN?")
        server.close()
        assert client.recv(1) == b""
