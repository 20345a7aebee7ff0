# SPDX-License-Identifier: Apache-2.0
"""The analyzer over VXI-11, with stock PyVISA; and calls that no client of good manners sends."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import pyvisa

from hil.instruments.scpi_link import ScpiLink
from hil.twin.analyzer import PowerAnalyzer

ERROR_QUEUE, MESSAGE_AVAILABLE = 4, 16
CORE, ABORT, PORT_MAPPER = 0x0607AF, 0x0607B0, 100000


@pytest.fixture
def address(bench: Any) -> Iterator[tuple[str, int]]:
    server = PowerAnalyzer(bench, {}).serve_vxi11()
    host, port = server.address.split(":")
    yield host, int(port)
    server.close()


@pytest.fixture
def manager() -> Iterator[Any]:
    manager = pyvisa.ResourceManager("@py")
    yield manager
    manager.close()


@pytest.fixture
def visa(address: tuple[str, int], manager: Any) -> Iterator[Any]:
    session = manager.open_resource(f"TCPIP::{address[0]},{address[1]}::inst0::INSTR", timeout=5000)
    yield session
    session.close()


class Client:
    """Remote procedure calls by hand."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._socket = socket.create_connection(address, timeout=10)
        self._file = self._socket.makefile("rb")

    def call(
        self, program: int, procedure: int, *words: int, opaque: bytes | None = None, version: int = 1
    ) -> tuple[int, bytes]:
        """The accept status and the result."""
        call = struct.pack("!6I", 7, 0, 2, program, version, procedure) + bytes(16)
        call += struct.pack(f"!{len(words)}I", *words)
        if opaque is not None:
            call += struct.pack("!I", len(opaque)) + opaque + bytes(-len(opaque) % 4)
        half = len(call) // 2  # a record may come in fragments
        self._socket.sendall(struct.pack("!I", half) + call[:half])
        self._socket.sendall(struct.pack("!I", 1 << 31 | len(call) - half) + call[half:])
        (mark,) = struct.unpack("!I", self._file.read(4))
        reply = self._file.read(mark & ~(1 << 31))
        number, kind, state, _, _, status = struct.unpack_from("!6I", reply)
        assert (number, kind, state) == (7, 1, 0)
        return status, reply[24:]

    def error(self, procedure: int, *words: int, opaque: bytes | None = None) -> int:
        """The error code that a core procedure returns."""
        status, result = self.call(CORE, procedure, *words, opaque=opaque)
        assert status == 0
        return int(struct.unpack_from("!I", result)[0])

    def link(self) -> int:
        status, result = self.call(CORE, 10, 1, 0, 0, opaque=b"inst0")
        error, link, _, largest = struct.unpack("!4I", result)
        assert (status, error) == (0, 0)
        assert largest >= 1024  # B.6.1
        return int(link)

    def close(self) -> None:
        self._file.close()
        self._socket.close()


@pytest.fixture
def client(address: tuple[str, int]) -> Iterator[Client]:
    client = Client(address)
    yield client
    client.close()


def test_queries_and_binary_blocks(visa: Any) -> None:
    assert visa.query("*IDN?").startswith("Keysight Technologies,N6705C")
    visa.write("VOLT 3,(@1);:OUTP ON,(@1);:SENS:SWE:POIN 400000,(@1);:FORM REAL;:INIT:ACQ (@1);*TRG")
    volts = visa.query_binary_values("FETC:ARR:VOLT? (@1)", "f", is_big_endian=True, container=np.array)
    assert volts.shape == (400_000,)
    assert np.mean(volts) == pytest.approx(3.0, abs=0.01)


def test_a_long_message_comes_in_pieces(visa: Any) -> None:
    visa.write("*CLS" + ";*CLS" * 10_000)  # more than a client may send at once
    assert visa.query("SYST:ERR?").startswith("+0")


def test_the_status_byte(visa: Any) -> None:
    assert visa.read_stb() == 0
    visa.write("VOLT three,(@1)")
    assert visa.read_stb() == ERROR_QUEUE
    assert visa.query("SYST:ERR?").startswith("-141")
    visa.write("*IDN?")
    assert visa.read_stb() & MESSAGE_AVAILABLE
    visa.clear()
    assert not visa.read_stb() & MESSAGE_AVAILABLE


def test_a_trigger_triggers(visa: Any) -> None:
    visa.write("INIT:ACQ (@1)")
    visa.assert_trigger()
    assert visa.query("*OPC?").strip() == "1"


