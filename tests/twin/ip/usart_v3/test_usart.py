# SPDX-License-Identifier: Apache-2.0
import pytest

from hil.twin.ip.usart_v3.usart import BREAK
from hil.twin.uart_line import Format

CR1, CR3, BRR, ISR, ICR, RDR, TDR = 0x00, 0x08, 0x0C, 0x1C, 0x20, 0x24, 0x28
UE, RE, TE, RXNE, TC, TXE, ORE, FE = 1, 4, 8, 1 << 5, 1 << 6, 1 << 7, 1 << 3, 1 << 1
PE, NF = 1 << 0, 1 << 2
BIT_PS = 35 * 250_000  # BRR = 35 at 4 MHz
FRAME_PS = 10 * BIT_PS


@pytest.fixture
def usart(part):
    """USART2 at 4 MHz / 35 with its pins routed; ``sent`` collects what leaves."""
    part.enable_clock(0x4C, 0)
    part.enable_clock(0x58, 17)
    part.write("GPIOA", 0x20, 7 << 8 | 7 << 12)
    part.write("GPIOA", 0x00, 0xABFF_FFAF)
    part.pins["PA3"].set_external_level(True, part.now_ps)
    part.write("USART2", BRR, 35)
    part.sent = []
    part.mcu.console_uart.transmitted.connect(lambda *frame: part.sent.append(frame))
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
    usart.put_frame("PA3", 0x31)
    assert not usart.read("USART2", ISR) & RXNE  # RE is clear
    usart.write("USART2", CR1, UE | RE)
    usart.put_frame("PA3", 0x31)
    assert usart.read("USART2", ISR) & RXNE
    usart.put_frame("PA3", 0x32)
    assert usart.read("USART2", ISR) & ORE
    assert usart.read("USART2", RDR) == 0x31
    assert not usart.read("USART2", ISR) & RXNE
    usart.write("USART2", ICR, ORE)
    assert not usart.read("USART2", ISR) & ORE


BAUD = 4_000_000 / 35


def received(usart, data, baud=BAUD, **arguments):
    """What a frame leaves behind: the byte and the error flags."""
    usart.write("USART2", ICR, 0x1F)
    usart.put_frame("PA3", data, baud, stop_bits=1.5, **arguments)
    flags = usart.read("USART2", ISR)
    assert flags & RXNE
    return usart.read("USART2", RDR), flags & (PE | FE | NF)


@pytest.mark.parametrize("error", [-0.03, -0.01, 0.0, 0.01, 0.03])
def test_three_per_cent_off_every_byte_passes(usart, error):
    usart.write("USART2", CR1, UE | RE)
    for data in range(256):
        assert received(usart, data, BAUD * (1 + error)) == (data, 0)


def test_six_per_cent_too_slow_the_last_bit_stands_where_the_stop_bit_should(usart):
    usart.write("USART2", CR1, UE | RE)
    for data in range(128):  # with the highest bit clear
        assert received(usart, data, BAUD * 0.94)[1] & FE
    assert received(usart, 0xFF, BAUD * 0.94) == (0xFF, 0)  # nobody can tell


def test_six_per_cent_too_fast_the_last_two_bits_are_each_taken_for_the_one_before(usart):
    usart.write("USART2", CR1, UE | RE)
    for data in range(
        128
    ):  # the highest bit, clear, lands in the second highest, the stop bit in the highest
        assert received(usart, data, BAUD * 1.06)[0] == data & 0x3F | 0x80


def test_a_rate_between_them_is_noisy(usart):
    usart.write("USART2", CR1, UE | RE)
    flags = [received(usart, 0x55, BAUD * (1 + error / 1000))[1] for error in range(30, 70)]
    assert any(flag & NF for flag in flags)
    assert not flags[0]


def test_wrong_baud_rate_makes_garbage(usart):
    usart.write("USART2", CR1, UE | RE)
    usart.put_frame("PA3", 0x31, 9600.0)
    assert usart.read("USART2", ISR) & FE
    assert usart.read("USART2", RDR) == 0  # the start bit alone lasts longer than a frame


