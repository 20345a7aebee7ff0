# SPDX-License-Identifier: Apache-2.0
"""Data watchpoint and trace unit: the cycle counter, and four comparators for addresses.

Source: Armv7-M Architecture Reference Manual (DDI 0403), C1.8 (DWT_FUNCTION: table C1-14); Cortex-M4 TRM
(DDI 0439), "DWT".  Comparators watch data addresses and compare the program counter; comparing data values or
cycles, and trace packets, are not modelled.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from hil.twin.core.component_id import identification_word
from hil.twin.core.watchpoints import WATCH_READS, WATCH_WRITES, Watchpoint

_CTRL, _CYCCNT, _PCSR = 0x000, 0x004, 0x01C
_COMPARATOR_COUNT = 4
_CTRL_CONSTANT = _COMPARATOR_COUNT << 28
_CTRL_WRITABLE = 0x0FFF_FFFF
_CYCCNTENA = 1
_COUNTERS = frozenset((0x008, 0x00C, 0x010, 0x014, 0x018))
_FIRST_COMPARATOR, _COMPARATOR_SPAN = 0x020, 0x10
_COMP, _MASK, _FUNCTION = 0, 4, 8
_COMPARATORS = frozenset(
    _FIRST_COMPARATOR + _COMPARATOR_SPAN * index + register
    for index in range(_COMPARATOR_COUNT)
    for register in (_COMP, _MASK, _FUNCTION)
)
_MATCHED = 1 << 24
_FUNCTION_MASK, _DATAVMATCH_OR_CYCMATCH = 0xF, 0x180
_MATCHES_PC = 4
_WATCHED_KINDS = {5: WATCH_READS, 6: WATCH_WRITES, 7: WATCH_READS | WATCH_WRITES}
_LARGEST_MASK = 15
"""Assumption: a comparator ignores at most 15 address bits (the manual: implementation defined)."""


class DataWatchpointTrace:
    """DWT at 0xE0001000.  CYCCNT counts executed cycles: it stands still in sleep and debug halt."""

    name = "DWT"
    base = 0xE000_1000
    size = 0x1000

    def __init__(
        self,
        cycles: Callable[[], int],
        program_counter: Callable[[], int],
        on_comparators: Callable[[], None],
    ) -> None:
        self._cycles = cycles
        self._program_counter = program_counter
        self._on_comparators = on_comparators
        self._matches = tuple(partial(self._note_match, index) for index in range(_COMPARATOR_COUNT))
        self._traced = False
        self._clear()

    def reset(self) -> None:
        """State after a power-on reset."""
        self._clear()
        self._on_comparators()

    def _clear(self) -> None:
        self._control = 0
        self._stored = dict.fromkeys(_COUNTERS | _COMPARATORS, 0)
        self._count = 0
        self._since = self._cycles()

    def set_trace_enable(self, enabled: bool) -> None:
        """Follow DEMCR.TRCENA, without which nothing counts or compares."""
        self._settle()
        self._traced = enabled
        self._on_comparators()

    def watchpoints(self) -> list[Watchpoint]:
        """Return the data addresses that comparators watch."""
        found = []
        for index in range(_COMPARATOR_COUNT) if self._traced else ():
            first, last, function = self._comparator(index)
            if function in _WATCHED_KINDS:
                found.append(Watchpoint(first, last, _WATCHED_KINDS[function], self._matches[index]))
        return found

    def watched_instructions(self) -> set[int]:
        """Return the addresses of instructions that comparators halt at.

        Hardware may execute an instruction or two before it halts; here the halt is before the instruction.
        """
        found: set[int] = set()
        for index in range(_COMPARATOR_COUNT) if self._traced else ():
            first, last, function = self._comparator(index)
            if function == _MATCHES_PC:
                found.update(range(first & ~1, last + 1, 2))
        return found

    def note_instruction(self, pc: int) -> bool:
        """Set MATCHED of the comparators that the instruction at `pc` matches; tell whether any does."""
        matched = False
        for index in range(_COMPARATOR_COUNT):
            first, last, function = self._comparator(index)
            if self._traced and function == _MATCHES_PC and first & ~1 <= pc <= last:
                self._matches[index]()
                matched = True
        return matched

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
        elif offset in _COMPARATORS:
            self._write_comparator(offset, value)
        elif offset in self._stored:
            self._stored[offset] = value

    def _write_comparator(self, offset: int, value: int) -> None:
        register = offset - _FIRST_COMPARATOR & _COMPARATOR_SPAN - 1
        if register == _MASK:
            value = min(value & 0x1F, _LARGEST_MASK)
        self._stored[offset] = value & ~_MATCHED if register == _FUNCTION else value
        self._on_comparators()

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
        value = self._stored.get(offset, 0)
        if offset in _COMPARATORS and offset & _COMPARATOR_SPAN - 1 == _FUNCTION:
            self._stored[offset] &= ~_MATCHED  # reading clears it
        return value

    def _comparator(self, index: int) -> tuple[int, int, int]:
        """Return first and last address of a comparator, and its function (0: none)."""
        at = _FIRST_COMPARATOR + _COMPARATOR_SPAN * index
        ignored = (1 << self._stored[at + _MASK]) - 1
        function = self._stored[at + _FUNCTION]
        if function & _DATAVMATCH_OR_CYCMATCH:
            function = 0
        first = self._stored[at + _COMP] & ~ignored
        return first, first + ignored, function & _FUNCTION_MASK

    def _note_match(self, index: int) -> None:
        self._stored[_FIRST_COMPARATOR + _COMPARATOR_SPAN * index + _FUNCTION] |= _MATCHED

    def _settle(self) -> None:
        cycles = self._cycles()
        if self._traced and self._control & _CYCCNTENA:
            self._count = (self._count + cycles - self._since) & 0xFFFF_FFFF
        self._since = cycles
