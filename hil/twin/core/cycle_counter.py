# SPDX-License-Identifier: Apache-2.0
"""The state array shared with the native block hook: timings of blocks, and what has been counted so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from hil.twin.core import block_timing_word
from hil.twin.core import state_layout as words
from hil.twin.core.instruction_timing import BlockTiming, analyse, instruction_size
from hil.twin.core.load_addresses import Load
from hil.twin.core.memory import Memory
from hil.twin.core.state_layout import new_state, table_place
from hil.twin.core.trap_hooks import CORE_REGISTERS

_PAGE_SHIFT = 12
_REGION_SHIFT = 27
"""From this bit on the addresses of the memories differ: flash, SRAM2, system memory, SRAM1, devices."""


def _address(load: Load, read_register: Callable[[int], int]) -> int:
    """Return where a load reads by what the registers hold now, at its block's entry."""
    base = 0 if load.base is None else read_register(CORE_REGISTERS[load.base])
    index = 0 if load.index is None else read_register(CORE_REGISTERS[load.index])
    return base + load.offset + (index << load.shift) & 0xFFFF_FFFF


class CodeDeviation(Protocol):
    """Knows what a part draws for the code that it executes."""

    def __call__(self, instructions: int, words: int, cycles: int, in_sram: bool, /) -> float:
        """Return how much more a block draws than the datasheet's code, relative to it.

        It executes so many `instructions` and loads or stores so many `words` in `cycles`, its branch taken.
        """