def test_a_stuck_line_is_a_break_and_only_one(usart):
    usart.write("USART2", CR1, UE | RE)
    usart.pins["PA3"].stick(False, usart.now_ps)
    usart.advance(1e-3)
    assert usart.read("USART2", ISR) & (FE | RXNE | ORE) == FE | RXNE
    assert usart.read("USART2", RDR) == 0
    usart.pins["PA3"].stick(None, usart.now_ps)
    usart.advance(1e-3)
    assert received(usart, 0x42) == (0x42, 0)


def test_a_pulse_too_short_for_a_start_bit_is_ignored(usart):
    usart.write("USART2", CR1, UE | RE)
    usart.pins["PA3"].set_external_level(False, usart.now_ps)
    usart.advance(0.4 * BIT_PS * 1e-12)
    usart.pins["PA3"].set_external_level(True, usart.now_ps)
    usart.advance(1e-3)
    assert not usart.read("USART2", ISR) & (RXNE | FE)


EVEN, ODD = Format(9, "even"), Format(9, "odd")


@pytest.mark.parametrize(
    ("control", "sent", "error"),
    [(0, EVEN, 0), (0, ODD, 1), (1 << 9, ODD, 0), (1 << 9, EVEN, 1), (0, Format(9), 1)],
)
def test_parity(usart, control, sent, error):
    usart.write("USART2", CR1, UE | RE | 1 << 10 | 1 << 12 | control)
    data, flags = received(usart, 0x31, frame=sent)
    assert (data & 0xFF, flags) == (0x31, error)


def test_a_frame_with_parity_is_noise_to_a_receiver_without(usart):
    usart.write("USART2", CR1, UE | RE)
    assert received(usart, 0x30, frame=EVEN) == (
        0x30,
        FE,
    )  # the parity bit, low, is where the stop bit should be


@pytest.mark.parametrize(("control", "frame"), [(1 << 10 | 1 << 12, EVEN), (3 << 9 | 1 << 12, ODD)])
def test_parity_is_sent_as_it_is_received(usart, control, frame):
    usart.write("USART2", CR1, UE | TE | control)
    for data in range(256):
        assert usart.mcu.console_uart.levels(data) == frame.levels(data)


def test_a_break_is_sent_after_the_frame_under_way(usart):
    usart.write("USART2", CR1, UE | TE)
    usart.advance(1e-3)
    usart.write("USART2", TDR, 0x41)
    usart.write("USART2", 0x18, 1 << 1)
    usart.advance(1e-3)
    assert [data for _, data, _ in usart.sent] == [0x41, BREAK]


def test_dma_feeds_the_transmitter(usart):
    usart.enable_clock(0x48, 0)
    usart.mcu.core.memory["sram1"][0x1000:0x1005] = list(b"hello")
    usart.write("DMA1", 0xA8, 2 << 24)  # channel 7, request 2
    usart.write("DMA1", 0x88, 0x4000_4428)
    usart.write("DMA1", 0x8C, 0x2000_1000)
    usart.write("DMA1", 0x84, 5)
    usart.write("DMA1", 0x80, 1 | 1 << 4 | 1 << 7)
    usart.write("USART2", CR3, 1 << 7)
    usart.write("USART2", CR1, UE | TE)
    usart.advance(1e-3)
    assert bytes(byte for _, byte, _ in usart.sent) == b"hello"


def test_dma_sends_from_an_idle_line_each_byte_once(usart):
    usart.enable_clock(0x48, 0)
    text, sram = b"@1 ACK", 0x2000_1000
    usart.mcu.core.memory["sram1"][0x1000 : 0x1000 + len(text)] = list(text)
    usart.write("USART2", CR3, 1 << 7)
    usart.write("USART2", CR1, UE | TE)
    usart.advance(1e-3)  # the idle frame is over
    for offset, value in (
        (0xA8, 2 << 24),
        (0x84, len(text)),
        (0x88, 0x4000_4428),
        (0x8C, sram),
        (0x80, 0x91),
    ):
        usart.write("DMA1", offset, value)
    usart.write("USART2", ICR, TC)
    usart.advance(1e-3)
    assert bytes(byte for _, byte, *_ in usart.sent) == text
