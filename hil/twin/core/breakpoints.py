# SPDX-License-Identifier: Apache-2.0
"""Flash patch and breakpoint unit, revision 1: six code comparators for breakpoints in the code region.

Source: Armv7-M Architecture Reference Manual (DDI 0403), C1.11; Cortex-M4 TRM (DDI 0439), "FPB" (6
instruction and 2 literal comparators).  Remapping, which the literal comparators are for, is not modelled.
"""

from __future__ import annotations

from collections.abc import Callable

from hil.twin.core.component_id import identification_word

_CTRL, _REMAP, _FIRST_COMPARATOR = 0x000, 0x004, 0x008
_CODE_COMPARATORS, _LITERAL_COMPARATORS = 6, 2
_KEY, _ENABLE = 2, 1
_ADDRESS_MASK = 0x1FFF_FFFC
_LOWER, _UPPER = 1, 2


class BreakpointUnit:
    """FPB at 0xE0002000; calls `on_change` when the addresses at which to halt change."""

    name = "FPB"
    base = 0xE000_2000
    size = 0x1000

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._enabled = False
        self._comparators = [0] * (_CODE_COMPARATORS + _LITERAL_COMPARATORS)

    def reset(self) -> None:
        """State after a power-on reset: disabled."""
        self._enabled = False
        self._comparators = [0] * (_CODE_COMPARATORS + _LITERAL_COMPARATORS)
        self._on_change()

    def read(self, offset: int, width: int) -> int:
        """Return a register."""
        return self._read_word(offset & ~3) >> 8 * (offset & 3)

    def write(self, offset: int, width: int, value: int) -> None:
        """Write FP_CTRL (with its key) or a comparator; only whole words count."""
        if width != 4:
            return
        index = offset - _FIRST_COMPARATOR >> 2
        if offset == _CTRL:
            if value & _KEY:
                self._enabled = bool(value & _ENABLE)
        elif offset >= _FIRST_COMPARATOR and index < len(self._comparators):
            self._comparators[index] = value & 0xDFFF_FFFD
        self._on_change()

    def _read_word(self, offset: int) -> int:
        index = offset - _FIRST_COMPARATOR >> 2
        if offset == _CTRL:
            return _LITERAL_COMPARATORS << 8 | _CODE_COMPARATORS << 4 | (_ENABLE if self._enabled else 0)
        if offset >= _FIRST_COMPARATOR and index < len(self._comparators):
            return self._comparators[index]
        if offset >= 0xFD0:
            return identification_word("fpb", offset)
        return 0

    def addresses(self) -> set[int]:
        """Return where to halt."""
        addresses: set[int] = set()
        if self._enabled:
            for value in self._comparators[:_CODE_COMPARATORS]:
                if value & _ENABLE:
                    word, match = value & _ADDRESS_MASK, value >> 30
                    addresses |= {word} if match & _LOWER else set()
                    addresses |= {word + 2} if match & _UPPER else set()
        return addresses
