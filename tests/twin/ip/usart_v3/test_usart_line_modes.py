# SPDX-License-Identifier: Apache-2.0
"""What CR2 and CR3 make of the line: order, polarity, pins, breaks, rates, addresses, time-outs."""

import pytest

from hil.twin.ip.usart_v3.usart import BREAK
from hil.twin.uart_line import Format
from tests.twin.ip.usart_v3.usart_part import (
    BAUD,
    BIT_S,
    BRR,
    CR1,
    CR2,
    CR3,
    FE,
    ICR,
    IDLE,
    KERNEL_HZ,
    NF,
    RE,
    RQR,
    RTOR,
    RXNE,
    TC,
    TDR,
    TE,
    UE,
    UsartPart,
)

LBDF, RTOF, ABRE, ABRF, CMF, SBKF, RWU = 1 << 8, 1 << 11, 1 << 14, 1 << 15, 1 << 17, 1 << 18, 1 << 19
SWAP, RXINV, TXINV, DATAINV, MSBFIRST, ABREN, RTOEN = *(1 << bit for bit in range(15, 21)), 1 << 23
HDSEL, ONEBIT, DDRE, DMAR = 1 << 3, 1 << 11, 1 << 13, 1 << 6
WAKE, MME, CMIE = 1 << 11, 1 << 13, 1 << 14
MMRQ = 1 << 2


@pytest.fixture
def part() -> UsartPart:
    return UsartPart()


def test_the_highest_bit_comes_first(part):
    part.usart(CR2, MSBFIRST)
    part.usart(CR1, UE | RE | TE)
    assert part.mcu.console_uart.levels(0xA1) == (False, True, False, True, False, False, False, False, True)
    part.put_frame("PA3", 0b1000_0101, BAUD)  # 0xA1 in the usual order
    assert part.data == 0xA1


def test_data_bits_are_inverted_and_start_and_stop_bits_are_not(part):
    part.usart(CR2, DATAINV)
    part.usart(CR1, UE | RE | TE)
    assert part.mcu.console_uart.levels(0xF0) == (False, *[True] * 4, *[False] * 4)
    part.put_frame("PA3", 0x0F, BAUD)
    assert (part.data, part.flags & FE) == (0xF0, 0)


@pytest.mark.parametrize("inverted", [False, True])
def test_the_parity_of_inverted_data_is_inverted_with_them(part, inverted):
    part.usart(CR2, DATAINV)
    part.usart(CR1, UE | RE | 1 << 10 | 1 << 12)
    part.put_frame("PA3", 0x31, BAUD, Format(9, "even", inverted=inverted))
    assert part.flags & (FE | 1) == (0 if inverted else 1)


def test_an_inverted_transmitter_idles_low_and_sends_inverted_levels(part):
    part.usart(CR2, TXINV)
    part.usart(CR1, UE | TE)
    assert part.pins["PA2"].level_out is False
    assert part.mcu.console_uart.levels(0x55) == tuple(not level for level in Format().levels(0x55))
    assert set(part.mcu.console_uart.levels(BREAK)) == {True}


def test_an_inverted_receiver_takes_inverted_levels(part):
    part.drive("PA3", False)
    part.usart(CR2, RXINV)
    part.usart(CR1, UE | RE)
    for level in (*(not bit for bit in Format().levels(0x53)), False):
        part.drive("PA3", level)
        part.bits(1)
    assert (part.data, part.flags & FE) == (0x53, 0)


def test_swapped_pins(part):
    part.drive("PA2", True)
    part.drive("PA3", None)
    part.usart(CR2, SWAP)
    part.usart(CR1, UE | RE | TE)
    assert (part.pins["PA2"].level_out, part.pins["PA3"].level_out) == (None, True)
    part.put_frame("PA2", 0x42, BAUD)
    assert part.data == 0x42
    part.usart(TDR, 0x43)
    part.advance(1e-3)
    assert [data for _, data in part.swapped] == [0x43]
    assert part.sent == []


