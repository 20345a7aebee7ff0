# SPDX-License-Identifier: Apache-2.0
"""The flash accelerator (ART) between core and flash, followed line by line by the native hooks.

Source: RM0351, "Embedded flash memory", "Read access latency" and "Adaptive real-time memory accelerator": a
read gives 64 bits and takes LATENCY cycles more than one; the prefetch reads the line after the present one
meanwhile; the instruction cache holds 32 rows of 4 x 64 bits, the data cache 8; the least recently used row
goes first.  Assumptions, where the manual is silent: a read that has begun (a prefetch that nobody needs any
more) is finished before the next begins; the instructions of a block are spread evenly over its lines.  DMA
out of flash does not delay the core.

A bank that is erased or programmed answers no read until that is over (RM0351, 3.3.5: the bus stalls); what
the caches hold is still there.  At zero wait states the caches are not followed, so that they hold what they
held before (assumption).
"""

from __future__ import annotations

import numba
import numpy as np

from hil.twin.core import state_layout as words
from hil.twin.core.memory_map import WINDOW_SHIFT
from hil.twin.core.native import read_register
from hil.twin.core.state_layout import (
    CACHE_HEAD,
    CACHE_HEADS,
    LOAD_WORDS,
    LOADS,
    ROWS,
    USES,
    WINDOW_WORDS,
    WINDOWS,
    State,
)

INSTRUCTIONS, DATA = 0, 1
"""The two caches."""
_INSTRUCTION_CAPACITY, _DATA_CAPACITY = 32, 8


def set_up(state: State, wait_states: int, instruction_cache: bool, data_cache: bool, prefetch: bool) -> None:
    """Set what flash accesses cost.

    A cache that is off is empty when it is switched on (assumption; software is told to reset it then).
    """
    state[words.WAIT_STATES] = wait_states
    state[words.PREFETCH] = prefetch
    state[words.INSTRUCTION_CACHE] = instruction_cache
    state[words.DATA_CACHE] = data_cache
    state[words.FETCHED_LINE] = state[words.NEXT_LINE] = -1
    for cache, enabled in ((INSTRUCTIONS, instruction_cache), (DATA, data_cache)):
        if not enabled:
            head = CACHE_HEADS + cache * CACHE_HEAD
            held = state[head + 1 : head + 1 + state[head]]
            state[ROWS + 2 * held + cache] = 0
            state[head : head + CACHE_HEAD] = 0
    state[words.CACHE_EPOCH] += 1


@numba.njit(inline="always")
def flash_offset(address, state):  # type: ignore[no-untyped-def]  # typed by numba
    """Where in the flash an address lies, at either of its places in the memory map, or -1."""
    window = WINDOWS + (address >> WINDOW_SHIFT) * WINDOW_WORDS
    offset = address - state[window + words.WINDOW_BASE]
    if (
        state[window + words.WINDOW_KIND] == words.KIND_FLASH
        and 0 <= offset < state[window + words.WINDOW_SIZE]
    ):
        return offset
    return np.int64(-1)


@numba.njit(inline="always")
def _row(cache, line):  # type: ignore[no-untyped-def]  # typed by numba
    """The place of what a cache holds of a line's row."""
    return ROWS + cache + (line >> 2 << 1)


@numba.njit(inline="always")
def _holds(state, cache, line):  # type: ignore[no-untyped-def]  # typed by numba
    return state[_row(cache, line)] >> (line & 3) & 1 != 0


@numba.njit(inline="always")
def _note(state, cache, word, use):  # type: ignore[no-untyped-def]  # typed by numba
    """Note the use of a row, given its word."""
    slot = word >> 4 & 63
    state[CACHE_HEADS + cache * CACHE_HEAD + USES + slot] = use << 6 | slot


@numba.njit(inline="always")
def _use(state, cache, line, use):  # type: ignore[no-untyped-def]  # typed by numba
    """Note the use of a line that the cache holds."""
    _note(state, cache, state[_row(cache, line)], use)


@numba.njit(inline="always")
def _keep(state, cache, capacity, line, use):  # type: ignore[no-untyped-def]  # typed by numba
    """Put a line into the cache, and note its use."""
    at = _row(cache, line)
    word = state[at]
    if word == 0:
        head = CACHE_HEADS + cache * CACHE_HEAD
        slot = state[head]
        if slot < capacity:
            state[head] = slot + 1
        else:
            oldest = state[head + USES]
            for other in range(1, capacity):
                oldest = min(oldest, state[head + USES + other])
            slot = oldest & 63
            state[ROWS + cache + 2 * state[head + 1 + slot]] = 0
            state[words.CACHE_EPOCH] += 1
        state[head + 1 + slot] = line >> 2
        word = 1 << 12 | slot << 4
    _note(state, cache, word, use)
    state[at] = word | 1 << (line & 3)


