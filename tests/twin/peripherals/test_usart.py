# SPDX-License-Identifier: Apache-2.0
import pytest

CR1, CR3, BRR, ISR, ICR, RDR, TDR = 0x00, 0x08, 0x0C, 0x1C, 0x20, 0x24, 0x28
UE, RE, TE, RXNE, TC, TXE, ORE, FE = 1, 4, 8, 1 << 5, 1 << 6, 1 << 7, 1 << 3, 1 << 1
BIT_PS = 35 * 250_000  # BRR = 35 at 4 MHz
FRAME_PS = 10 * BIT_PS


@pytest.fixture
def usart(part):
    """USART2 at 4 MHz / 35 with its pins routed; ``sent`` collects what leaves."""
    part.enable_clock(0x4C, 0)
    part.enable_clock(0x58, 17)
    part.write("GPIOA", 0x20, 7 << 8 | 7 << 12)
    part.write("GPIOA", 0x00, 0xABFF_FFAF)
    part.write("USART2", BRR, 35)
    part.sent = []
    part.mcu.usart2.on_transmit = lambda time_ps, byte, baud: part.sent.append((time_ps, byte, baud))
    return part


def test_frames_follow_each_other_at_the_baud_rate_of_the_kernel_clock(usart):
    usart.write("USART2", CR1, UE | TE)
    enabled_ps = usart.now_ps
    usart.write("USART2", TDR, 0x41)
    assert not usart.read("USART2", ISR) & TXE  # the idle frame that TE sends is under way
    usart.advance(FRAME_PS * 1.001e-12)
    assert usart.read("USART2", ISR) & (TXE | TC) == TXE
    usart.write("USART2", TDR, 0x42)
    usart.advance(3 * FRAME_PS * 1e-12)
    assert usart.sent == [
        (enabled_ps + 2 * FRAME_PS, 0x41, 4_000_000 / 35),
        (enabled_ps + 3 * FRAME_PS, 0x42, 4_000_000 / 35),
    ]
    assert usart.read("USART2", ISR) & (TXE | TC) == TXE | TC


def test_two_stop_bits_lengthen_the_frame(usart):
    usart.write("USART2", 0x04, 2 << 12)
    usart.write("USART2", CR1, UE | TE)
    started_ps = usart.now_ps
    usart.write("USART2", TDR, 0x55)
    usart.advance(1e-3)
    assert usart.sent[0][0] == started_ps + 22 * BIT_PS


def test_nothing_leaves_through_a_pin_that_is_not_routed(usart):
    usart.write("GPIOA", 0x00, 0xABFF_FFFF)
    usart.write("USART2", CR1, UE | TE)
    usart.write("USART2", TDR, 0x41)
    usart.advance(1e-3)
    assert usart.sent == []
    assert usart.read("USART2", ISR) & TC


def test_tx_line_idles_high_while_the_transmitter_is_on(usart):
    assert usart.pins["PA2"].level_out is None
    usart.write("USART2", CR1, UE | TE)
    assert usart.pins["PA2"].level_out is True
    usart.write("USART2", CR1, 0)
    assert usart.pins["PA2"].level_out is None


def test_switching_off_cuts_the_frame(usart):
    usart.write("USART2", CR1, UE | TE)
    usart.write("USART2", TDR, 0x41)
    usart.write("USART2", CR1, 0)
    usart.advance(1e-3)
    assert usart.sent == []


def test_receiver(usart):
    usart.mcu.usart2.receive(0x31)
    assert not usart.read("USART2", ISR) & RXNE  # RE is clear
    usart.write("USART2", CR1, UE | RE)
    usart.mcu.usart2.receive(0x31)
    assert usart.read("USART2", ISR) & RXNE
    usart.mcu.usart2.receive(0x32)
    assert usart.read("USART2", ISR) & ORE
    assert usart.read("USART2", RDR) == 0x31
    assert not usart.read("USART2", ISR) & RXNE
    usart.write("USART2", ICR, ORE)
    assert not usart.read("USART2", ISR) & ORE


def test_wrong_baud_rate_makes_garbage(usart):
    usart.write("USART2", CR1, UE | RE)
    usart.mcu.usart2.receive(0x31, baud=9600.0)
    assert usart.read("USART2", ISR) & FE
    assert usart.read("USART2", RDR) != 0x31


def test_dma_feeds_the_transmitter(usart):
    usart.enable_clock(0x48, 0)
    usart.mcu.core.memory.sram1[0x1000:0x1005] = list(b"hello")
    usart.write("DMA1", 0xA8, 2 << 24)  # channel 7, request 2
    usart.write("DMA1", 0x88, 0x4000_4428)
    usart.write("DMA1", 0x8C, 0x2000_1000)
    usart.write("DMA1", 0x84, 5)
    usart.write("DMA1", 0x80, 1 | 1 << 4 | 1 << 7)
    usart.write("USART2", CR3, 1 << 7)
    usart.write("USART2", CR1, UE | TE)
    usart.advance(1e-3)
    assert bytes(byte for _, byte, _ in usart.sent) == b"hello"