def test_half_duplex_shares_the_tx_pin_lets_it_go_and_hears_itself(part):
    part.drive("PA2", True)
    part.usart(CR3, HDSEL)
    part.usart(CR1, UE | RE | TE)
    assert part.pins["PA2"].level_out is None
    part.put_frame("PA3", 0x11, BAUD)
    assert not part.flags & RXNE
    part.put_frame("PA2", 0x42, BAUD)
    assert part.data == 0x42
    part.usart(TDR, 0x43)
    part.advance(1e-3)
    assert [data for _, data in part.sent] == [0x43]
    assert (part.flags & RXNE, part.data) == (RXNE, 0x43)
    part.usart(CR1, UE | TE)  # software switches the receiver off to not hear itself
    part.usart(TDR, 0x44)
    part.advance(1e-3)
    assert not part.flags & RXNE


@pytest.mark.parametrize(("length", "bits", "found"), [(0, 9.5, 0), (0, 9.7, 1), (1, 10.5, 0), (1, 10.7, 1)])
def test_a_lin_break_is_flagged_when_the_line_is_high_again(part, length, bits, found):
    part.usart(CR2, 1 << 14 | length << 5 | 1 << 6)
    part.usart(CR1, UE | RE)
    part.drive("PA3", False)
    part.bits(bits)
    assert not part.flags & LBDF
    part.drive("PA3", True)
    assert bool(part.flags & LBDF) is part.interrupted is bool(found)
    part.bits(20)
    part.usart(ICR, LBDF)
    assert not part.flags & LBDF


def test_a_lin_break_is_sent_with_thirteen_low_bits(part):
    part.usart(CR2, 1 << 14)
    part.usart(CR1, UE | TE)
    part.bits(10)
    start_ps = part.now_ps
    part.usart(RQR, 1 << 1)
    assert part.flags & SBKF
    part.bits(20)
    assert not part.flags & SBKF
    ((end_ps, data),) = part.sent
    assert (data, round((end_ps - start_ps) * 1e-12 / BIT_S, 3)) == (BREAK, 14)
    assert part.mcu.console_uart.levels(BREAK) == (False,) * 13


def test_one_sample_makes_no_noise(part):
    for control, noise in ((0, NF), (ONEBIT, 0)):
        part.usart(CR1, 0)
        part.usart(CR3, control)
        part.usart(CR1, UE | RE)
        part.drive("PA3", False)
        part.bits(1.52)  # the first bit's first sample is low, the other two are high
        part.drive("PA3", True)
        part.bits(10)
        assert (part.data, part.flags & NF) == (0xFF, noise)


@pytest.mark.parametrize(("mode", "first"), [(0, 0x43), (1, 0x4D), (2, 0x7F), (3, 0x55)])
@pytest.mark.parametrize("baud", [9600.0, 57_600.0])
def test_the_first_frame_sets_the_divider_and_is_received(part, mode, first, baud):
    part.usart(CR2, ABREN | mode << 21)
    part.usart(CR1, UE | RE)
    part.put_frame("PA3", first, baud)
    assert part.read("USART2", BRR) == round(KERNEL_HZ / baud)
    assert part.flags & (ABRF | ABRE | RXNE) == ABRF | RXNE
    assert part.data == first
    part.put_frame("PA3", 0x23, baud)
    assert part.data == 0x23


def test_a_request_measures_again_and_a_wrong_character_is_an_error(part):
    part.usart(CR2, ABREN | 3 << 21)
    part.usart(CR1, UE | RE)
    part.put_frame("PA3", 0x15, 9600.0)
    part.put_frame("PA3", 0x15, 9600.0)
    assert part.flags & (ABRF | ABRE) == ABRF | ABRE
    part.usart(RQR, 1)
    assert not part.flags & (ABRF | ABRE)
    part.bits(100)
    part.put_frame("PA3", 0x55, 19_200.0)
    assert part.flags & (ABRF | ABRE) == ABRF
    assert part.read("USART2", BRR) == round(KERNEL_HZ / 19_200)


def test_a_rate_out_of_range_is_an_error(part):
    part.usart(CR2, ABREN)
    part.usart(CR1, UE | RE)
    part.put_frame("PA3", 0x43, KERNEL_HZ / 10)
    assert part.flags & (ABRF | ABRE | FE | RXNE) == ABRF | ABRE | FE | RXNE
    assert part.read("USART2", BRR) == 35


