# SPDX-License-Identifier: Apache-2.0
"""Data watchpoint and trace unit: the cycle counter, and four comparators that are stored but do not compare.

Source: Armv7-M Architecture Reference Manual (DDI 0403), C1.8; Cortex-M4 TRM (DDI 0439), "DWT".
"""

from __future__ import annotations

from collections.abc import Callable

from hil.twin.core.component_id import identification_word

_CTRL, _CYCCNT, _PCSR = 0x000, 0x004, 0x01C
_CTRL_CONSTANT = 0x4000_0000
"""NUMCOMP = 4."""
_CTRL_WRITABLE = 0x0FFF_FFFF
_CYCCNTENA = 1
_COUNTERS = frozenset((0x008, 0x00C, 0x010, 0x014, 0x018))
_COMPARATORS = frozenset(range(0x020, 0x060, 4))


class DataWatchpointTrace:
    """DWT at 0xE0001000.  CYCCNT counts executed cycles: it stands still in sleep and debug halt."""

    name = "DWT"
    base = 0xE000_1000
    size = 0x1000

    def __init__(self, cycles: Callable[[], int], program_counter: Callable[[], int]) -> None:
        self._cycles = cycles
        self._program_counter = program_counter
        self._traced = False
        self.reset()

    def reset(self) -> None:
        """State after a power-on reset."""
        self._control = 0
        self._stored = dict.fromkeys(_COUNTERS | _COMPARATORS, 0)
        self._count = 0
        self._since = self._cycles()

    def set_trace_enable(self, enabled: bool) -> None:
        """Follow DEMCR.TRCENA, without which nothing counts."""
        self._settle()
        self._traced = enabled

    def read(self, offset: int, width: int) -> int:
        """Return a register."""
        return self._read_word(offset & ~3) >> 8 * (offset & 3)

    def write(self, offset: int, width: int, value: int) -> None:
        """Write a register; only whole words count."""
        if width != 4:
            return
        self._settle()
        if offset == _CTRL:
            self._control = value & _CTRL_WRITABLE
        elif offset == _CYCCNT:
            self._count = value
        elif offset in self._stored:
            self._stored[offset] = value

    def _read_word(self, offset: int) -> int:
        if offset == _CTRL:
            return _CTRL_CONSTANT | self._control
        if offset == _CYCCNT:
            self._settle()
            return self._count
        if offset == _PCSR:
            return self._program_counter()
        if offset >= 0xFD0:
            return identification_word("dwt", offset)
        return self._stored.get(offset, 0)

    def _settle(self) -> None:
        cycles = self._cycles()
        if self._traced and self._control & _CYCCNTENA:
            self._count = (self._count + cycles - self._since) & 0xFFFF_FFFF
        self._since = cycles
