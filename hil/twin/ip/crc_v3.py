# SPDX-License-Identifier: Apache-2.0
"""CRC calculation unit (RM0351, CRC section)."""

from collections.abc import Mapping
from typing import ClassVar, Final

from hil.parts import Block
from hil.twin.ip.register_block import WORD, RegisterBlock, field

DR: Final = 0x00
IDR: Final = 0x04
CR: Final = 0x08
INIT: Final = 0x10
POL: Final = 0x14

_SIZES: Final = (32, 16, 8, 7)
_REVERSAL_UNITS: Final = (0, 8, 16, 32)


def _reverse(value: int, bits: int) -> int:
    return int(f"{value:0{bits}b}"[::-1], 2)


class Crc(RegisterBlock):
    """The CRC unit: what is written to CRC_DR, in any width, is shifted in most significant bit first."""

    resets: ClassVar[Mapping[int, int]] = {DR: WORD, IDR: 0, CR: 0, INIT: WORD, POL: 0x04C1_1DB7}
    writable: ClassVar[Mapping[int, int]] = {IDR: 0xFF, CR: 0xF8}
    stored_only: ClassVar[Mapping[int, int]] = {IDR: 0xFF}
    """For the program's own use."""

    def __init__(self, block: Block) -> None:
        super().__init__(block)

    def read_word(self, offset: int) -> int:
        """CRC_DR is the result, reversed if REV_OUT says so."""
        word = super().read_word(offset)
        if offset == DR and field(self.words[CR], 7):
            return _reverse(word, self._size)
        return word

    def write(self, offset: int, width: int, value: int) -> None:
        """CRC_DR takes data of the width of the access."""
        if offset == DR and self.is_clocked():
            self._shift_in(value, 8 * width)
        else:
            super().write(offset, width, value)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register; RESET loads the initial value."""
        self.store(offset, value)
        if (offset == CR and value & 1) or offset == INIT:
            self.words[DR] = self.words[INIT] & ((1 << self._size) - 1)

    @property
    def _size(self) -> int:
        return _SIZES[field(self.words[CR], 3, 2)]

    def _shift_in(self, data: int, bits: int) -> None:
        unit = min(_REVERSAL_UNITS[field(self.words[CR], 5, 2)], bits)
        if unit:
            mask = (1 << unit) - 1
            data = sum(_reverse(data >> at & mask, unit) << at for at in range(0, bits, unit))
        size, polynomial = self._size, self.words[POL]
        top, mask = 1 << (size - 1), (1 << size) - 1
        remainder = self.words[DR]
        for bit in range(bits - 1, -1, -1):
            feedback = bool(remainder & top) != bool(data >> bit & 1)
            remainder = (remainder << 1 & mask) ^ (polynomial & mask if feedback else 0)
        self.words[DR] = remainder