@numba.njit(inline="always")
def _load_target(uc, state, entry):  # type: ignore[no-untyped-def]  # typed by numba
    """Where in the flash a load of a block reads, or -1; `uc` is at the block's entry."""
    base = np.int64(0)
    if state[entry + words.LOAD_BASE] == 0:
        if state[entry + words.LOAD_INDEX] == 0:
            return state[entry + words.LOAD_OFFSET]
    elif state[entry + words.LOAD_SAME_BASE] != 0:
        base = state[entry - state[entry + words.LOAD_SAME_BASE] + words.LOADED_BASE]
    else:
        base = read_register(uc, np.int32(state[entry + words.LOAD_BASE]), state)
    state[entry + words.LOADED_BASE] = base
    target = base + state[entry + words.LOAD_OFFSET]
    if state[entry + words.LOAD_INDEX] != 0:
        index = read_register(uc, np.int32(state[entry + words.LOAD_INDEX]), state)
        target += index << state[entry + words.LOAD_SHIFT]
    return flash_offset(target & 0xFFFF_FFFF, state)


@numba.njit(inline="always")
def _readable(state, line, free):  # type: ignore[no-untyped-def]  # typed by numba
    """The cycle from which the flash can read a line; from `free` on it reads nothing else."""
    if state[words.FLASH_BUSY_BANKS] >> (line >> state[words.BANK_SHIFT]) & 1:
        return max(free, state[words.FLASH_BUSY_UNTIL])
    return free


@numba.njit(inline="always")
def _wanted(line, last):  # type: ignore[no-untyped-def]  # typed by numba
    """The bits of lines in one row, both included."""
    return (2 << (last & 3)) - (1 << (line & 3))


@numba.njit(inline="always")
def _use_all(state, line, last, use):  # type: ignore[no-untyped-def]  # typed by numba
    """Note the use of lines that the instruction cache holds, up to a row that it does not hold whole; return
    the last use, as -1 - use if it does not hold all.
    """
    while line <= last:
        end = min(line | 3, last)
        word = state[_row(INSTRUCTIONS, line)]
        if _wanted(line, end) & ~word:
            return -1 - use
        use += 1
        _note(state, INSTRUCTIONS, word, use)
        line = end + 1
    return use


