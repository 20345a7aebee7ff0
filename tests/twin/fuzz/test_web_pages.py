# SPDX-License-Identifier: Apache-2.0
"""A page in a browser on this machine reaches every loopback port; none of the bench's servers obeys it."""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import Any

import grpc
import pytest
from nidaqmx._stubs import nidaqmx_pb2 as pb

from hil.twin.analyzer.server import INPUT_BUFFER_BYTES

BODIES = {
    "probe": b'{"id": 1, "request": "write_dp", "arguments": [4, 1342177280]}\n',
    "daq": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "power_analyzer": b"VOLT 12,(@1)\nOUTP OFF,(@1)\n",
    "hislip": b"HS\0\0\1\0xx" + (7).to_bytes(8, "big") + b"hislip0",
    # create_link of the core channel (VXI-11, section B.6.1), to inst0
    "vxi11": struct.pack("!15I8s", 1 << 31 | 64, 7, 0, 2, 0x0607AF, 1, 10, *(0,) * 4, 1, 0, 0, 5, b"inst0"),
    "console": b"$1 RESET*00\n",
    "clock": b"SLEEP 1000\n",
    "faults": b"STICK PA5 LOW\nDROOP 1.0 10\n",
    "hands": b"LOAD 1000\n",
}
"""What each server would act on, were it said by a client."""

HEADERS = b" HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://example.org\r\n\r\n"
REQUESTS = {
    "form": b"POST /" + HEADERS,
    "fetch": b"GET /" + HEADERS,
    "preflight": b"OPTIONS *" + HEADERS,
    "proxied": b"POST http://127.0.0.1/" + HEADERS,
    "long address": b"POST /" + b"a" * (INPUT_BUFFER_BYTES + 1000) + HEADERS,
    "TLS": b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + b"ticket\n",
}


def say(live: Any, name: str, data: bytes) -> bytes:
    """All that the server answers to a client that gives no token, until it hangs up."""
    answer = b""
    with live.connect(name, introduced=False) as client, contextlib.suppress(OSError):
        client.sendall(data)
        while chunk := client.recv(1 << 16):
            answer += chunk
    live.tally(name, "web page")
    return answer


@pytest.mark.parametrize("name", BODIES)
def test_a_web_page_is_hung_up_on(live: Any, name: str) -> None:
    before_ps = live.bench.scheduler.now_ps
    for kind, request_text in REQUESTS.items():
        answer = say(live, name, request_text + BODIES[name])
        # HiSLIP and HTTP/2 say goodbye in their own words; the others have nothing to say to a browser.
        assert answer == b"" or name in ("hislip", "daq"), kind
        with live.bench.lock:
            assert bytes(live.servers["console"]._host.waiting).strip() == b"", kind
    assert live.bench.scheduler.now_ps == before_ps


def test_a_client_is_still_served_what_only_begins_alike(live: Any) -> None:
    with live.connect("power_analyzer") as client:
        client.sendall(b"POSTER\nGET\n*IDN?\n")
        assert client.makefile("rb").readline().startswith(b"Keysight Technologies,N6705C")
        client.sendall(b"*CLS\n")


def test_a_call_that_names_an_origin_is_refused(live: Any) -> None:
    with grpc.insecure_channel(live.servers["daq"].address) as channel:
        ask = channel.unary_unary(
            "/nidaqmx_grpc.NiDAQmx/GetErrorString",
            pb.GetErrorStringRequest.SerializeToString,
            pb.GetErrorStringResponse.FromString,
        )
        with pytest.raises(grpc.RpcError) as refused:
            ask(
                pb.GetErrorStringRequest(error_code=-200284),
                timeout=10,
                metadata=[("origin", "https://x.org")],
            )
    assert refused.value.code() == grpc.StatusCode.PERMISSION_DENIED  # type: ignore[attr-defined]


def test_only_this_machine_reaches_the_servers(live: Any) -> None:
    for name, server in live.servers.items():
        host = server.address.rpartition("@")[2].rpartition(":")[0]
        assert socket.gethostbyname(host) == "127.0.0.1", name
