# SPDX-License-Identifier: Apache-2.0
"""The other UARTs, DMA requests, and reception in Stop."""

import pytest

CR1, CR2, CR3, BRR, ISR, ICR, RDR, TDR = 0x00, 0x04, 0x08, 0x0C, 0x1C, 0x20, 0x24, 0x28
UE, UESM, RE, TE, IDLEIE, RXNEIE = 1, 2, 4, 8, 1 << 4, 1 << 5
IDLE, RXNE, WUF = 1 << 4, 1 << 5, 1 << 20
WUS_START, WUS_RXNE, WUFIE, DMAT = 2 << 20, 3 << 20, 1 << 22, 1 << 7
APB1ENR1, APB1ENR2, APB2ENR = 0x58, 0x5C, 0x60


def route(part, port, index, function):
    part.enable_clock(0x4C, "ABC".index(port))
    block = f"GPIO{port}"
    part.set_bits(block, 0x20 + index // 8 * 4, function << index % 8 * 4)
    part.write(block, 0x00, part.read(block, 0x00) & ~(1 << 2 * index))


@pytest.mark.parametrize(
    ("name", "gate", "pin", "function"),
    [
        ("USART1", (APB2ENR, 14), ("A", 9), 7),
        ("USART1", (APB2ENR, 14), ("B", 6), 7),
        ("USART3", (APB1ENR1, 18), ("C", 10), 7),
        ("UART4", (APB1ENR1, 19), ("A", 0), 8),
    ],
)
def test_a_frame_leaves_through_the_routed_pin(part, name, gate, pin, function):
    part.enable_clock(*gate)
    sent = []
    part.mcu.peripherals.uarts[name].transmitted.connect(
        lambda time_ps, byte, baud: sent.append((byte, baud))
    )
    part.write(name, BRR, 35)
    part.write(name, CR1, UE | TE)
    part.write(name, TDR, 0x41)
    part.advance(1e-3)
    assert sent == []
    route(part, *pin, function)
    part.write(name, TDR, 0x42)
    part.advance(1e-3)
    assert sent == [(0x42, 4_000_000 / 35)]


@pytest.mark.parametrize("idle", [False, True], ids=["behind the idle frame", "into an idle transmitter"])
def test_dma_feeds_a_uart(part, idle):
    part.enable_clock(0x48, 0)
    part.enable_clock(APB2ENR, 14)
    route(part, "A", 9, 7)
    sent = []
    part.mcu.peripherals.uarts["USART1"].transmitted.connect(lambda time_ps, byte, baud: sent.append(byte))
    part.mcu.core.memory.write_ram(0x2000_0100, b"hello")
    part.write("DMA1", 0xA8, 2 << 12)  # channel 4, request 2
    part.write("DMA1", 0x48, 5)
    part.write("DMA1", 0x4C, 0x4001_3828)
    part.write("DMA1", 0x50, 0x2000_0100)
    part.write("DMA1", 0x44, 1 | 1 << 4 | 1 << 7)
    part.write("USART1", BRR, 35)
    if idle:  # the first byte moves on at once, and the request for the second comes while it is written
        part.write("USART1", CR1, UE | TE)
        part.advance(1e-3)
    part.write("USART1", CR3, DMAT)
    part.write("USART1", CR1, UE | TE)
    part.advance(1e-3)
    assert bytes(sent) == b"hello"


def test_idle_line_is_flagged_one_frame_after_the_last(part):
    part.enable_clock(APB2ENR, 14)
    route(part, "A", 10, 7)
    part.write("USART1", BRR, 35)
    part.write("USART1", CR1, UE | RE | IDLEIE)
    part.pins["PA10"].set_external_level(True, part.now_ps)
    part.put_frame("PA10", 0x55)
    part.put_frame("PA10", 0x56)
    part.advance(80e-6)
    assert not part.read("USART1", ISR) & IDLE
    part.advance(10e-6)  # ten bits of 8.75 us
    assert part.read("USART1", ISR) & IDLE
    part.write("USART1", ICR, IDLE)
    assert not part.read("USART1", ISR) & IDLE


@pytest.fixture
def lpuart(part):
    """LPUART1 at 9600 baud on the LSE, RX at PC0."""
    part.enable_clock(APB1ENR1, 28)
    part.set_bits("PWR", 0x00, 1 << 8)
    part.write("RCC", 0x90, 1)
    part.advance(2.0)
    part.enable_clock(APB1ENR2, 0)
    part.write("RCC", 0x88, 3 << 10)
    part.pins["PC0"].set_external_level(True, part.now_ps)
    route(part, "C", 0, 8)
    part.write("LPUART1", BRR, 256 * 32_768 // 9600)
    return part


@pytest.mark.parametrize(("wake", "stop_2"), [(WUS_START, True), (WUS_RXNE, True), (WUS_START, False)])
def test_low_power_uart_wakes_from_stop(lpuart, wake, stop_2):
    lpuart.write("LPUART1", CR3, wake | WUFIE)
    lpuart.write("LPUART1", CR1, UE | UESM | RE)
    lpuart.mcu.peripherals.rcc.enter_stop(stop_2=stop_2)
    lpuart.pins["PC0"].set_external_level(False, lpuart.now_ps)
    assert bool(lpuart.read("LPUART1", ISR) & WUF) is (wake == WUS_START)  # at the start bit, or at the end
    lpuart.advance(1e-3)
    lpuart.pins["PC0"].set_external_level(True, lpuart.now_ps)
    lpuart.advance(2e-3)
    assert lpuart.read("LPUART1", ISR) & (WUF | RXNE) == WUF | RXNE
    # Low for 1 ms, nine bits and a half at 9600 baud: a byte of zeros.
    assert lpuart.read("LPUART1", RDR) == 0
    lpuart.write("LPUART1", ICR, WUF)
    assert not lpuart.read("LPUART1", ISR) & WUF


def test_without_uesm_it_is_deaf_in_stop(lpuart):
    lpuart.write("LPUART1", CR1, UE | RE | RXNEIE)
    lpuart.mcu.peripherals.rcc.enter_stop(stop_2=True)
    lpuart.put_frame("PC0", 0x42, 9600.0)
    assert not lpuart.read("LPUART1", ISR) & RXNE


def test_a_usart_hears_in_stop_1_but_not_in_stop_2(part):
    part.enable_clock(APB2ENR, 14)
    part.write("RCC", 0x88, 2)  # HSI16, which the start bit starts
    part.pins["PA10"].set_external_level(True, part.now_ps)
    route(part, "A", 10, 7)
    part.write("USART1", BRR, 139)
    part.write("USART1", CR3, WUS_START | WUFIE)
    part.write("USART1", CR1, UE | UESM | RE)
    part.mcu.peripherals.rcc.enter_stop(stop_2=True)
    part.put_frame("PA10", 0x42)
    assert not part.read("USART1", ISR) & RXNE
    part.mcu.peripherals.rcc.in_stop_2 = False
    part.put_frame("PA10", 0x42)
    assert part.read("USART1", ISR) & (WUF | RXNE) == WUF | RXNE