def test_reading_without_a_question_times_out(visa: Any) -> None:
    visa.timeout = 50
    with pytest.raises(pyvisa.VisaIOError, match="TMO"):
        visa.read()
    assert visa.query("SYST:VERS?").strip() == "1999.0"


def test_the_driver_reads_a_block_whole(visa: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line feed among its bytes ends no read."""
    link = ScpiLink("power_analyzer", lambda: visa)
    link.write("VOLT 3,(@1);:OUTP ON,(@1);:SENS:SWE:POIN 100000,(@1);:FORM REAL;:INIT:ACQ (@1);*TRG")
    interface = visa.visalib.sessions[visa.session].interface
    calls: list[int] = []
    read = interface.device_read

    def counted(*arguments: Any) -> Any:
        calls.append(arguments[1])
        return read(*arguments)

    monkeypatch.setattr(interface, "device_read", counted)
    assert link.query_block("FETC:ARR:VOLT? (@1)").shape == (100_000,)
    assert len(calls) <= 400_000 // (1 << 14) + 2
    assert link.query("SYST:VERS?") == "1999.0"  # nothing of the block is left
    visa.read_termination = "\n"


def test_only_inst0_is_there(client: Client) -> None:
    not_accessible = 3
    assert client.error(10, 1, 0, 0, opaque=b"gpib0") == not_accessible


def test_the_port_mapper_knows_the_core_channel(client: Client, address: tuple[str, int]) -> None:
    assert client.call(PORT_MAPPER, 3, CORE, 1, 6, 0, version=2) == (0, struct.pack("!I", address[1]))
    assert client.call(PORT_MAPPER, 3, CORE, 1, 17, 0, version=2) == (0, bytes(4))  # not over UDP
    assert client.call(PORT_MAPPER, 3, 12345, 1, 6, 0, version=2) == (0, bytes(4))


def test_calls_that_do_not_exist(client: Client) -> None:
    unavailable, mismatch, no_procedure, garbage = 1, 2, 3, 4
    assert client.call(12345, 1)[0] == unavailable
    assert client.call(CORE, 10, version=2)[0] == mismatch
    assert client.call(CORE, 99)[0] == no_procedure
    assert client.call(CORE, 11, 1, 2)[0] == garbage
    assert client.call(CORE, 11, 1, 2, 3, 4, 1000)[0] == garbage  # 1000 bytes announced, none sent
    not_supported = 8
    for procedure in (20, 22, 25, 26):
        assert client.error(procedure, 0) == not_supported


def test_unknown_links(client: Client) -> None:
    invalid = 4
    assert client.error(11, 99, 0, 0, 8, opaque=b"*RST") == invalid
    assert client.error(12, 99, 10, 0, 0, 0, 0) == invalid
    assert client.error(23, 99) == invalid
    link = client.link()
    assert client.error(23, link) == 0
    assert client.error(11, link, 0, 0, 8, opaque=b"*RST") == invalid
    assert client.call(ABORT, 1, link) == (0, struct.pack("!I", invalid))


def test_a_lock_keeps_other_links_out(client: Client, address: tuple[str, int]) -> None:
    locked, not_held, end = 11, 12, 8
    neighbour = Client(address)
    mine, other = client.link(), neighbour.link()
    assert client.error(18, mine, 0, 0) == 0
    assert neighbour.error(11, other, 0, 0, end, opaque=b"*RST") == locked
    assert neighbour.error(18, other, 1, 20) == locked  # waits 20 ms for it
    assert neighbour.error(19, other) == not_held
    assert client.error(11, mine, 0, 0, end, opaque=b"*IDN?") == 0
    assert client.error(19, mine) == 0
    assert neighbour.error(18, other, 0, 0) == 0
    neighbour.close()  # its lock goes with it
    assert client.error(11, mine, 0, 2000, end | 1, opaque=b"*IDN?") == 0


def test_a_message_longer_than_the_buffer(client: Client) -> None:
    link = client.link()
    for _ in range(3):
        assert client.error(11, link, 0, 0, 0, opaque=bytes(600_000)) == 0
    assert client.error(11, link, 0, 0, 8, opaque=b"*RST") == 0
    client.error(11, link, 0, 0, 8, opaque=b"SYST:ERR?")
    assert b"-363" in client.call(CORE, 12, link, 100, 0, 0, 0, 0)[1]