def test_the_receiver_time_out_counts_from_the_end_of_the_stop_bit(part):
    part.usart(RTOR, 30)
    part.usart(CR2, RTOEN)
    part.usart(CR1, UE | RE | 1 << 26)
    part.bits(100)
    assert not part.flags & RTOF
    part.put_frame("PA3", 0x43, BAUD)
    part.bits(29.9)
    assert not part.flags & RTOF
    part.put_frame("PA3", 0x44, BAUD)
    part.bits(29.9)
    assert not part.flags & RTOF
    part.bits(0.2)
    assert part.flags & RTOF
    assert part.interrupted
    part.usart(ICR, RTOF)
    assert not part.interrupted


def test_a_shorter_time_out_acts_on_the_one_under_way(part):
    part.usart(RTOR, 1000)
    part.usart(CR2, RTOEN)
    part.usart(CR1, UE | RE)
    part.put_frame("PA3", 0x43, BAUD)
    part.bits(20)
    part.usart(RTOR, 21)
    part.bits(0.9)
    assert not part.flags & RTOF
    part.bits(0.2)
    assert part.flags & RTOF


def test_a_character_match_is_flagged(part):
    part.usart(CR2, 0x0D << 24)
    part.usart(CR1, UE | RE | CMIE)
    part.put_frame("PA3", 0x0C, BAUD)
    assert not part.interrupted
    part.put_frame("PA3", 0x0D, BAUD)
    assert part.interrupted
    part.usart(ICR, CMF)
    assert not part.interrupted


@pytest.mark.parametrize(("wide", "address", "wakes"), [(0, 0x95, True), (1, 0x95, False), (1, 0x85, True)])
def test_a_muted_receiver_wakes_to_its_address(part, wide, address, wakes):
    part.usart(CR2, 0x05 << 24 | wide << 4)
    part.usart(CR1, UE | RE | MME | WAKE)
    part.usart(RQR, MMRQ)
    assert part.flags & RWU
    part.put_frame("PA3", 0x31, BAUD)
    assert not part.flags & RXNE
    part.put_frame("PA3", address, BAUD)
    assert bool(part.flags & RXNE) is wakes
    assert bool(part.flags & RWU) is not wakes
    if wakes:
        assert part.data == address
        part.put_frame("PA3", 0x86, BAUD)  # somebody else's
        assert part.flags & (RWU | RXNE) == RWU


def test_a_muted_receiver_wakes_on_an_idle_line_without_flagging_it(part):
    part.usart(CR1, UE | RE | MME)
    part.usart(RQR, MMRQ)
    assert not part.flags & RWU  # the line is idle already
    part.put_frame("PA3", 0x31, BAUD)
    assert part.data == 0x31
    part.usart(RQR, MMRQ)
    part.put_frame("PA3", 0x32, BAUD)
    assert part.flags & (RWU | RXNE) == RWU
    part.bits(12)
    assert not part.flags & (RWU | IDLE)
    part.put_frame("PA3", 0x33, BAUD)
    assert part.data == 0x33


def test_an_address_wakes_the_part_from_stop(part):
    part.enable_clock(0x00, 8)  # HSI16
    part.advance(10e-6)
    part.write("RCC", 0x88, 2 << 2)
    part.usart(BRR, 139)
    part.usart(CR2, 0x05 << 24)
    part.usart(CR3, 1 << 22)
    part.usart(CR1, UE | RE | 2)
    core = part.mcu.core
    core._system_control.scr = 4
    core.debug_halt()
    core.debug_resume(step=False)
    part.advance(20e-6)
    assert part.mcu.mode == "stop0"
    part.put_frame("PA3", 0x84, 16e6 / 139)
    assert not part.flags & 1 << 20
    part.put_frame("PA3", 0x85, 16e6 / 139)
    assert part.flags & 1 << 20
    assert part.interrupted


def test_an_error_holds_dma_back_until_it_is_cleared(part):
    part.usart(CR3, DMAR | DDRE)
    asked = []
    part.mcu.console_uart._receiver._request_dma = lambda: asked.append(True) or True
    part.usart(CR1, UE | RE)
    part.drive("PA3", False)
    part.bits(12)
    part.drive("PA3", True)
    assert asked == []
    part.usart(ICR, FE)
    assert asked == [True]


def test_time_out_and_tc_are_quiet_while_off(part):
    part.usart(CR1, 0)
    assert part.flags & TC
    assert not part.interrupted
