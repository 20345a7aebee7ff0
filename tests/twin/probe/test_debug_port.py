# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest
from pyocd.core import exceptions

from hil.twin.probe.access_port import AhbAp
from hil.twin.probe.debug_port import DebugPort
from hil.twin.probe.swd_line import SwdLine

CTRL_STAT, SELECT, RDBUFF = 0x4, 0x8, 0xC
CSW, TAR, DRW = 0x0, 0x4, 0xC
WORDS, HALFWORDS, BYTES, INCREMENT, PACKED = 2, 1, 0, 0x10, 0x20
POWER_UP = 0x50000000
STICKYERR = 1 << 5


@pytest.fixture
def port(bench: Any) -> DebugPort:
    line = SwdLine(bench)
    line.select_swd()
    return DebugPort(line, {0: AhbAp(line)})


@pytest.fixture
def powered(port: DebugPort) -> DebugPort:
    port.write(CTRL_STAT, POWER_UP)
    return port


def poke_ap_bank(port: DebugPort, bank: int, apsel: int = 0) -> None:
    port.write(SELECT, apsel << 24 | bank)


def test_dpidr_is_the_sw_dp_of_the_stm32l4(port: DebugPort) -> None:
    assert port.read(0) == 0x2BA01477


def test_power_up_requests_are_acknowledged(port: DebugPort) -> None:
    assert port.read(CTRL_STAT) & 0xF0000000 == 0
    port.write(CTRL_STAT, POWER_UP)
    assert port.read(CTRL_STAT) & 0xF0000000 == 0xF0000000


def test_dp_bank_1_is_dlcr_and_does_not_write_ctrl_stat(powered: DebugPort) -> None:
    powered.write(SELECT, 1)
    assert powered.read(CTRL_STAT) == 0x40
    powered.write(CTRL_STAT, 0)
    powered.write(SELECT, 0)
    assert powered.read(CTRL_STAT) & 0xF0000000 == 0xF0000000


def test_ap_access_without_debug_power_is_a_fault(port: DebugPort) -> None:
    with pytest.raises(exceptions.TransferFaultError, match="CDBGPWRUPREQ"):
        port.read_ap(CSW)


def test_the_ahb_ap_identifies_itself(powered: DebugPort) -> None:
    poke_ap_bank(powered, 0xF0)
    assert powered.read_ap(0xC) == [0x24770011]
    assert powered.read_ap(0x8) == [0xE00FF003]
    assert powered.read(RDBUFF) == 0xE00FF003


def test_a_missing_ap_reads_as_zero(powered: DebugPort) -> None:
    poke_ap_bank(powered, 0xF0, apsel=1)
    assert powered.read_ap(0xC) == [0]


def test_words_stream_through_drw(powered: DebugPort, bench: Any) -> None:
    powered.write_ap(CSW, [INCREMENT | WORDS])
    powered.write_ap(TAR, [0x20000010])
    powered.write_ap(DRW, [0x11223344, 0x155667788])  # clients send more than 32 bits
    assert bench.mcu.core.ram[0x10:0x18].hex() == "4433221188776655"
    assert powered.read_ap(TAR) == [0x20000018]
    powered.write_ap(TAR, [0x20000010])
    assert powered.read_ap(DRW, 2) == [0x11223344, 0x55667788]


def test_tar_wraps_at_4_kib(powered: DebugPort, bench: Any) -> None:
    powered.write_ap(CSW, [INCREMENT | WORDS])
    powered.write_ap(TAR, [0x20001FFC])
    powered.write_ap(DRW, [1, 2])
    assert bench.mcu.core.ram[0x1FFC] == 1
    assert bench.mcu.core.ram[0x1000] == 2
    assert bench.mcu.core.ram[0x2000] == 0


@pytest.mark.parametrize(
    ("size", "address", "lane_value", "stored"),
    [
        (BYTES, 0x20000001, 0x0000AB00, "00ab0000"),
        (BYTES, 0x20000003, 0xAB000000, "000000ab"),
        (HALFWORDS, 0x20000002, 0xBEEF0000, "0000efbe"),
    ],
)
def test_narrow_accesses_use_their_byte_lanes(
    powered: DebugPort, bench: Any, size: int, address: int, lane_value: int, stored: str
) -> None:
    powered.write_ap(CSW, [size])
    powered.write_ap(TAR, [address])
    powered.write_ap(DRW, [lane_value])
    assert bench.mcu.core.ram[:4].hex() == stored
    assert powered.read_ap(DRW) == [lane_value]
    assert powered.read_ap(TAR) == [address]  # no increment asked for


def test_banked_data_registers_do_not_move_tar(powered: DebugPort, bench: Any) -> None:
    powered.write_ap(TAR, [0x20000020])
    poke_ap_bank(powered, 0x10)
    powered.write_ap(0x8, [0xCAFE])
    assert powered.read_ap(0x8) == [0xCAFE]
    assert bench.mcu.core.ram[0x28:0x2A].hex() == "feca"


def test_csw_shows_what_is_not_implemented(powered: DebugPort) -> None:
    powered.write_ap(CSW, [0x30 | HALFWORDS])  # reserved
    assert powered.read_ap(CSW)[0] & 0x37 == HALFWORDS
    powered.write_ap(CSW, [INCREMENT | 3])  # 64-bit
    assert powered.read_ap(CSW)[0] & 0x37 == INCREMENT | HALFWORDS


