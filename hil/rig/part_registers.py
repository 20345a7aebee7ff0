# SPDX-License-Identifier: Apache-2.0
"""The registers of an STM32L4 that decide what it draws asleep, read from a halted core.

Addresses and bits: RM0351 (RCC, PWR, GPIO, EXTI, RTC, ADC, VREFBUF, SYSCFG, DBGMCU, USART).
"""

from __future__ import annotations

import struct
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from hil.instruments.protocols import Board

DBGMCU_CR = 0xE004_2004
_RCC = 0x4002_1000
_ENABLE = {_RCC + 0x4C: 0xFF | 1 << 13, _RCC + 0x58: 1 << 28, _RCC + 0x60: 1}
"""GPIO and ADC, PWR, SYSCFG and VREFBUF: without its clock a peripheral reads as 0."""
WORDS = {
    "RCC_CR": _RCC,
    "RCC_CFGR": _RCC + 0x08,
    "RCC_PLLCFGR": _RCC + 0x0C,
    "RCC_AHB2ENR": _RCC + 0x4C,
    "RCC_APB1ENR1": _RCC + 0x58,
    "RCC_APB2ENR": _RCC + 0x60,
    "RCC_CCIPR": _RCC + 0x88,
    "RCC_BDCR": _RCC + 0x90,
    "RCC_CSR": _RCC + 0x94,
    "PWR_CR1": 0x4000_7000,
    "PWR_CR2": 0x4000_7004,
    "PWR_CR3": 0x4000_7008,
    "PWR_SR1": 0x4000_7010,
    "EXTI_IMR1": 0x4001_0400,
    "EXTI_PR1": 0x4001_0414,
    "RTC_ISR": 0x4000_280C,
    "VREFBUF_CSR": 0x4001_0030,
    "SYSCFG_CFGR1": 0x4001_0004,
    "ADC1_CR": 0x5004_0008,
    "ADC_CCR": 0x5004_0308,
    "FLASH_ACR": 0x4002_2000,
    "FLASH_OPTR": 0x4002_2020,
    "SYST_CSR": 0xE000_E010,
    "NVIC_ISER0": 0xE000_E100,
    "NVIC_ISER1": 0xE000_E104,
    "NVIC_ISER2": 0xE000_E108,
    "NVIC_ISPR0": 0xE000_E200,
    "NVIC_ISPR1": 0xE000_E204,
    "NVIC_ISPR2": 0xE000_E208,
    "SCB_SCR": 0xE000_ED10,
}
_CLOCKED_ALWAYS = tuple(name for name in WORDS if name.startswith("RCC_"))
"""Read before any clock is switched on."""
PORTS = "ABCDEFGH"
_GPIO = 0x4800_0000
_PORT_WORDS = {"MODER": 0x00, "PUPDR": 0x0C, "IDR": 0x10, "ODR": 0x14}
UARTS = {
    "USART1": (0x4001_3800, _RCC + 0x60, 14, 0),
    "USART2": (0x4000_4400, _RCC + 0x58, 17, 2),
    "USART3": (0x4000_4800, _RCC + 0x58, 18, 4),
    "UART4": (0x4000_4C00, _RCC + 0x58, 19, 6),
    "UART5": (0x4000_5000, _RCC + 0x58, 20, 8),
    "LPUART1": (0x4000_8000, _RCC + 0x5C, 0, 10),
}
"""Base address, clock enable register and its bit, position of the source in RCC_CCIPR."""
MSI_HZ = (100e3, 200e3, 400e3, 800e3, 1e6, 2e6, 4e6, 8e6, 16e6, 24e6, 32e6, 48e6)
"""By RCC_CR.MSIRANGE."""
HSI16_HZ = 16e6
LSE_HZ = 32_768.0


def word(board: Board, address: int) -> int:
    """One register."""
    return int(struct.unpack("<I", board.read_memory(address, 4))[0])


def write(board: Board, address: int, value: int) -> None:
    """Write one register."""
    board.write_memory(address, struct.pack("<I", value))


@contextmanager
def all_clocked(board: Board, also: Mapping[int, int] | None = None) -> Generator[None]:
    """Have the peripherals that are read here clocked inside the ``with``, and as before after it.

    Args:
        board: with its core halted.
        also: further bits by the address of their enable register.
    """
    bits = dict(_ENABLE)
    for enable, more in (also or {}).items():
        bits[enable] = bits.get(enable, 0) | more
    before = {enable: word(board, enable) for enable in bits}
    for enable, value in before.items():
        write(board, enable, value | bits[enable])
    try:
        yield
    finally:
        for enable, value in before.items():
            write(board, enable, value)


