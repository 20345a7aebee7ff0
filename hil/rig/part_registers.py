# SPDX-License-Identifier: Apache-2.0
"""The registers that decide what a part draws asleep, read from a halted core.

Their addresses are the part's (:mod:`hil.parts.registers`); the bits of its clocks are those of RM0351, RCC.
"""

from __future__ import annotations

import struct
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from hil.instruments.protocols import Board
from hil.parts import Part

_CORE_WORDS = {
    "SYST_CSR": 0xE000_E010,
    "NVIC_ISER0": 0xE000_E100,
    "NVIC_ISER1": 0xE000_E104,
    "NVIC_ISER2": 0xE000_E108,
    "NVIC_ISPR0": 0xE000_E200,
    "NVIC_ISPR1": 0xE000_E204,
    "NVIC_ISPR2": 0xE000_E208,
    "SCB_SCR": 0xE000_ED10,
}
"""Of the core (ARMv7-M Architecture Reference Manual, B3.2 and B3.4)."""
_NOT_LOOKED_AT = "DBGMCU_CR"
"""The debugger's own session sets it."""


def word(board: Board, address: int) -> int:
    """One register."""
    return int(struct.unpack("<I", board.read_memory(address, 4))[0])


def write(board: Board, address: int, value: int) -> None:
    """Write one register."""
    board.write_memory(address, struct.pack("<I", value))


@contextmanager
def all_clocked(
    board: Board, enables: Mapping[int, int], also: Mapping[int, int] | None = None
) -> Generator[None]:
    """Have the peripherals that are read here clocked inside the ``with``, and as before after it.

    Args:
        board: with its core halted.
        enables: bits by the address of their enable register.
        also: further ones.
    """
    bits = dict(enables)
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

    def apply(self, board: Board, part: Part) -> None:
        """Write it to a halted part."""
        with all_clocked(board, part.sleep_registers.enables):
            write(board, self.address, word(board, self.address) & ~self.clear | self.set)


def looked_at(part: Part) -> Mapping[str, int]:
    """Addresses of the registers of core and part that are read, by their names, without the pins'."""
    words = part.sleep_registers.words
    return {name: address for name, address in words.items() if name != _NOT_LOOKED_AT} | _CORE_WORDS


@dataclass(frozen=True)
class PartRegisters:
    """What a halted part's registers say."""

    words: Mapping[str, int]
    """By the names of the reference manual."""
    uart: str
    """The console's UART."""
    part: Part
    """Whose registers they are."""

    @classmethod
    def read(cls, board: Board, part: Part, uart: str) -> PartRegisters:
        """Read them. Clocks of peripherals are switched on for that, and off again as they were."""
        known, addresses = part.sleep_registers, looked_at(part)
        # Before any clock is switched on.
        clocks = {
            name: word(board, address) for name, address in addresses.items() if name.startswith("RCC_")
        }
        one = known.uarts.get(uart)
        with all_clocked(board, known.enables, {one.enable: 1 << one.enable_bit} if one else None):
            words = {name: word(board, address) for name, address in addresses.items()} | clocks
            words |= {name: word(board, address) for name, address in known.pin_words.items()}
            if one:
                words["UART_CR1"], words["UART_BRR"] = word(board, one.base), word(board, one.base + 0x0C)
        return cls(words, uart, part)

    def address(self, name: str) -> int:
        """Where a register of core or part is."""
        return looked_at(self.part)[name]

    def __getitem__(self, name: str) -> int:
        return self.words[name]

    def field(self, name: str, shift: int, width: int = 1) -> int:
        """Some bits of a register."""
        return self.words[name] >> shift & ((1 << width) - 1)

    @property
    def sysclk_hz(self) -> float | None:
        """SYSCLK; None where an external clock makes it, whose frequency no register tells."""
        known = self.part.sleep_registers
        in_csr = not self.field("RCC_CR", 3)
        selected = self.field("RCC_CSR", 8, 4) if in_csr else self.field("RCC_CR", 4, 4)
        msi_hz = known.msi_hz[min(selected, len(known.msi_hz) - 1)]
        source = self.field("RCC_CFGR", 2, 2)
        if source < 3:
            return (msi_hz, known.hsi16_hz, None)[source]
        into_hz = {1: msi_hz, 2: known.hsi16_hz}.get(self.field("RCC_PLLCFGR", 0, 2))
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
        known = self.part.sleep_registers
        source = self.field("RCC_CCIPR", known.uarts[self.uart].source_shift, 2)
        if source == 0 and sysclk_hz is not None:
            hclk = self.field("RCC_CFGR", 4, 4)
            pclk = self.field("RCC_CFGR", 11 if self.uart == "USART1" else 8, 3)
            clock_hz: float | None = sysclk_hz / _AHB_DIVIDERS[hclk] / _APB_DIVIDERS[pclk]
        else:
            clock_hz = (None, sysclk_hz, known.hsi16_hz, known.lse_hz)[source]
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