def test_a_bad_address_sets_stickyerr_until_it_is_aborted(powered: DebugPort) -> None:
    powered.write_ap(TAR, [0x60000000])
    with pytest.raises(exceptions.TransferFaultError):
        powered.read_ap(DRW)
    assert powered.read(CTRL_STAT) & STICKYERR
    with pytest.raises(exceptions.TransferFaultError, match="STICKYERR"):
        powered.read_ap(CSW)
    powered.write(0, 1 << 2)
    assert not powered.read(CTRL_STAT) & STICKYERR
    assert powered.read_ap(TAR) == [0x60000000]


def test_stop_mode_faults_the_ap_but_not_the_dp(powered: DebugPort, bench: Any) -> None:
    bench.mcu.core.debug_access_ok = False
    assert powered.read(0) == 0x2BA01477
    powered.write_ap(TAR, [0x20000000])
    with pytest.raises(exceptions.TransferFaultError, match="DBGMCU_CR"):
        powered.read_ap(DRW)


@pytest.mark.parametrize("reason", ["isolated", "unpowered"])
def test_without_a_target_nothing_acknowledges(port: DebugPort, bench: Any, reason: str) -> None:
    bench.debug_lines_isolated = reason == "isolated"
    bench.mcu.supplied = reason != "unpowered"
    with pytest.raises(exceptions.TransferError, match="no ACK") as raised:
        port.read(0)
    assert not isinstance(raised.value, exceptions.TransferFaultError)


def test_an_access_costs_its_packets_and_the_request(port: DebugPort, bench: Any) -> None:
    port.read(0)
    assert bench.now_s == pytest.approx(125e-6 + 11.5e-6)
    port.write(CTRL_STAT, POWER_UP)
    bench.now_s = 0.0
    port.read_ap(CSW, 100)
    assert bench.now_s == pytest.approx(125e-6 + 101 * 11.5e-6)


def test_polling_a_running_core_waits_for_its_halt(powered: DebugPort, bench: Any) -> None:
    powered.write_ap(TAR, [0xE000EDF0])
    powered.read_ap(DRW)
    assert bench.halt_waits_s == []
    bench.mcu.core.state = "running"
    powered.read_ap(DRW)
    assert bench.halt_waits_s == [1e-3]


def poll(port: DebugPort, bench: Any) -> float:
    """Read DHCSR once; return how long that waited."""
    bench.halt_waits_s.clear()
    port.read_ap(DRW)
    return float(sum(bench.halt_waits_s))


def test_who_only_polls_waits_longer_and_lets_others_in_between(powered: DebugPort, bench: Any) -> None:
    powered.write_ap(TAR, [0xE000EDF0])
    bench.mcu.core.state = "sleeping"
    waits_s = [poll(powered, bench) for _ in range(6)]
    assert waits_s == pytest.approx([1e-3, 8e-3, 64e-3, 512e-3, 1.0, 1.0])
    assert max(bench.halt_waits_s) <= 0.02


def test_a_busy_core_is_not_waited_for_longer_than_it_takes_to_answer(powered: DebugPort, bench: Any) -> None:
    powered.write_ap(TAR, [0xE000EDF0])
    bench.mcu.core.state = "running"
    waits_s = [poll(powered, bench) for _ in range(6)]
    assert waits_s == pytest.approx([1e-3, 8e-3, 20e-3, 20e-3, 20e-3, 20e-3])


def test_the_port_loses_its_state_with_its_supply(powered: DebugPort, bench: Any) -> None:
    powered.write_ap(TAR, [0x20000010])
    bench.mcu.debug_port_losses += 1
    for _ in range(2):
        with pytest.raises(exceptions.TransferError, match=r"no ACK.*connect again"):
            powered.read(CTRL_STAT)
    powered._line.select_swd()
    assert powered.read(CTRL_STAT) & 0xF0000000 == 0
    powered.write(CTRL_STAT, POWER_UP)
    assert powered.read_ap(TAR) == [0]


def test_selecting_swd_of_a_part_without_supply_does_nothing(port: DebugPort, bench: Any) -> None:
    bench.mcu.debug_port_losses += 1
    bench.mcu.supplied = False
    port._line.select_swd()
    bench.mcu.supplied = True
    with pytest.raises(exceptions.TransferError, match="connect again"):
        port.read(0)


@pytest.mark.parametrize(("size", "width"), [(BYTES, 1), (HALFWORDS, 2)])
def test_packed_transfers_fill_a_word(powered: DebugPort, bench: Any, size: int, width: int) -> None:
    powered.write_ap(CSW, [PACKED | size])
    assert powered.read_ap(CSW)[0] & 0x37 == PACKED | size
    powered.write_ap(TAR, [0x20000010])
    powered.write_ap(DRW, [0x44332211, 0x88776655])
    assert bench.mcu.core.ram[0x10:0x18].hex() == "1122334455667788"
    assert powered.read_ap(TAR) == [0x20000018]
    powered.write_ap(TAR, [0x20000010])
    assert powered.read_ap(DRW, 2) == [0x44332211, 0x88776655]


@pytest.mark.parametrize("between", ["halt", "another access"])
def test_who_does_something_else_waits_briefly_again(powered: DebugPort, bench: Any, between: str) -> None:
    powered.write_ap(TAR, [0xE000EDF0])
    bench.mcu.core.state = "running"
    for _ in range(3):
        poll(powered, bench)
    if between == "halt":
        bench.mcu.core.state = "halted"
        assert poll(powered, bench) == 0
        bench.mcu.core.state = "running"
    else:
        powered.write_ap(TAR, [0x20000000])
        powered.read_ap(DRW)
        powered.write_ap(TAR, [0xE000EDF0])
    assert poll(powered, bench) == pytest.approx(1e-3)
