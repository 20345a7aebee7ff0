# SPDX-License-Identifier: Apache-2.0
"""An answer that comes byte by byte has an end on every way to the analyzer."""

from __future__ import annotations

import gc
import random
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from hil.errors import InstrumentError
from hil.instruments import bounded_visa, scpi_link
from hil.instruments.scpi_link import ScpiLink, visa_resource
from hil.twin.analyzer import PowerAnalyzer
from tests.fault_injection.tcp_proxy import TcpProxy

WAYS = {
    "serve": "TCPIP::127.0.0.1::{}::SOCKET",
    "serve_hislip": "TCPIP::127.0.0.1::hislip0,{}::INSTR",
    "serve_vxi11": "TCPIP::127.0.0.1,{}::inst0::INSTR",
}
LONG_S = 4.0
"""What the answer to ``*IDN?`` takes at least: some fifty bytes, ten a second."""


@pytest.fixture(params=WAYS)
def proxied(request: pytest.FixtureRequest, bench: Any) -> Iterator[tuple[TcpProxy, ScpiLink]]:
    server = getattr(PowerAnalyzer(bench, {}), request.param)()
    host, port = server.address.split(":")
    proxy = TcpProxy((host, int(port)), random.Random(1))
    link = ScpiLink("analyzer", visa_resource(WAYS[request.param].format(proxy.port), "analyzer"))
    yield proxy, link
    link.close()
    proxy.close()
    server.close()
    for thread in threading.enumerate():
        if thread.name == "VISA open":
            thread.join()
    with (
        warnings.catch_warnings()
    ):  # pyvisa-py leaves the sockets open of a connection that did not come about
        warnings.simplefilter("ignore")
        gc.collect()


def test_an_answer_that_trickles_ends(
    proxied: tuple[TcpProxy, ScpiLink], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, link = proxied
    assert link.query("*IDN?").startswith("Keysight Technologies,N6705C")
    proxy.strike("trickle")
    monkeypatch.setattr(bounded_visa, "ANSWER_TIMEOUT_S", 0.5)
    began_s = time.monotonic()
    with pytest.raises(InstrumentError, match=r"analyzer: \*IDN\?: "):
        link.query("*IDN?")
    assert time.monotonic() - began_s < LONG_S
    proxy.heal()
    monkeypatch.undo()
    assert link.query("*IDN?").startswith("Keysight Technologies,N6705C")


def test_a_connection_that_trickles_is_given_up(
    proxied: tuple[TcpProxy, ScpiLink], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, link = proxied
    monkeypatch.setattr(bounded_visa, "ANSWER_TIMEOUT_S", 0.3)
    monkeypatch.setattr(scpi_link, "_IO_TIMEOUT_MS", 5000)
    proxy.strike("trickle")
    began_s = time.monotonic()
    with pytest.raises(InstrumentError, match="analyzer"):
        link.query("*IDN?")
    assert time.monotonic() - began_s < LONG_S
