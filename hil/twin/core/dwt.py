# SPDX-License-Identifier: Apache-2.0
"""Data watchpoint and trace unit: the cycle counter, and four comparators for addresses.

Source: Armv7-M Architecture Reference Manual (DDI 0403), C1.8 (DWT_FUNCTION: table C1-14); Cortex-M4 TRM
(DDI 0439), "DWT".  Comparators watch data addresses and compare the program counter; comparator 0 also
compares the cycle count, and comparator 1 data values.  Trace packets and the profiling counters are not
modelled.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from hil.twin.core.component_id import identification_word
from hil.twin.core.counter_line import CounterLine
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
_FUNCTION_MASK, _CYCMATCH, _DATAVMATCH = 0xF, 1 << 7, 1 << 8
_LNK1ENA = 1 << 9
"""Reads as one in DWT_FUNCTION1: a value may be tied to two address comparators."""
_CYCLES, _VALUE = 0, 1
"""The comparators that can compare cycles, and data values."""
_FUNCTION_WRITABLE = {_CYCLES: 0xAF, _VALUE: 0xF_FD2F}
_FUNCTION_WRITABLE_OTHERS = 0x2F
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
        self._match_at: int | None = None
        self._stored = dict.fromkeys(_COUNTERS | _COMPARATORS, 0)
        self._count = 0
        self._since = self._cycles()

    def set_trace_enable(self, enabled: bool) -> None:
        """Follow DEMCR.TRCENA, without which nothing counts or compares."""
        self._settle()
        self._traced = enabled
        self._plan_cycle_match()
        self._on_comparators()

    def watchpoints(self) -> list[Watchpoint]:
        """Return the data addresses that comparators watch, and the values."""
        found = []
        for index in range(_COMPARATOR_COUNT) if self._traced else ():
            function = self._function(index)
            kinds = _WATCHED_KINDS.get(function & _FUNCTION_MASK)
            if kinds is None or function & _CYCMATCH:
                continue
            if function & _DATAVMATCH:
                found += self._value_watchpoints(function, kinds)
            else:
                first, last = self._range(index)
                found.append(Watchpoint(first, last, kinds, self._matches[index]))
        return found

    def _value_watchpoints(self, function: int, kinds: int) -> list[Watchpoint]:
        """The watchpoints of comparator 1 as one of values; the comparators it is tied to give addresses."""
        tied = {function >> 12 & 0xF, function >> 16 & 0xF} - {_VALUE}
        ranges = [self._range(index) for index in tied if index < _COMPARATOR_COUNT]
        value = self._stored[_FIRST_COMPARATOR + _COMPARATOR_SPAN * _VALUE + _COMP]
        width = min(1 << (function >> 10 & 3), 4)
        return [
            Watchpoint(first, last, kinds, self._matches[_VALUE], value, width)
            for first, last in ranges or [(0, 0xFFFF_FFFF)]
        ]

    def counting(self) -> CounterLine:
        """How CYCCNT, which was just read, goes on."""
        if not (self._traced and self._control & _CYCCNTENA):
            return CounterLine(self._count, 0)
        return CounterLine(self._count - self._since, 1, in_cycles=True)

    def cycle_match(self) -> int | None:
        """The core's cycle count at which comparator 0 meets CYCCNT, None if it does not compare them."""
        return self._match_at

    def note_cycle_match(self) -> None:
        """The count has met the comparator: it does so again when it has gone all the way round."""
        self._note_match(_CYCLES)
        if self._match_at is not None:
            self._match_at += 1 << 32

    def _plan_cycle_match(self) -> None:
        function = self._function(_CYCLES)
        compares = function & _CYCMATCH and function & _FUNCTION_MASK == _MATCHES_PC
        if compares and self._traced and self._control & _CYCCNTENA:
            wanted = self._stored[_FIRST_COMPARATOR + _COMP]
            self._match_at = self._since + ((wanted - self._count) % (1 << 32) or 1 << 32)
        else:
            self._match_at = None

    def watched_instructions(self) -> set[int]:
        """Return the addresses of instructions that comparators halt at.

        Hardware may execute an instruction or two before it halts; here the halt is before the instruction.
        """
        found: set[int] = set()
        for index in range(_COMPARATOR_COUNT) if self._traced else ():
            if self._matches_instructions(index):
                first, last = self._range(index)
                found.update(range(first & ~1, last + 1, 2))
        return found

    def note_instruction(self, pc: int) -> bool:
        """Set MATCHED of the comparators that the instruction at `pc` matches; tell whether any does."""
        matched = False
        for index in range(_COMPARATOR_COUNT):
            first, last = self._range(index)
            if self._traced and self._matches_instructions(index) and first & ~1 <= pc <= last:
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
        self._plan_cycle_match()

    def _write_comparator(self, offset: int, value: int) -> None:
        register = offset - _FIRST_COMPARATOR & _COMPARATOR_SPAN - 1
        if register == _MASK:
            value = min(value & 0x1F, _LARGEST_MASK)
        elif register == _FUNCTION:
            index = (offset - _FIRST_COMPARATOR) // _COMPARATOR_SPAN
            value &= _FUNCTION_WRITABLE.get(index, _FUNCTION_WRITABLE_OTHERS)
        self._stored[offset] = value
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
        if offset == _FIRST_COMPARATOR + _COMPARATOR_SPAN * _VALUE + _FUNCTION:
            value |= _LNK1ENA
        if offset in _COMPARATORS and offset & _COMPARATOR_SPAN - 1 == _FUNCTION:
            self._stored[offset] &= ~_MATCHED  # reading clears it
        return value

    def _range(self, index: int) -> tuple[int, int]:
        """Return first and last address of a comparator."""
        at = _FIRST_COMPARATOR + _COMPARATOR_SPAN * index
        ignored = (1 << self._stored[at + _MASK]) - 1
        first = self._stored[at + _COMP] & ~ignored
        return first, first + ignored

    def _function(self, index: int) -> int:
        return self._stored[_FIRST_COMPARATOR + _COMPARATOR_SPAN * index + _FUNCTION]

    def _matches_instructions(self, index: int) -> bool:
        function = self._function(index)
        return function & (_FUNCTION_MASK | _CYCMATCH | _DATAVMATCH) == _MATCHES_PC

    def _note_match(self, index: int) -> None:
        self._stored[_FIRST_COMPARATOR + _COMPARATOR_SPAN * index + _FUNCTION] |= _MATCHED

    def _settle(self) -> None:
        cycles = self._cycles()
        if self._traced and self._control & _CYCCNTENA:
            self._count = (self._count + cycles - self._since) & 0xFFFF_FFFF
        self._since = cycles
