# SPDX-License-Identifier: Apache-2.0
"""USART2 of a part at 4 MHz / 35, with its pins routed."""

from __future__ import annotations

from tests.twin.powered_part import Part

CR1, CR2, CR3, BRR, RTOR, RQR, ISR, ICR, RDR, TDR = 0, 4, 8, 0xC, 0x14, 0x18, 0x1C, 0x20, 0x24, 0x28
UE, UESM, RE, TE = 1, 2, 4, 8
PE, FE, NF, ORE, IDLE, RXNE, TC, TXE = (1 << bit for bit in range(8))
KERNEL_HZ, DIVIDER = 4_000_000, 35
BAUD = KERNEL_HZ / DIVIDER
BIT_S = 1 / BAUD
FLOW_FUNCTIONS = 7 << 0 | 7 << 4  # PA0 is CTS, PA1 is RTS or DE


class UsartPart(Part):
    """``sent`` collects (time, data) of what leaves through TX, ``swapped`` through RX."""

    def __init__(self) -> None:
        super().__init__()
        self.enable_clock(0x4C, 0)
        self.enable_clock(0x58, 17)
        self.write("GPIOA", 0x20, FLOW_FUNCTIONS | 7 << 8 | 7 << 12)
        self.write("GPIOA", 0x00, 0xABFF_FFAA)
        self.drive("PA0", False)
        self.drive("PA3", True)
        self.usart(BRR, DIVIDER)
        self.sent: list[tuple[int, int]] = []
        self.swapped: list[tuple[int, int]] = []
        self.mcu.console_uart.transmitted.connect(
            lambda time_ps, data, baud: self.sent.append((time_ps, data))
        )
        self.mcu.console_uart.transmitted_swapped.connect(
            lambda time_ps, data, baud: self.swapped.append((time_ps, data))
        )

    def usart(self, offset: int, value: int) -> None:
        """Write a register."""
        self.write("USART2", offset, value)

    @property
    def flags(self) -> int:
        """USART_ISR."""
        return self.read("USART2", ISR)

    @property
    def data(self) -> int:
        """USART_RDR."""
        return self.read("USART2", RDR)

    def drive(self, pin: str, level: bool | None) -> None:
        """From outside."""
        self.pins[pin].set_external_level(level, self.now_ps)

    def bits(self, count: float) -> None:
        """Let bit times pass."""
        self.advance(count * BIT_S)

    def low_for(self, count: float, pin: str = "PA3") -> None:
        """A low level for some bit times, then a high one for a tenth."""
        self.drive(pin, False)
        self.bits(count)
        self.drive(pin, True)
        self.bits(0.1)

    @property
    def interrupted(self) -> bool:
        """Whether USART2 requests its interrupt."""
        return bool(self.mcu.core._nvic.level >> 16 + 38 & 1)
