# SPDX-License-Identifier: Apache-2.0
"""pyOCD's own remote probe client against the server, as every pyOCD tool uses it."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from pyocd.core import exceptions
from pyocd.coresight.ap import APv1Address
from pyocd.probe.debug_probe import DebugProbe
from pyocd.probe.tcp_client_probe import TCPClientProbe

from hil.twin.probe.server import ProbeServer


@pytest.fixture
def server(bench: Any) -> Iterator[ProbeServer]:
    with contextlib.closing(ProbeServer(bench, "127.0.0.1", 0)) as server:
        yield server


@contextlib.contextmanager
def connected(server: ProbeServer) -> Iterator[TCPClientProbe]:
    client = TCPClientProbe(server.address)
    client.open()
    try:
        client.connect(DebugProbe.Protocol.SWD)
        client.write_dp(0x4, 0x50000000)
        yield client
    finally:
        client.close()


def test_memory_commands(server: ProbeServer, bench: Any) -> None:
    with connected(server) as client:
        memory = client.get_memory_interface_for_ap(APv1Address(0))
        memory.write_memory_block32(0x20000000, list(range(2000)))
        assert memory.read_memory_block32(0x20000000, 2000) == list(range(2000))
        memory.write_memory_block8(0x20000001, [1, 2, 3])
        assert memory.read_memory_block8(0x20000000, 5) == [0, 1, 2, 3, 1]
        memory.write_memory(0x20000002, 0xABCD, 16)
        assert memory.read_memory(0x20000003, 8) == 0xAB
        assert client.get_memory_interface_for_ap(APv1Address(1)) is None


def test_a_fault_leaves_the_connection_usable(server: ProbeServer) -> None:
    with connected(server) as client:
        memory = client.get_memory_interface_for_ap(APv1Address(0))
        with pytest.raises(exceptions.TransferFaultError, match="60000000"):
            memory.read_memory(0x60000000)
        with pytest.raises(exceptions.TransferError, match="not aligned"):
            memory.read_memory(0x20000001)
        with pytest.raises(exceptions.ProbeError, match="expected an integer"):
            client.write_dp("4", None)
        assert client.read_dp(0) == 0x2BA01477


def test_clients_do_not_share_a_debug_port_or_a_lock(server: ProbeServer) -> None:
    with connected(server) as first, connected(server) as second:
        first.lock()
        second.lock()
        first.write_ap(0x4, 0x20000000)
        second.write_ap(0x4, 0x20001000)
        assert first.read_ap(0x4) == 0x20000000
        second.unlock()
        first.unlock()


def test_a_client_that_dies_with_its_lock_keeps_nobody_out(server: ProbeServer) -> None:
    dead = TCPClientProbe(server.address)
    dead.open()
    dead.lock()
    dead._socket.close()
    with connected(server) as client:
        client.lock()
        assert client.read_dp(0) == 0x2BA01477
        client.unlock()


def test_nrst_follows_its_client(server: ProbeServer, bench: Any) -> None:
    with connected(server) as client:
        client.assert_reset(True)
        assert client.is_reset_asserted()
        client.assert_reset(False)
        assert not client.is_reset_asserted()
        assert bench.mcu.nrst_changes == [True, False]


def test_a_reset_is_a_pulse_of_bench_time(server: ProbeServer, bench: Any) -> None:
    with connected(server) as client:
        before_s = bench.now_s
        client.reset()
    assert bench.mcu.nrst_changes == [True, False]
    assert bench.now_s - before_s > 0.1


def test_nrst_does_not_reach_through_an_open_relay(server: ProbeServer, bench: Any) -> None:
    bench.debug_lines_isolated = True
    client = TCPClientProbe(server.address)
    client.open()
    client.assert_reset(True)
    client.assert_reset(False)
    client.close()
    assert bench.mcu.nrst_changes == []


def test_only_swd_is_wired(server: ProbeServer) -> None:
    client = TCPClientProbe(server.address)
    client.open()
    with pytest.raises(exceptions.ProbeError, match="only SWD is wired"):
        client.connect(DebugProbe.Protocol.JTAG)
    client.close()