class CycleCounter:
    """Fills in the timings the hook misses, and knows how far inside a block the program is."""

    def __init__(self, memory: Memory, deviation: CodeDeviation) -> None:
        self._memory = memory
        self._deviation = deviation
        self.state = new_state(memory.map)
        """The array itself; `state_layout` names its words."""
        self._code_pages: set[int] = set()
        self._loads_used = 1  # 0 is for "none"
        self._present: tuple[int, int, BlockTiming] | None = None
        """The block in flash that was asked for last."""

    def fill_missing(self, read_register: Callable[[int], int]) -> BlockTiming:
        """Supply the timing whose absence made the hook stop the emulator, and return it.

        Loads that read from flash now are followed by the hook whenever the block is executed; others never
        are, also where the same code reads from flash later (assumption: code that does both is rare).  Nor
        is it looked up again which memory loads read from and whether their addresses are aligned.
        """
        address = int(self.state[words.MISSED_ADDRESS])
        size = int(self.state[words.MISSED_SIZE])
        index = table_place(self.state, address)
        view = self._memory.view(address, size)
        if index is None or view is None:
            raise RuntimeError(f"core: no timing for the block at 0x{address:08x}, {size} bytes")
        self._code_pages.update((address >> _PAGE_SHIFT, address + size - 1 >> _PAGE_SHIFT))
        timing = analyse(view.tobytes(), address)
        self.state[index] = block_timing_word.pack_timing(
            timing.cycles + self._address_penalties(timing, read_register),
            size,
            timing.refill_cycles,
            timing.wide_unaligned,
            self._deviation(
                len(timing.starts),
                timing.words_accessed,
                timing.cycles + timing.refill_cycles,
                self._memory.ram_view(address, 1) is not None,
            ),
            self._place_loads(timing.loads, read_register),
            timing.flags,
        )
        return timing

    def has_code(self, address: int, size: int) -> bool:
        """Tell whether code near a range was ever executed; flash counts at both of its addresses."""
        pages = range(address >> _PAGE_SHIFT, (address + size - 1 >> _PAGE_SHIFT) + 1)
        if not self._code_pages.isdisjoint(pages):
            return True
        other = self._memory.map.elsewhere(address)
        if other is None:
            return False
        apart = (other >> _PAGE_SHIFT) - (address >> _PAGE_SHIFT)
        return not self._code_pages.isdisjoint(page + apart for page in pages)

    def forget(self, address: int, size: int) -> None:
        """Drop the timings of changed code."""
        self._present = None
        first = table_place(self.state, address)
        last = table_place(self.state, address + size - 1)
        if first is not None and last is not None:
            self.state[first : last + 2] = 0

    def forget_all(self) -> None:
        """Drop all timings: what was learned from filling them in must be learned again."""
        self._present = None
        self.state[self.state[words.TABLES] : self.state[words.TABLES_END]] = 0
        self._loads_used = 1

    def _address_penalties(self, timing: BlockTiming, read_register: Callable[[int], int]) -> int:
        """Return the cycles that a block's loads take more by where they read now.

        Loads of different memories do not overlap (`instruction_timing`, "Pipeline").  A halfword at an odd
        address and a word at a halfword's take a cycle more, a word at an odd address two (DDI 0439, 3.3.2).
        """
        apart = sum(
            _address(one, read_register) >> _REGION_SHIFT != _address(other, read_register) >> _REGION_SHIFT
            for one, other in timing.overlaps
        )
        crossings = 0
        for load, width in timing.widths:
            address = _address(load, read_register)
            crossings += width // 2 if address & 1 else int(width == 4 and bool(address & 2))
        return apart + crossings

    def flash_lookups(self, timing: BlockTiming, read_register: Callable[[int], int]) -> list[int]:
        """Return the addresses of a block's loads that read from flash by an index which it computes."""
        return [
            place
            for place, load in timing.lookups
            if self._memory.map.flash_offset(_address(load, read_register)) is not None
        ]

    def _place_loads(self, loads: Sequence[tuple[int, Load]], read_register: Callable[[int], int]) -> int:
        """Describe the loads that read from flash to the hook; return where after LOADS, 0 if there is none.

        `loads` are pairs of cycles from the block's entry and load, in their order.
        """
        described: list[int] = []
        seen: dict[int, int] = {}
        for cycles, load in loads:
            address = _address(load, read_register)
            in_flash = self._memory.map.flash_offset(address)
            if in_flash is None:
                continue
            register = 0 if load.base is None else CORE_REGISTERS[load.base]
            index_register = 0 if load.index is None else CORE_REGISTERS[load.index]
            offset = load.offset
            if not register and not index_register:
                offset = in_flash
            same = len(described) - seen.setdefault(register, len(described)) if register else 0
            described += [register, offset, index_register, load.shift, cycles, same, 0]
        if not described:
            return 0
        place, end = self._loads_used, self._loads_used + 1 + len(described)
        if end > words.LOADS_SIZE:
            self.forget_all()
            return self._place_loads(loads, read_register)
        self.state[words.LOADS + place] = len(described) // words.LOAD_WORDS
        self.state[words.LOADS + place + 1 : words.LOADS + end] = described
        self._loads_used = end
        return place

    def present_block(self) -> BlockTiming | None:
        """Return the timing of the block entered last, None where there is none."""
        start, end = int(self.state[words.BLOCK_START]), int(self.state[words.BLOCK_END])
        if self._present is not None and self._present[0] == start and self._present[1] == end:
            return self._present[2]
        view = self._memory.view(start, end - start) if end > start else None
        if view is None:
            return None
        timing = analyse(view.tobytes(), start)
        if self._memory.takes_no_store(start):  # what programs write into SRAM nobody tells
            self._present = start, end, timing
        return timing

    def stop_at(self, pc: int) -> None:
        """Take back what the instructions from `pc` to the end of the present block were charged."""
        state = self.state
        timing = self.present_block()
        if timing is None or not state[words.COUNTING]:
            return
        if state[words.BLOCK_START] <= pc < state[words.BLOCK_END]:
            state[words.CYCLES] = state[words.BLOCK_CYCLES] + self._cycles_to(timing, pc)
            state[words.BLOCK_END] = pc
            state[words.REFILL] = 0

    def cycles_inside_block(self, pc: int) -> int:
        """Return the cycles up to the instruction of the present block at `pc`."""
        entry = int(self.state[words.BLOCK_CYCLES])
        timing = self.present_block()
        return entry if timing is None else entry + self._cycles_to(timing, pc)

    def _cycles_to(self, timing: BlockTiming, address: int) -> int:
        """Return the cycles from the present block's entry to one of its instructions, its share of stalls
        included.
        """
        cycles = timing.cycles_to(address)
        return cycles + int(self.state[words.BLOCK_STALLS]) * cycles // timing.cycles

    def begin_step(self, pc: int) -> None:
        """Suspend the hook for one instruction at `pc`."""
        state = self.state
        state[words.COUNTING] = 0
        state[words.STEP_BLOCKS] = 1
        state[words.BLOCK_START] = state[words.BLOCK_END] = pc
        state[words.BLOCK_CYCLES] = state[words.CYCLES]
        state[words.BLOCK_STALLS] = 0

    def end_step(self, pc: int, after: int, executed: bool) -> None:
        """Charge the instruction at `pc` if it was executed; the program is at `after` now."""
        state = self.state
        state[words.COUNTING] = 1
        view = self._memory.view(pc, 4)
        if view is not None and executed:
            size = instruction_size(view[1])
            timing = analyse(view[:size].tobytes(), pc)
            taken = after != pc + size
            state[words.CYCLES] += timing.cycles + (timing.refill_cycles if taken else 0)
            if timing.flags & block_timing_word.FLAG_SENDS_EVENT:
                state[words.EVENT_REGISTER] = 1
        state[words.BLOCK_END] = after
        state[words.REFILL] = 0