@dataclass(frozen=True)
class Rewrite:
    """What undoes a setting: bits of one register."""

    address: int
    clear: int = 0
    set: int = 0

    def apply(self, board: Board) -> None:
        """Write it to a halted part."""
        with all_clocked(board):
            write(board, self.address, word(board, self.address) & ~self.clear | self.set)


def pin_register(name: str) -> int:
    """Address of a port's register by its name: "GPIOB_MODER"."""
    port, _, which = name.removeprefix("GPIO").partition("_")
    return _GPIO + 0x400 * PORTS.index(port) + _PORT_WORDS[which]


@dataclass(frozen=True)
class PartRegisters:
    """What a halted part's registers say."""

    words: Mapping[str, int]
    """By the names of the reference manual."""
    uart: str
    """The console's UART."""

    @classmethod
    def read(cls, board: Board, uart: str) -> PartRegisters:
        """Read them. Clocks of peripherals are switched on for that, and off again as they were."""
        core = {name: word(board, WORDS[name]) for name in _CLOCKED_ALWAYS}
        base, enable, bit, _ = UARTS.get(uart, (0, 0, 0, 0))
        with all_clocked(board, {enable: 1 << bit} if enable else None):
            words = {name: word(board, address) for name, address in WORDS.items()} | core
            for port in PORTS:
                for name in _PORT_WORDS:
                    register = f"GPIO{port}_{name}"
                    words[register] = word(board, pin_register(register))
            if base:
                words["UART_CR1"], words["UART_BRR"] = word(board, base), word(board, base + 0x0C)
        return cls(words, uart)

    def __getitem__(self, name: str) -> int:
        return self.words[name]

    def field(self, name: str, shift: int, width: int = 1) -> int:
        """Some bits of a register."""
        return self.words[name] >> shift & ((1 << width) - 1)

    @property
    def sysclk_hz(self) -> float | None:
        """SYSCLK; None where an external clock makes it, whose frequency no register tells."""
        msi_hz = MSI_HZ[min(self.field("RCC_CR", 4, 4), len(MSI_HZ) - 1)]
        if not self.field("RCC_CR", 3):
            msi_hz = MSI_HZ[min(self.field("RCC_CSR", 8, 4), len(MSI_HZ) - 1)]
        source = self.field("RCC_CFGR", 2, 2)
        if source < 3:
            return (msi_hz, HSI16_HZ, None)[source]
        into_hz = {1: msi_hz, 2: HSI16_HZ}.get(self.field("RCC_PLLCFGR", 0, 2))
        if into_hz is None:
            return None
        divider = (self.field("RCC_PLLCFGR", 4, 3) + 1) * 2 * (self.field("RCC_PLLCFGR", 25, 2) + 1)
        return into_hz * self.field("RCC_PLLCFGR", 8, 7) / divider

    @property
    def hclk_hz(self) -> float | None:
        """The core's clock; None where `sysclk_hz` is."""
        sysclk_hz = self.sysclk_hz
        return None if sysclk_hz is None else sysclk_hz / _AHB_DIVIDERS[self.field("RCC_CFGR", 4, 4)]

    @property
    def baud(self) -> float | None:
        """The rate that the console's UART is set to; None where it is off or its clock is not known."""
        divisor = self.words.get("UART_BRR", 0)
        if not divisor or not self.words["UART_CR1"] & 1:
            return None
        sysclk_hz = self.sysclk_hz
        source = self.field("RCC_CCIPR", UARTS[self.uart][3], 2)
        if source == 0 and sysclk_hz is not None:
            hclk = self.field("RCC_CFGR", 4, 4)
            pclk = self.field("RCC_CFGR", 11 if self.uart == "USART1" else 8, 3)
            clock_hz: float | None = sysclk_hz / _AHB_DIVIDERS[hclk] / _APB_DIVIDERS[pclk]
        else:
            clock_hz = (None, sysclk_hz, HSI16_HZ, LSE_HZ)[source]
        if clock_hz is None:
            return None
        if self.uart == "LPUART1":
            return 256.0 * clock_hz / divisor
        if self.words["UART_CR1"] >> 15 & 1:  # OVER8
            return 2.0 * clock_hz / ((divisor & 0xFFF0) | (divisor & 0x7) << 1)
        return clock_hz / divisor


_AHB_DIVIDERS = (*(8 * (1,)), 2, 4, 8, 16, 64, 128, 256, 512)
_APB_DIVIDERS = (*(4 * (1,)), 2, 4, 8, 16)
"""By RCC_CFGR.HPRE and PPRE1, PPRE2."""
