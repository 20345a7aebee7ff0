# SPDX-License-Identifier: Apache-2.0
"""The state array shared with the native block hook: timings of blocks, and what has been counted so far."""

from __future__ import annotations

from hil.twin.core import block_hook
from hil.twin.core.instruction_timing import BlockTiming, analyse, instruction_size
from hil.twin.core.memory import Memory

_PAGE_SHIFT = 12
_FLASH_LINE_SHIFT = 3  # a flash read gives 64 bits: RM0351, "Read access latency"


class CycleCounter:
    """Fills in the timings the hook misses, and knows how far inside a block the program is."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.state = block_hook.new_state()
        """The array itself; its words are named in `block_hook`."""
        self._code_pages: set[int] = set()

    def fill_missing(self) -> BlockTiming:
        """Supply the timing whose absence made the hook stop the emulator, and return it."""
        address = int(self.state[block_hook.MISSED_ADDRESS])
        size = int(self.state[block_hook.MISSED_SIZE])
        index = block_hook.table_index(address)
        view = self._memory.view(address, size)
        if index is None or view is None:
            raise RuntimeError(f"core: no timing for the block at 0x{address:08x}, {size} bytes")
        self._code_pages.update((address >> _PAGE_SHIFT, address + size - 1 >> _PAGE_SHIFT))
        timing = analyse(view.tobytes(), address)
        lines = literals = 0
        if self._memory.is_flash(address):
            lines = ((address + size - 1) >> _FLASH_LINE_SHIFT) - (address >> _FLASH_LINE_SHIFT) + 1
            literals = timing.literals
        self.state[index] = block_hook.pack_timing(
            timing.cycles, size, timing.refill_cycles, lines, literals, timing.flags
        )
        return timing

    def has_code(self, address: int, size: int) -> bool:
        """Tell whether code near a range was ever executed; flash counts at both of its addresses."""
        pages = range(address >> _PAGE_SHIFT, (address + size - 1 >> _PAGE_SHIFT) + 1)
        if not self._code_pages.isdisjoint(pages):
            return True
        return self._memory.is_flash(address) and not self._code_pages.isdisjoint(
            page ^ block_hook.FLASH_BASE >> _PAGE_SHIFT for page in pages
        )

    def forget(self, address: int, size: int) -> None:
        """Drop the timings of changed code."""
        first = block_hook.table_index(address)
        last = block_hook.table_index(address + size - 1)
        if first is not None and last is not None:
            self.state[first : last + 1] = 0

    def forget_all(self) -> None:
        """Drop all timings: what was learned from filling them in must be learned again."""
        self.state[block_hook.TABLE :] = 0

    def present_block(self) -> BlockTiming | None:
        """Return the timing of the block entered last, None where there is none."""
        start, end = int(self.state[block_hook.BLOCK_START]), int(self.state[block_hook.BLOCK_END])
        view = self._memory.view(start, end - start) if end > start else None
        return None if view is None else analyse(view.tobytes(), start)

    def stop_at(self, pc: int) -> None:
        """Take back what the instructions from `pc` to the end of the present block were charged."""
        state = self.state
        timing = self.present_block()
        if timing is None or not state[block_hook.COUNTING]:
            return
        if state[block_hook.BLOCK_START] <= pc < state[block_hook.BLOCK_END]:
            state[block_hook.CYCLES] = state[block_hook.BLOCK_CYCLES] + timing.cycles_to(pc)
            state[block_hook.BLOCK_END] = pc
            state[block_hook.REFILL] = 0

    def cycles_inside_block(self, store_pc: int | None) -> int:
        """Return the cycles up to the store at `store_pc`, or if None up to the first load of the block."""
        entry = int(self.state[block_hook.BLOCK_CYCLES])
        timing = self.present_block()
        if timing is None:
            return entry
        if store_pc is not None:
            return entry + timing.cycles_to(store_pc)
        return entry + timing.cycles_to(timing.load_addresses[0]) if timing.load_addresses else entry

    def begin_step(self, pc: int) -> None:
        """Suspend the hook for one instruction at `pc`."""
        state = self.state
        state[block_hook.COUNTING] = 0
        state[block_hook.BLOCK_START] = state[block_hook.BLOCK_END] = pc
        state[block_hook.BLOCK_CYCLES] = state[block_hook.CYCLES]

    def end_step(self, pc: int, after: int, executed: bool) -> None:
        """Charge the instruction at `pc` if it was executed; the program is at `after` now."""
        state = self.state
        state[block_hook.COUNTING] = 1
        view = self._memory.view(pc, 4)
        if view is not None and executed:
            size = instruction_size(view[1])
            timing = analyse(view[:size].tobytes(), pc)
            taken = after != pc + size
            state[block_hook.CYCLES] += timing.cycles + (timing.refill_cycles if taken else 0)
            if timing.flags & block_hook.FLAG_SENDS_EVENT:
                state[block_hook.EVENT_REGISTER] = 1
        state[block_hook.BLOCK_END] = after
        state[block_hook.REFILL] = 0
