# SPDX-License-Identifier: Apache-2.0
"""What all peripherals have in common: 32-bit registers behind a bus clock."""

from collections.abc import Callable, Mapping
from typing import ClassVar

WORD = 0xFFFF_FFFF


def always() -> bool:
    """The clock condition of a block whose registers need no enable bit."""
    return True


def field(word: int, position: int, width: int = 1) -> int:
    """The bit field of ``width`` bits at ``position`` of a register's value."""
    return (word >> position) & ((1 << width) - 1)


class RegisterBlock:
    """A peripheral's registers on the bus.

    A subclass lists its registers with their reset values in ``resets`` and overrides :meth:`read_word` and
    :meth:`write_word` for those that do more than store. Without its clock a block reads as zero and ignores
    writes (RM0351, RCC section, peripheral clock enable registers).
    """

    resets: ClassVar[Mapping[int, int]] = {}
    """Reset value of every register by its offset; other offsets are reserved and read as zero."""
    writable: ClassVar[Mapping[int, int]] = {}
    """Writable bits of a register by its offset; all 32 where not listed."""
    write_one: ClassVar[frozenset[int]] = frozenset()
    """Registers on which only written ones act, so that a narrow write must not repeat the other bits."""

    def __init__(self, name: str, base: int, size: int = 0x400) -> None:
        self.name = name
        self.base = base
        self.size = size
        self.is_clocked: Callable[[], bool] = always
        self.words: dict[int, int] = dict(self.resets)

    def reset(self) -> None:
        """Every register as after a system reset."""
        self.words = dict(self.resets)

    def read(self, offset: int, width: int) -> int:
        """The value a load of ``width`` bytes sees at ``offset``."""
        if not self.is_clocked():
            return 0
        word = self.read_word(offset & ~3)
        if width == 4:
            return word
        return (word >> 8 * (offset & 3)) & ((1 << 8 * width) - 1)

    def write(self, offset: int, width: int, value: int) -> None:
        """A store of ``width`` bytes at ``offset``; a narrow one keeps the other bytes of the register."""
        if not self.is_clocked():
            return
        word_offset = offset & ~3
        if width < 4:
            shift = 8 * (offset & 3)
            lanes = ((1 << 8 * width) - 1) << shift
            kept = 0 if word_offset in self.write_one else self.words.get(word_offset, 0) & ~lanes
            value = kept | (value << shift & lanes)
        self.write_word(word_offset, value & WORD)

    def read_word(self, offset: int) -> int:
        """The register at ``offset``."""
        return self.words.get(offset, 0)

    def write_word(self, offset: int, value: int) -> None:
        """Write the register at ``offset``: store its writable bits."""
        self.store(offset, value)

    def store(self, offset: int, value: int) -> None:
        """Keep the writable bits of ``value``; a reserved offset keeps nothing."""
        if offset in self.words:
            mask = self.writable.get(offset, WORD)
            self.words[offset] = (self.words[offset] & ~mask) | (value & mask)
