# SPDX-License-Identifier: Apache-2.0
"""The one int64 array that Python and the native hooks share: every word, who writes it, and why.

The hooks are compiled with the places of these words as constants.  What depends on a part's memory map
stands in the words themselves: the windows say where a memory's timings begin.  docs/native_side.md lists the
words; a test compares it with `LAYOUT`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from hil.twin.core.memory_map import PAGE, WINDOW_SHIFT, MemoryMap

State = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Word:
    """A word, or `size` words in a row."""

    name: str
    at: int
    size: int
    writers: str
    why: str


class StateLayout:
    """Gives every word its place, and owns it."""

    def __init__(self) -> None:
        self._words: list[Word] = []

    def __iter__(self) -> Iterator[Word]:
        """Give the words in the order of their places."""
        return iter(sorted(self._words, key=lambda word: word.at))

    @property
    def end(self) -> int:
        """The first place that is free."""
        return max((word.at + word.size for word in self._words), default=0)

    def add(self, name: str, writers: str, why: str, size: int = 1, at: int | None = None) -> int:
        """Return the place of a word: the next one that is free, unless `at` names another."""
        self._words.append(Word(name, self.end if at is None else at, size, writers, why))
        return self._words[-1].at

    def check(self) -> None:
        """Raise ValueError unless every word has a name and a place of its own, and the first is scratch."""
        names = [word.name for word in self]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"state layout: {', '.join(sorted(twice))} named twice")
        for word, after in pairwise(self):
            if word.at + word.size > after.at:
                raise ValueError(f"state layout: {word.name} and {after.name} overlap at word {after.at}")
        first = next(iter(self), None)
        if first is None or (first.name, first.at, first.size) != ("SCRATCH", 0, 1):
            raise ValueError("state layout: word 0 must be SCRATCH alone, because Unicorn writes there")

    def table(self) -> str:
        """Return the words as a table in Markdown."""
        rows = [f"| {w.at} | `{w.name}` | {w.size} | {w.writers} | {w.why} |" for w in self]
        return "\n".join(
            ("| Place | Word | Words | Written by | What it is |", "|--:|---|--:|---|---|", *rows)
        )


LAYOUT = StateLayout()
_add = LAYOUT.add

SCRATCH = _add("SCRATCH", "Unicorn", "A register or word that a hook asked for.  Nothing is kept here.")

# --- what the block hook counts ---

CYCLES = _add(
    "CYCLES", "block hook, stepping, skips", "Core cycles executed, the block that was entered last included."
)
DEADLINE = _add("DEADLINE", "core", "A block that would end after this cycle is not entered.")
BLOCK_START = _add("BLOCK_START", "block hook, stepping", "First address of the block entered last.")
BLOCK_END = _add("BLOCK_END", "block hook, stepping", "The address after its last instruction.")
BLOCK_CYCLES = _add(
    "BLOCK_CYCLES",
    "block hook, stepping, skips",
    "`CYCLES` at its entry, with the refill before it.",
)
BLOCK_STALLS = _add(
    "BLOCK_STALLS", "block hook, stepping", "Its stalls, which are taken to be spread evenly over it."
)
REFILL = _add(
    "REFILL", "block hook, redirects", "Cycles to add if the next block is not the one that follows it."
)
LAST_FLAGS = _add("LAST_FLAGS", "block hook, redirects", "Its `FLAG_` values.")
DEVIATION = _add(
    "DEVIATION",
    "block hook, skips",
    "What the code drew beyond the datasheet's code, summed over the cycles, in 1/256 of a cycle's.",
)
EFFECTS = _add("EFFECTS", "block hook", "Blocks entered that change special registers.")
STORES = _add("STORES", "block hook", "Blocks entered that store.")
EVENT_REGISTER = _add(
    "EVENT_REGISTER", "block hook, core", "The event register that SEV sets and WFE consumes."
)

# --- what Python asks of the block hook ---

COUNTING = _add("COUNTING", "stepping", "0: the hook counts nothing, because a single step is under way.")
STEP_BLOCKS = _add(
    "STEP_BLOCKS",
    "block hook, stepping",
    "Blocks that a step may still enter.  Unicorn counts no instructions of blocks translated before.",
)
STOP_REQUEST = _add("STOP_REQUEST", "core, accesses", "Not 0: stop before the next block.")
WATCH_MASKS = _add(
    "WATCH_MASKS",
    "exceptions",
    "The flag of blocks to stop after, those that write PRIMASK and its like; or 0.",
)
TRAP_FLOATING_POINT = _add(
    "TRAP_FLOATING_POINT",
    "core",
    "The flag of blocks to stop before, those with floating-point instructions; or 0.",
)
PATH_LENGTH = _add(
    "PATH_LENGTH",
    "block hook, loops",
    "Blocks recorded in `PATH` so far; -1 while nobody asks.",
)
REASON = _add("REASON", "block hook, emulator", "Why the hook stopped the emulator: a `REASON_` value.")
MISSED_ADDRESS = _add("MISSED_ADDRESS", "block hook", "The block whose timing is missing.")
MISSED_SIZE = _add("MISSED_SIZE", "block hook", "Its bytes.")
STALLED_ADDRESS = _add(
    "STALLED_ADDRESS", "block hook", "The block not entered for want of time, whose stalls are known; or -1."
)
STALLS = _add("STALLS", "block hook, core", "Those stalls.")

# --- loops ---

LOOP_HEAD = _add("LOOP_HEAD", "block hook, loops", "The block that branches go back to; -1 for none.")
LOOP_LEFT = _add(
    "LOOP_LEFT", "block hook, loops, polling", "How often it may be entered until somebody looks at the loop."
)
LOOP_STRAYS = _add(
    "LOOP_STRAYS", "block hook", "Branches that may still go back to other blocks, as calls do."
)
ROUND_CYCLES = _add("ROUND_CYCLES", "loops, polling", "Cycles of the round that was looked at last.")
ROUND_DEVIATION = _add(
    "ROUND_DEVIATION", "loops, polling", "Its deviation: rounds skipped draw in proportion."
)

# --- accesses to devices ---

LEAVING = _add(
    "LEAVING", "engine", "Not 0: Unicorn is on its way out of an IT block and no access counts any more."
)
LOADED_ADDRESS = _add("LOADED_ADDRESS", "device hook", "The load from a device that is under way.")
LOADED = _add("LOADED", "device hook", "The two words that it reads.", size=2)
LOADS_LEFT = _add("LOADS_LEFT", "device hook, polling", "How many more loads may be answered natively.")
LOAD_ADDRESS = _add("LOAD_ADDRESS", "polling", "The only load answered so.")
LOAD_WIDTH = _add("LOAD_WIDTH", "polling", "Its bytes.")
LOAD_VALUE = _add("LOAD_VALUE", "polling", "What it reads.")
LOAD_UNTIL = _add(
    "LOAD_UNTIL", "polling", "The cycle at which the value changes: a block that ends later sees another."
)
STORE_ADDRESS = _add("STORE_ADDRESS", "polling", "A store that does nothing.")
STORE_WIDTH = _add("STORE_WIDTH", "polling", "Its bytes; 0 while there is none.")
STORE_VALUE = _add("STORE_VALUE", "polling", "What it stores.")
STORES_IGNORED = _add("STORES_IGNORED", "device hook, polling", "Stores that did nothing.")

# --- the flash accelerator ---

WAIT_STATES = _add("WAIT_STATES", "core", "Cycles that a read of the flash takes more than one.")
PREFETCH = _add("PREFETCH", "core", "Not 0: the line after the present one is read ahead.")
INSTRUCTION_CACHE = _add("INSTRUCTION_CACHE", "core", "Not 0: enabled.")
DATA_CACHE = _add("DATA_CACHE", "core", "Not 0: enabled.")
FLASH_BUSY_UNTIL = _add("FLASH_BUSY_UNTIL", "core", "The cycle at which erasing or programming ends.")
FLASH_BUSY_BANKS = _add("FLASH_BUSY_BANKS", "core", "A bit for each bank that it keeps from being read.")
FETCHED_LINE = _add(
    "FETCHED_LINE",
    "accelerator",
    "The 64-bit line that the core fetches from; the flash's first is 0.",
)
NEXT_LINE = _add("NEXT_LINE", "accelerator", "The line read ahead; -1 for none.")
NEXT_READY = _add("NEXT_READY", "accelerator, skips", "The cycle from which it is there.")
FREE = _add("FREE", "accelerator, skips", "The cycle from which the flash can begin another read.")
TICK = _add("TICK", "accelerator", "Counts uses of the caches, to tell the least recent one.")
CACHE_EPOCH = _add(
    "CACHE_EPOCH",
    "accelerator",
    "Counts evictions, from 1 on.  A block that hit entirely in this epoch is not looked up again.",
)
BANK_SHIFT = _add("BANK_SHIFT", "start", "From a line's number to its bank.")
CACHE_HEAD = 128
"""Words of a cache: how many rows it holds, their numbers by slot, and from `USES` on when each slot was used
last (use << 6 | slot).
"""
USES = 64
CACHE_HEADS = _add("CACHE_HEADS", "accelerator", "What the two caches hold.", size=2 * CACHE_HEAD)

# --- memories ---

WINDOW_BASE, WINDOW_SIZE, WINDOW_TABLE, WINDOW_KIND, WINDOW_PAGES, WINDOW_HOST = range(6)
"""A region's first address, its bytes, the place of its timings, its `KIND_`, the place of its pages, and
where its bytes are in the host's memory.
"""
WINDOW_WORDS = 8
KIND_FLASH, KIND_ROM, KIND_RAM = 1, 2, 3
_KINDS = {"flash": KIND_FLASH, "rom": KIND_ROM, "ram": KIND_RAM}
WINDOWS = _add(
    "WINDOWS",
    "start",
    "For each 64 MiB of addresses the region there: first address, bytes, where its timings begin, kind, "
    "where its pages begin, where the host has its bytes.",
    size=WINDOW_WORDS << 32 - WINDOW_SHIFT,
)
PATH_SIZE = 65
PATH = _add(
    "PATH", "block hook", "Addresses of the blocks recorded; the end of a longer path is lost.", PATH_SIZE
)
LOADS_SIZE = 1 << 16
LOAD_BASE, LOAD_OFFSET, LOAD_INDEX, LOAD_SHIFT, LOAD_CYCLES, LOAD_SAME_BASE, LOADED_BASE = range(7)
LOAD_WORDS = 7
"""The base's number for Unicorn (0: none), offset (in flash, if there is no register), the index's number
(0: none), its shift, cycles from the block's entry, words back to the earlier load with the same base (0:
none), the base's value found.
"""
LOADS = _add(
    "LOADS",
    "cycle counter, accelerator",
    "For a block, how many loads from flash it makes, then seven words for each, in their order.",
    size=LOADS_SIZE,
)
FETCH_REFUSED = _add(
    "FETCH_REFUSED", "page hook, engine", "The page that was not to be executed; -1 for none."
)
TABLES = _add("TABLES", "start", "Where the timings of all regions begin.")
TABLES_END = _add(
    "TABLES_END", "start", "Where they end; behind them a word per page: not 0 if it holds code."
)
ROWS = _add(
    "ROWS",
    "accelerator",
    "From here on two words for each 32 bytes of flash: what the caches hold of that row.",
    size=0,
)
ROW_BYTES = 32
"""A row's two words, one for each cache: 1 << 12 | slot << 4 | valid lines, 0 while it is not cached."""
NO_PLACE = -1


