# SPDX-License-Identifier: Apache-2.0
"""The analyzer over HiSLIP, with stock PyVISA."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import pyvisa

from hil.twin.analyzer import PowerAnalyzer

ERROR_QUEUE, MESSAGE_AVAILABLE = 4, 16


@pytest.fixture
def analyzer(bench: Any) -> PowerAnalyzer:
    return PowerAnalyzer(bench, {})


@pytest.fixture
def address(analyzer: PowerAnalyzer) -> Iterator[tuple[str, int]]:
    server = analyzer.serve_hislip()
    host, port = server.address.split(":")
    yield host, int(port)
    server.close()


@pytest.fixture
def visa(address: tuple[str, int]) -> Iterator[Any]:
    manager = pyvisa.ResourceManager("@py")
    session = manager.open_resource(f"TCPIP::{address[0]}::hislip0,{address[1]}::INSTR", timeout=5000)
    yield session
    session.close()
    manager.close()


def test_queries_and_binary_blocks(visa: Any) -> None:
    assert visa.query("*IDN?").startswith("Keysight Technologies,N6705C")
    visa.write("VOLT 3,(@1);:OUTP ON,(@1);:SENS:SWE:POIN 400000,(@1);:FORM REAL;:INIT:ACQ (@1);*TRG")
    # 1.6 MB: more than one message of the largest size
    volts = visa.query_binary_values("FETC:ARR:VOLT? (@1)", "f", is_big_endian=True, container=np.array)
    assert volts.shape == (400_000,)
    assert np.mean(volts) == pytest.approx(3.0, abs=0.01)


def test_the_status_byte_is_read_beside_the_messages(visa: Any) -> None:
    assert visa.read_stb() == 0
    visa.write("VOLT three,(@1)")
    assert visa.read_stb() == ERROR_QUEUE
    assert visa.query("SYST:ERR?").startswith("-141")
    assert visa.read_stb() == 0
    visa.write("*IDN?")
    assert visa.read_stb() & MESSAGE_AVAILABLE
    visa.read()
    assert not visa.read_stb() & MESSAGE_AVAILABLE


def test_a_device_clear_drops_an_unfinished_message(visa: Any) -> None:
    visa.visalib.sessions[visa.session].interface._send_data_packet(b"VOLT 5,")  # no end
    visa.clear()
    assert visa.query("SYST:VERS?").strip() == "1999.0"
    assert visa.query("SYST:ERR?").startswith("+0")


def test_a_trigger_message_triggers(visa: Any) -> None:
    visa.write("INIT:ACQ (@1)")
    visa.visalib.sessions[visa.session].interface.trigger()  # PyVISA-py has no assert_trigger over HiSLIP
    assert visa.query("*OPC?").strip() == "1"
    assert visa.query("STAT:OPER:COND? (@1)").strip() == "4"  # neither waiting nor measuring: off
    assert visa.query("SYST:ERR?").startswith("+0")