@numba.njit(error_model="numpy")
def stalls(uc, address, size, cycles, now, loads, state):  # type: ignore[no-untyped-def]  # typed by numba
    """Return what the flash's wait states add to a block executed from cycle `now`.

    The accelerator's words are worked on in local variables, which the compiler keeps in registers.
    """
    wait_states = state[words.WAIT_STATES]
    prefetches = np.int64(state[words.PREFETCH] != 0)
    keeps_instructions, keeps_data = state[words.INSTRUCTION_CACHE] != 0, state[words.DATA_CACHE] != 0
    fetched_line, next_line = state[words.FETCHED_LINE], state[words.NEXT_LINE]
    next_ready, free, use = state[words.NEXT_READY], state[words.FREE], state[words.TICK]
    offset = flash_offset(address, state)
    line = offset >> 3
    end_line = line
    if offset >= 0:
        end_line = ((offset + size - 1) >> 3) + 1
    if keeps_instructions and line < end_line and (prefetches == 0 or _holds(state, INSTRUCTIONS, end_line)):
        # Most blocks are all there, with the line after them for the prefetch. What is being prefetched is
        # never there, so nobody waits for it. Uses noted before a row that is missing are noted again below,
        # in the same order.
        first = line + np.int64(line == fetched_line)
        used = _use_all(state, first, end_line - 1 + prefetches, use) if first < end_line else use
        use = used if used >= 0 else -1 - used
        if used >= 0:
            if first < end_line and prefetches:
                next_line = np.int64(-1)
            fetched_line = end_line - 1
            line = end_line
    # The k-th line begins cycles * k // lines after the block: one division makes all of them.
    lines = end_line - line
    line_cycles, spare_cycles = cycles, np.int64(0)
    if lines > 1:
        line_cycles = cycles // lines
        spare_cycles = cycles - line_cycles * lines
    into = spare = np.int64(0)
    entry = LOADS + loads + 1
    end = entry
    if loads > 0:
        end += state[LOADS + loads] * LOAD_WORDS
    total = np.int64(0)
    while line < end_line or entry < end:
        stall = np.int64(0)
        if line < end_line and (entry >= end or into <= state[entry + words.LOAD_CYCLES]):
            if keeps_instructions and line != fetched_line:
                # Lines of a row that are all there cost nothing, so that loads between them may wait; the
                # prefetch asks for the line after each.
                last = min(line | 3, end_line - 1 + prefetches)
                count = last - line + 1 - prefetches
                if count > 0 and _wanted(line, last) & ~state[_row(INSTRUCTIONS, line)] == 0:
                    use += 1
                    _use(state, INSTRUCTIONS, line, use)
                    line += count
                    fetched_line = line - 1
                    if prefetches:
                        next_line = np.int64(-1)
                    into += count * line_cycles
                    spare += count * spare_cycles
                    while spare >= lines:
                        spare -= lines
                        into += 1
                    continue
            if line != fetched_line:
                moment = now + total + into
                use += 1
                if prefetches and line == next_line:
                    stall = max(stall, next_ready - moment)
                    if keeps_instructions:
                        _keep(state, INSTRUCTIONS, _INSTRUCTION_CAPACITY, line, use)
                elif keeps_instructions and _holds(state, INSTRUCTIONS, line):
                    _use(state, INSTRUCTIONS, line, use)
                else:
                    stall = max(stall, _readable(state, line, free) - moment) + wait_states
                    free = moment + stall
                    if keeps_instructions:
                        _keep(state, INSTRUCTIONS, _INSTRUCTION_CAPACITY, line, use)
                fetched_line = line
                if prefetches:
                    if keeps_instructions and _holds(state, INSTRUCTIONS, line + 1):
                        use += 1
                        _use(state, INSTRUCTIONS, line + 1, use)
                        next_line = np.int64(-1)
                    elif line + 1 != next_line:
                        next_line = line + 1
                        next_ready = max(moment + stall, _readable(state, line + 1, free)) + wait_states + 1
                        free = next_ready
            line += 1
            into += line_cycles
            spare += spare_cycles
            if spare >= lines:
                spare -= lines
                into += 1
        else:
            target = _load_target(uc, state, entry)
            if target >= 0:
                use += 1
                if keeps_data and _holds(state, DATA, target >> 3):
                    _use(state, DATA, target >> 3, use)
                else:
                    moment = now + total + state[entry + words.LOAD_CYCLES]
                    stall = max(stall, _readable(state, target >> 3, free) - moment) + wait_states
                    free = moment + stall
                    if keeps_data:
                        _keep(state, DATA, _DATA_CAPACITY, target >> 3, use)
            entry += LOAD_WORDS
        total += stall
    state[words.FETCHED_LINE], state[words.NEXT_LINE] = fetched_line, next_line
    state[words.NEXT_READY], state[words.FREE], state[words.TICK] = next_ready, free, use
    return total


@numba.njit(error_model="numpy")
def charge_load(address, state):  # type: ignore[no-untyped-def]  # typed by numba
    """Add the stall of a load in the block under way, wherever in the block it is.

    Without instruction cache a prefetch is nearly always under way, and half through on average (assumption).
    """
    offset = flash_offset(address, state)
    if offset < 0:
        return
    state[words.TICK] += 1
    if state[words.DATA_CACHE] != 0 and _holds(state, DATA, offset >> 3):
        _use(state, DATA, offset >> 3, state[words.TICK])
        return
    stall = state[words.WAIT_STATES]
    if state[words.PREFETCH] != 0 and state[words.INSTRUCTION_CACHE] == 0:
        stall += (stall + 2) // 2
    state[words.CYCLES] += stall
    state[words.BLOCK_CYCLES] += stall
    state[words.FREE] = max(state[words.FREE], state[words.CYCLES])
    if state[words.DATA_CACHE] != 0:
        _keep(state, DATA, _DATA_CAPACITY, offset >> 3, state[words.TICK])


@numba.njit(error_model="numpy")
def all_cached(address, size, loads, state):  # type: ignore[no-untyped-def]  # typed by numba
    """Tell whether a block, the line after it and its literals are in the caches, and it loads nothing else
    from flash.
    """
    if loads > 0:
        entry = LOADS + loads + 1
        for _ in range(state[LOADS + loads]):
            if state[entry + words.LOAD_BASE] != 0 or state[entry + words.LOAD_INDEX] != 0:
                return False
            if not _holds(state, DATA, state[entry + words.LOAD_OFFSET] >> 3):
                return False
            entry += LOAD_WORDS
    offset = flash_offset(address, state)
    if offset >= 0:
        line, last = offset >> 3, ((offset + size - 1) >> 3) + 1
        if not _holds(state, INSTRUCTIONS, last):
            return False
        while line <= last:  # row by row
            end = min(line | 3, last)
            if _wanted(line, end) & ~state[_row(INSTRUCTIONS, line)]:
                return False
            line = end + 1
    return True