def new_state(memory_map: MemoryMap) -> State:
    """Return the array for a part with these memories, all timings empty.

    Behind the words of `LAYOUT` come the rows of its flash and one more, which a prefetch at its end would
    want, then for every halfword of memory the timing of the block that starts there, and the epoch in which
    its code was last found in the caches, then a word for every page: not 0 once code was executed there.
    Raises ValueError if the layout contradicts itself.
    """
    LAYOUT.check()
    flash = memory_map.flash
    rows = 0 if flash is None else flash.size // ROW_BYTES + 1
    tables = ROWS + 2 * rows
    pages = tables + sum(region.size for region in memory_map.regions)
    state: State = np.zeros(pages + sum(region.size // PAGE for region in memory_map.regions), dtype=np.int64)
    state[TABLES], state[TABLES_END] = tables, pages
    for region in memory_map.regions:
        for base in region.places:
            window = WINDOWS + (base >> WINDOW_SHIFT) * WINDOW_WORDS
            state[window : window + WINDOW_HOST] = base, region.size, tables, _KINDS[region.kind], pages
        tables += region.size
        pages += region.size // PAGE
    if flash is not None:
        state[BANK_SHIFT] = (flash.size // flash.banks // 8).bit_length() - 1
    state[COUNTING] = 1
    state[STALLED_ADDRESS] = state[LOOP_HEAD] = state[PATH_LENGTH] = state[FETCH_REFUSED] = -1
    state[CACHE_EPOCH] = 1
    return state


def table_place(state: State, address: int) -> int | None:
    """Return the place of the timing of the block that starts at `address`; None outside the memories."""
    window = WINDOWS + (address >> WINDOW_SHIFT) * WINDOW_WORDS
    base, size, table = state[window : window + WINDOW_KIND].tolist()
    return int(table + (address - base & ~1)) if base <= address < base + size else None


def tell_host_address(state: State, base: int, pointer: int) -> None:
    """Note where the host has the bytes of the region whose first address is `base`."""
    state[WINDOWS + (base >> WINDOW_SHIFT) * WINDOW_WORDS + WINDOW_HOST] = pointer


def page_place(state: State, address: int) -> int | None:
    """Return the place of the word of a page of RAM; None outside RAM."""
    window = WINDOWS + (address >> WINDOW_SHIFT) * WINDOW_WORDS
    base, size, _, kind, pages = state[window : window + WINDOW_HOST].tolist()
    inside = kind == KIND_RAM and base <= address < base + size
    return int(pages + (address - base) // PAGE) if inside else None


if __name__ == "__main__":
    print(LAYOUT.table())
