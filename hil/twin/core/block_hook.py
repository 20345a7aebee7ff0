# SPDX-License-Identifier: Apache-2.0
"""The native hook Unicorn calls before every block of instructions: it counts cycles and ends slices.

The hook is compiled by numba, once per installation (its cache sits beside this file).  It shares one int64
array with Python: the words named below, those of the flash accelerator, then two words per halfword of
executable memory (the timing of the block starting there; when its code was last found in the caches), then
the loads from flash that blocks make.  An empty or stale word stops the emulator, Python fills it in and the
block is entered again.

The flash accelerator (ART) is followed line by line.  Source: RM0351, "Embedded flash memory", "Read access
latency" and "Adaptive real-time memory accelerator": a read gives 64 bits and takes LATENCY cycles more than
one; the prefetch reads the line after the present one meanwhile; the instruction cache holds 32 rows of 4 x
64 bits, the data cache 8; the least recently used row goes first.  Assumptions, where the manual is silent:
a read that has begun (a prefetch that nobody needs any more) is finished before the next begins; the
instructions of a block are spread evenly over its lines.  DMA out of flash does not delay the core.

A bank that is erased or programmed answers no read until that is over (RM0351, 3.3.5: the bus stalls); what
the caches hold is still there. At zero wait states the caches are not followed, so that they hold what they
held before (assumption).
"""

from __future__ import annotations

import ctypes

import llvmlite.binding
import numba
import numpy as np
import numpy.typing as npt
from numba import types
from unicorn.unicorn_py3.unicorn import uclib

CYCLES = 0
"""Core cycles executed, the block that was entered last included."""
DEADLINE = 1
"""A block that would end after this cycle is not entered."""
STOP_REQUEST = 2
"""Not zero: stop before the next block."""
REASON = 3
"""Why the hook stopped the emulator: one of the REASON_ values."""
BLOCK_START = 4
BLOCK_END = 5
"""First address of the block entered last, and the one after its last instruction."""
BLOCK_CYCLES = 6
"""`CYCLES` at the entry to that block, the refill after a taken branch included."""
REFILL = 7
"""Cycles to add if the next block is not the one that follows: pipeline refill of the last branch."""
LAST_FLAGS = 8
"""Flags of the block entered last."""
WATCH_MASKS = 9
"""Not zero: stop after a block that writes PRIMASK, BASEPRI, FAULTMASK or CONTROL."""
EVENT_REGISTER = 10
"""The event register that SEV sets and WFE consumes."""
TRAP_FLOATING_POINT = 11
"""Not zero: stop before a block with floating-point instructions (no access, or a lazy save)."""
STALLED_ADDRESS = 12
STALLS = 13
"""The block that was not entered for want of time, and its stalls, which are not worked out twice."""
BLOCK_STALLS = 14
"""Stalls of the block entered last; they are taken to be spread evenly over it."""
COUNTING = 15
"""Zero: the hook counts nothing (single step)."""
MISSED_ADDRESS = 16
MISSED_SIZE = 17
"""The block whose timing is missing."""
EFFECTS = 18
"""Blocks entered that may leave something behind besides core registers and what they store."""
STORES = 22
"""Blocks entered that store."""
LOOP_HEAD = 23
"""The block that branches go back to; -1 for none."""
LOOP_LEFT = 24
"""How often it may still be entered until somebody looks whether the loop does anything."""
LOOP_STRAYS = 25
"""How many branches may still go back to other blocks, as calls do, until one of those is the head."""
LEAVING = 19
"""Not zero: the emulator is on its way out of an IT block and no access counts any more; see `access_end`."""
LOADED_ADDRESS, LOADED = 20, 21
"""The device load under way, and the two words that it reads."""
PATH_LENGTH = 29
"""Blocks recorded at `PATH` since somebody asked for it; -1 while nobody does."""
LOOPS_ARE_BUSY = 26
"""Not zero: stores go on natively that nobody counts, so no loop is looked at."""
FLASH_BUSY_UNTIL, FLASH_BUSY_BANKS = 27, 28
"""The cycle at which erasing or programming ends, and a bit for each bank that it keeps from being read."""
DEVIATION = 76
"""How much more or less the program drew than the code of the datasheet's tables: summed over the cycles, in
1 / DEVIATION_SCALE of what that code draws in a cycle.
"""
DEVIATION_SCALE = 256
ROUND_CYCLES, ROUND_DEVIATION = 77, 78
"""Cycles and deviation of the round of a loop that was looked at last: rounds skipped draw in proportion."""
STEP_BLOCKS = 31
"""Blocks that a single step may still enter: Unicorn itself counts no instructions of a block that it has
translated before, and would execute where a branch leads to as well."""
DEVICE_WORDS = 32
"""First of the words that `device_hook` names."""
_ACCELERATOR = 64
"""First word of the flash accelerator."""
WAIT_STATES = _ACCELERATOR
"""FLASH_ACR.LATENCY."""
PREFETCH = _ACCELERATOR + 1
INSTRUCTION_CACHE = _ACCELERATOR + 2
DATA_CACHE = _ACCELERATOR + 3
"""Not zero: enabled."""
FETCHED_LINE = _ACCELERATOR + 4
"""The 64-bit line that the core fetches from; lines are numbered from the flash's first byte."""
NEXT_LINE, _NEXT_READY = _ACCELERATOR + 5, _ACCELERATOR + 6
"""The line prefetched, and the cycle from which it is there."""
_FREE = _ACCELERATOR + 7
"""The cycle from which the flash can begin another read."""
_TICK = _ACCELERATOR + 8
"""Counts uses of the caches, to tell the least recent one."""
CACHE_EPOCH = _ACCELERATOR + 9
"""Number of evictions, from 1 on. A block that hit entirely in the current epoch need not be looked up again,
since nothing that it uses can have left. A row's age is that of its first use in the epoch.
"""
CACHE_HEAD = 128
"""Words of a cache in front of its rows: how many rows it holds, their numbers by slot, and from `_USES` on
when each slot was used last (use << 6 | slot).
"""
_USES = 64
_BANK_SHIFT = 16
"""From a line's number to its bank, 512 KiB."""
_FLASH_ROWS = (1 << 20) // 32 + 1
"""Rows of 32 bytes in the flash, and the one that a prefetch at its end would want; each has a word of
(1 << 12 | slot << 4 | valid lines), 0 while it is not cached.
"""
CACHE_WORDS = CACHE_HEAD + _FLASH_ROWS
INSTRUCTION_ROWS = _ACCELERATOR + 16
DATA_ROWS = INSTRUCTION_ROWS + CACHE_WORDS
TABLE = DATA_ROWS + CACHE_WORDS
"""First word of the table."""
_INSTRUCTION_CAPACITY, _DATA_CAPACITY = 32, 8

REASON_NONE = 0
REASON_DEADLINE = 1
REASON_REQUEST = 2
REASON_MISS = 3
REASON_MASKS = 4
REASON_FLOATING_POINT = 5
REASON_LOOP = 6

FLAG_WRITES_MASKS = 1
FLAG_SENDS_EVENT = 2
FLAG_FLOATING_POINT = 4
FLAG_EFFECT = 8
FLAG_STORES = 16
FLAG_BUSY = 32
"""A loop that begins here was seen to do something."""
FLAG_WAITS = 64
"""A loop that begins here was seen to wait."""
LOOP_PATIENCE = 128
"""Rounds until somebody looks into a loop. Looking costs as much as some thousand short ones."""
LOOP_PATIENCE_KNOWN = 3
"""The same for one that was seen to wait before."""
_STRAYS = 8

FLASH_BASE, FLASH_SIZE = 0x0800_0000, 0x10_0000
SRAM1_BASE, SRAM1_SIZE = 0x2000_0000, 0x1_8000
SRAM2_BASE, SRAM2_SIZE = 0x1000_0000, 0x8000
SYSTEM_BASE, SYSTEM_SIZE = 0x1FFF_0000, 0x1_0000
_FLASH_INDEX = TABLE
_SRAM1_INDEX = _FLASH_INDEX + FLASH_SIZE
_SRAM2_INDEX = _SRAM1_INDEX + SRAM1_SIZE
_SYSTEM_INDEX = _SRAM2_INDEX + SRAM2_SIZE
LOADS = _SYSTEM_INDEX + SYSTEM_SIZE
"""First word of the loads: for a block, how many it makes, then LOAD_WORDS each, in their order."""
LOAD_BASE, LOAD_OFFSET, LOAD_INDEX, LOAD_SHIFT, LOAD_CYCLES, LOAD_SAME_BASE, LOAD_VALUE = range(7)
LOAD_WORDS = 7
"""The base's number for Unicorn (0: none), offset (in flash, if there is no register), the index's number
(0: none), its shift, cycles from the block's entry, words back to the earlier load with the same base (0:
none), the base's value found.
"""
LOADS_SIZE = 1 << 16
PROGRAMMED = LOADS + LOADS_SIZE
"""First word of what `device_hook` has programmed."""
PROGRAMMED_SIZE = 512
PATH = PROGRAMMED + PROGRAMMED_SIZE
"""First of the addresses of the blocks recorded; a longer path is recorded in part."""
_PATH_SIZE = 65
STATE_WORDS = PATH + _PATH_SIZE

# Layout of a table word: cycles, size in bytes, refill, what the first instruction adds to it, deviation of
# the current, loads, flags.
_SIZE_SHIFT, _REFILL_SHIFT, _WIDE_SHIFT, _DEVIATION_SHIFT, _LOADS_SHIFT, FLAGS_SHIFT = 16, 29, 31, 32, 40, 56
_CYCLES_MASK, _SIZE_MASK, _REFILL_MASK, _DEVIATION_MASK, _LOADS_MASK = 0xFFFF, 0x1FFF, 0x3, 0xFF, 0xFFFF
_DEVIATION_BIAS = 128
_MOST_REFILL_CYCLES = 3  # DDI 0439, 3.3.1

for _name in ("uc_emu_stop", "uc_reg_read"):
    llvmlite.binding.add_symbol(_name, ctypes.cast(getattr(uclib, _name), ctypes.c_void_p).value)
# Named, not by address, so that the compiled hook can be kept in numba's cache.
_STATE_POINTER: types.Type = types.CPointer(types.int64)  # type: ignore[no-untyped-call]  # numba's own gap
_uc_emu_stop = types.ExternalFunction("uc_emu_stop", types.int32(types.uintp))
_uc_reg_read = types.ExternalFunction("uc_reg_read", types.int32(types.uintp, types.int32, _STATE_POINTER))


def pack_timing(
    cycles: int, size: int, refill: int, wide: bool, deviation: float, loads: int, flags: int
) -> int:
    """Return the table word of a block: its cycles at zero wait states, its size in bytes, what a taken
    branch at its end adds, whether a branch to it takes a cycle more, how much more it draws than the
    tables' code (-0.5 to 0.496), where its loads are after LOADS (0: none), its flags.
    """
    step = round(deviation * DEVIATION_SCALE) + _DEVIATION_BIAS
    return (
        min(cycles, _CYCLES_MASK)
        | size << _SIZE_SHIFT
        | refill << _REFILL_SHIFT
        | wide << _WIDE_SHIFT
        | min(max(step, 0), _DEVIATION_MASK) << _DEVIATION_SHIFT
        | loads << _LOADS_SHIFT
        | flags << FLAGS_SHIFT
    )


@numba.njit(inline="always")
def _index(address):  # type: ignore[no-untyped-def]  # typed by numba
    if address < FLASH_SIZE:
        return _FLASH_INDEX + (address & ~1)
    if FLASH_BASE <= address < FLASH_BASE + FLASH_SIZE:
        return _FLASH_INDEX + ((address - FLASH_BASE) & ~1)
    if SRAM1_BASE <= address < SRAM1_BASE + SRAM1_SIZE:
        return _SRAM1_INDEX + ((address - SRAM1_BASE) & ~1)
    if SRAM2_BASE <= address < SRAM2_BASE + SRAM2_SIZE:
        return _SRAM2_INDEX + ((address - SRAM2_BASE) & ~1)
    if SYSTEM_BASE <= address < SYSTEM_BASE + SYSTEM_SIZE:
        return _SYSTEM_INDEX + ((address - SYSTEM_BASE) & ~1)
    return -1


@numba.njit(inline="always")
def _holds(state, cache, line):  # type: ignore[no-untyped-def]  # typed by numba
    return state[cache + CACHE_HEAD + (line >> 2)] >> (line & 3) & 1 != 0


@numba.njit(inline="always")
def _use(state, cache, line, use):  # type: ignore[no-untyped-def]  # typed by numba
    """Note the use of a row that the cache holds."""
    slot = state[cache + CACHE_HEAD + (line >> 2)] >> 4 & 63
    state[cache + _USES + slot] = use << 6 | slot


@numba.njit(inline="always")
def _keep(state, cache, capacity, line, use):  # type: ignore[no-untyped-def]  # typed by numba
    """Put a line into the cache, and note its use."""
    row = line >> 2
    at = cache + CACHE_HEAD + row
    word = state[at]
    if word == 0:
        slot = state[cache]
        if slot < capacity:
            state[cache] = slot + 1
        else:
            oldest = state[cache + _USES]
            for other in range(1, capacity):
                oldest = min(oldest, state[cache + _USES + other])
            slot = oldest & 63
            state[cache + CACHE_HEAD + state[cache + 1 + slot]] = 0
            state[CACHE_EPOCH] += 1
        state[cache + 1 + slot] = row
        word = 1 << 12 | slot << 4
    slot = word >> 4 & 63
    state[cache + _USES + slot] = use << 6 | slot
    state[at] = word | 1 << (line & 3)


@numba.njit(inline="always")
def _read_register(uc, register, state):  # type: ignore[no-untyped-def]  # typed by numba
    kept = state[0]  # Unicorn writes to where the array begins
    state[0] = 0
    _uc_reg_read(uc, register, state)
    value = state[0]
    state[0] = kept
    return value


@numba.njit(inline="always")
def _flash_offset(address):  # type: ignore[no-untyped-def]  # typed by numba
    """Where in the flash an address lies, at either of its places in the memory map, or -1."""
    if FLASH_BASE <= address < FLASH_BASE + FLASH_SIZE:
        return address - FLASH_BASE
    if 0 <= address < FLASH_SIZE:
        return address
    return np.int64(-1)


@numba.njit(inline="always")
def _load_target(uc, state, entry):  # type: ignore[no-untyped-def]  # typed by numba
    """Where in the flash a load of a block reads, or -1; `uc` is at the block's entry."""
    base = np.int64(0)
    if state[entry + LOAD_BASE] == 0:
        if state[entry + LOAD_INDEX] == 0:
            return state[entry + LOAD_OFFSET]
    elif state[entry + LOAD_SAME_BASE] != 0:
        base = state[entry - state[entry + LOAD_SAME_BASE] + LOAD_VALUE]
    else:
        base = _read_register(uc, np.int32(state[entry + LOAD_BASE]), state)
    state[entry + LOAD_VALUE] = base
    target = base + state[entry + LOAD_OFFSET]
    if state[entry + LOAD_INDEX] != 0:
        target += _read_register(uc, np.int32(state[entry + LOAD_INDEX]), state) << state[entry + LOAD_SHIFT]
    return _flash_offset(target & 0xFFFF_FFFF)


@numba.njit(inline="always")
def _readable(state, line, free):  # type: ignore[no-untyped-def]  # typed by numba
    """The cycle from which the flash can read a line; from `free` on it reads nothing else."""
    if state[FLASH_BUSY_BANKS] >> (line >> _BANK_SHIFT) & 1:
        return max(free, state[FLASH_BUSY_UNTIL])
    return free


@numba.njit(error_model="numpy")
def _stalls(uc, address, size, cycles, now, loads, state):  # type: ignore[no-untyped-def]  # typed by numba
    """Return what the flash's wait states add to a block executed from cycle `now`.

    The accelerator's words are worked on in local variables, which the compiler keeps in registers.
    """
    wait_states = state[WAIT_STATES]
    prefetches = np.int64(state[PREFETCH] != 0)
    keeps_instructions, keeps_data = state[INSTRUCTION_CACHE] != 0, state[DATA_CACHE] != 0
    fetched_line, next_line, next_ready = state[FETCHED_LINE], state[NEXT_LINE], state[_NEXT_READY]
    free, use = state[_FREE], state[_TICK]
    offset = _flash_offset(address)
    line = offset >> 3
    lines = np.int64(0)
    if offset >= 0:
        lines = ((offset + size - 1) >> 3) - line + 1
    end_line = line + lines
    # The k-th line begins cycles * k // lines after the block: one division makes all of them.
    line_cycles, spare_cycles = cycles, np.int64(0)
    if lines > 1:
        line_cycles = cycles // lines
        spare_cycles = cycles - line_cycles * lines
    into = spare = np.int64(0)
    entry = LOADS + loads + 1
    end = entry
    if loads > 0:
        end += state[LOADS + loads] * LOAD_WORDS
    stalls = np.int64(0)
    while line < end_line or entry < end:
        stall = np.int64(0)
        if line < end_line and (entry >= end or into <= state[entry + LOAD_CYCLES]):
            if keeps_instructions and line != fetched_line:
                # Lines of a row that are all there cost nothing, so that loads between them may wait; the
                # prefetch asks for the line after each. What is being prefetched is never there.
                last = min(line | 3, end_line - 1 + prefetches)
                count = last - line + 1 - prefetches
                wanted = (2 << (last & 3)) - (1 << (line & 3))
                if count > 0 and wanted & ~state[INSTRUCTION_ROWS + CACHE_HEAD + (line >> 2)] == 0:
                    use += 1
                    _use(state, INSTRUCTION_ROWS, line, use)
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
                moment = now + stalls + into
                use += 1
                if prefetches and line == next_line:
                    stall = max(stall, next_ready - moment)
                    if keeps_instructions:
                        _keep(state, INSTRUCTION_ROWS, _INSTRUCTION_CAPACITY, line, use)
                elif keeps_instructions and _holds(state, INSTRUCTION_ROWS, line):
                    _use(state, INSTRUCTION_ROWS, line, use)
                else:
                    stall = max(stall, _readable(state, line, free) - moment) + wait_states
                    free = moment + stall
                    if keeps_instructions:
                        _keep(state, INSTRUCTION_ROWS, _INSTRUCTION_CAPACITY, line, use)
                fetched_line = line
                if prefetches:
                    if keeps_instructions and _holds(state, INSTRUCTION_ROWS, line + 1):
                        use += 1
                        _use(state, INSTRUCTION_ROWS, line + 1, use)
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
                if keeps_data and _holds(state, DATA_ROWS, target >> 3):
                    _use(state, DATA_ROWS, target >> 3, use)
                else:
                    moment = now + stalls + state[entry + LOAD_CYCLES]
                    stall = max(stall, _readable(state, target >> 3, free) - moment) + wait_states
                    free = moment + stall
                    if keeps_data:
                        _keep(state, DATA_ROWS, _DATA_CAPACITY, target >> 3, use)
            entry += LOAD_WORDS
        stalls += stall
    state[FETCHED_LINE], state[NEXT_LINE], state[_NEXT_READY] = fetched_line, next_line, next_ready
    state[_FREE], state[_TICK] = free, use
    return stalls


@numba.njit(error_model="numpy")
def charge_flash_load(address, state):  # type: ignore[no-untyped-def]  # typed by numba
    """Add the stall of a load in the block under way, wherever in the block it is.

    Without instruction cache a prefetch is nearly always under way, and half through on average (assumption).
    """
    offset = _flash_offset(address)
    if offset < 0:
        return
    state[_TICK] += 1
    if state[DATA_CACHE] != 0 and _holds(state, DATA_ROWS, offset >> 3):
        _use(state, DATA_ROWS, offset >> 3, state[_TICK])
        return
    stall = state[WAIT_STATES]
    if state[PREFETCH] != 0 and state[INSTRUCTION_CACHE] == 0:
        stall += (stall + 2) // 2
    state[CYCLES] += stall
    state[BLOCK_CYCLES] += stall
    state[_FREE] = max(state[_FREE], state[CYCLES])
    if state[DATA_CACHE] != 0:
        _keep(state, DATA_ROWS, _DATA_CAPACITY, offset >> 3, state[_TICK])


@numba.njit(error_model="numpy")
def _all_cached(address, size, loads, state):  # type: ignore[no-untyped-def]  # typed by numba
    """Tell whether a block, the line after it and its literals are in the caches, and it loads nothing else
    from flash.
    """
    offset = _flash_offset(address)
    if offset >= 0:
        line, last = offset >> 3, ((offset + size - 1) >> 3) + 1
        while line <= last:  # row by row
            end = min(line | 3, last)
            wanted = (2 << (end & 3)) - (1 << (line & 3))
            if wanted & ~state[INSTRUCTION_ROWS + CACHE_HEAD + (line >> 2)]:
                return False
            line = end + 1
    if loads > 0:
        entry = LOADS + loads + 1
        for _ in range(state[LOADS + loads]):
            if state[entry + LOAD_BASE] != 0 or state[entry + LOAD_INDEX] != 0:
                return False
            if not _holds(state, DATA_ROWS, state[entry + LOAD_OFFSET] >> 3):
                return False
            entry += LOAD_WORDS
    return True


@numba.njit(inline="always")
def _is_looked_at(address, flags, state):  # type: ignore[no-untyped-def]  # typed by numba
    """Count a branch back to a block; tell whether somebody is to look at the loop before it is entered."""
    if address == state[LOOP_HEAD]:
        state[LOOP_STRAYS] = _STRAYS
        if state[LOOPS_ARE_BUSY] == 0:
            state[LOOP_LEFT] -= 1
        return state[LOOP_LEFT] == 0
    state[LOOP_STRAYS] -= 1
    if state[LOOP_STRAYS] < 0:
        state[LOOP_HEAD] = address
        state[LOOP_STRAYS] = _STRAYS
        state[LOOP_LEFT] = LOOP_PATIENCE_KNOWN if flags & FLAG_WAITS else LOOP_PATIENCE
    return False


@numba.cfunc(types.void(types.uintp, types.uint64, types.uint32, _STATE_POINTER), cache=True)
def on_block(uc, address_u64, size_u32, state):  # type: ignore[no-untyped-def]  # typed by numba
    """UC_HOOK_BLOCK callback; `user_data` is the state array."""
    if state[COUNTING] == 0:
        state[STEP_BLOCKS] -= 1
        if state[STEP_BLOCKS] < 0:
            _uc_emu_stop(uc)
        return
    address = np.int64(address_u64)
    size = np.int64(size_u32)
    reason = REASON_NONE
    cycles = np.int64(0)
    word = np.int64(0)
    index = _index(address)
    if index >= 0:
        word = state[index]
    flags = word >> FLAGS_SHIFT
    if state[STOP_REQUEST] != 0:
        reason = REASON_REQUEST
    elif state[WATCH_MASKS] != 0 and state[LAST_FLAGS] & FLAG_WRITES_MASKS != 0:
        reason = REASON_MASKS
    elif index >= 0 and (word == 0 or (word >> _SIZE_SHIFT) & _SIZE_MASK != size):
        reason = REASON_MISS
        state[MISSED_ADDRESS] = address
        state[MISSED_SIZE] = size
    elif flags & FLAG_FLOATING_POINT != 0 and state[TRAP_FLOATING_POINT] != 0:
        reason = REASON_FLOATING_POINT
    elif address <= state[BLOCK_START] and flags & FLAG_BUSY == 0 and _is_looked_at(address, flags, state):
        reason = REASON_LOOP
    else:
        cycles = word & _CYCLES_MASK
        refill = np.int64(0)
        if address != state[BLOCK_END] and state[REFILL] != 0:
            refill = min(state[REFILL] + ((word >> _WIDE_SHIFT) & 1), np.int64(_MOST_REFILL_CYCLES))
        stalls = np.int64(0)
        busy = state[CYCLES] < state[FLASH_BUSY_UNTIL]
        if (state[WAIT_STATES] != 0 or busy) and (index < 0 or state[index + 1] != state[CACHE_EPOCH]):
            if state[STALLED_ADDRESS] != address:
                loads = (word >> _LOADS_SHIFT) & _LOADS_MASK
                state[STALLS] = _stalls(uc, address, size, cycles, state[CYCLES] + refill, loads, state)
                if index >= 0 and state[INSTRUCTION_CACHE] != 0 and _all_cached(address, size, loads, state):
                    state[index + 1] = state[CACHE_EPOCH]
            stalls = state[STALLS]
        if state[CYCLES] + refill + cycles + stalls > state[DEADLINE]:
            reason = REASON_DEADLINE
            state[STALLED_ADDRESS] = address
            if busy and state[CYCLES] < state[DEADLINE]:
                # Long stalls pass with the time of everybody else, who may interrupt them.
                passed = min(stalls, state[DEADLINE] - state[CYCLES])
                state[CYCLES] += passed
                state[STALLS] -= passed
        else:
            state[STALLED_ADDRESS] = -1
            state[BLOCK_CYCLES] = state[CYCLES] + refill
            state[BLOCK_STALLS] = stalls
            state[CYCLES] += refill + cycles + stalls
            if index >= 0:
                deviation = ((word >> _DEVIATION_SHIFT) & _DEVIATION_MASK) - _DEVIATION_BIAS
                state[DEVIATION] += (refill + cycles) * deviation
            state[BLOCK_START] = address
            state[BLOCK_END] = address + size
            if state[PATH_LENGTH] >= 0:
                state[PATH + state[PATH_LENGTH]] = address
                state[PATH_LENGTH] = min(state[PATH_LENGTH] + 1, np.int64(_PATH_SIZE - 1))
            state[REFILL] = (word >> _REFILL_SHIFT) & _REFILL_MASK
            state[LAST_FLAGS] = flags
            state[EFFECTS] += flags >> 3 & 1
            state[STORES] += flags >> 4 & 1
            if flags & FLAG_SENDS_EVENT != 0:
                state[EVENT_REGISTER] = 1
    if reason != REASON_NONE:
        state[REASON] = reason
        _uc_emu_stop(uc)


@numba.cfunc(types.void(types.uintp, types.uint64, types.uint32, types.uint64, types.uintp), cache=True)
def ignore_mmio_write(uc, offset, size, value, user):  # type: ignore[no-untyped-def]  # typed by numba
    """Write callback of device memory: the store was carried out by the protection hook, which knows the
    exact PC.
    """


ON_BLOCK: int = on_block.address or 0
IGNORE_MMIO_WRITE: int = ignore_mmio_write.address or 0
"""Native addresses of the two callbacks."""


def table_index(address: int) -> int | None:
    """Return the index of the table word of the block that starts at `address`; None outside executable
    memory.
    """
    for base, size, index in (
        (0, FLASH_SIZE, _FLASH_INDEX),
        (FLASH_BASE, FLASH_SIZE, _FLASH_INDEX),
        (SRAM1_BASE, SRAM1_SIZE, _SRAM1_INDEX),
        (SRAM2_BASE, SRAM2_SIZE, _SRAM2_INDEX),
        (SYSTEM_BASE, SYSTEM_SIZE, _SYSTEM_INDEX),
    ):
        if base <= address < base + size:
            return index + (address - base & ~1)
    return None


def size_of(word: int) -> int:
    """Return the bytes of a block from its table word."""
    return word >> _SIZE_SHIFT & _SIZE_MASK


def recorded_path(state: npt.NDArray[np.int64]) -> list[int]:
    """Return the addresses of the blocks recorded, none of a path that was too long."""
    length = int(state[PATH_LENGTH])
    whole = 0 <= length < _PATH_SIZE - 1
    return [int(address) for address in state[PATH : PATH + length]] if whole else []


def phase(state: npt.NDArray[np.int64]) -> tuple[int, ...]:
    """Return what the cycles of the blocks to come depend on besides the program, in relation to the cycles
    now: how the program came here, and how far the flash is with its reads.
    """
    now = int(state[CYCLES])
    ready, free, idle = (max(int(state[word]) - now, 0) for word in (_NEXT_READY, _FREE, FLASH_BUSY_UNTIL))
    came = tuple(state[[BLOCK_START, BLOCK_END, REFILL, WAIT_STATES]].tolist())
    if not state[WAIT_STATES]:
        return *came, idle
    kept = state[[PREFETCH, INSTRUCTION_CACHE, DATA_CACHE, FETCHED_LINE, NEXT_LINE, CACHE_EPOCH]].tolist()
    return *came, idle, ready, free, *kept


def quiet_until(state: npt.NDArray[np.int64]) -> int:
    """Return the cycle before which nothing ends but what the program does."""
    deadline, busy = int(state[DEADLINE]), int(state[FLASH_BUSY_UNTIL])
    return min(deadline, busy) if busy > state[CYCLES] else deadline


def skip(state: npt.NDArray[np.int64], cycles: int) -> None:
    """Let a number of cycles pass, at whose end everything is as it was; the flash is as far as before."""
    state[DEVIATION] += cycles * state[ROUND_DEVIATION] // max(state[ROUND_CYCLES], np.int64(1))
    state[CYCLES] += cycles
    state[BLOCK_CYCLES] += cycles
    state[_NEXT_READY] += cycles
    state[_FREE] += cycles


def new_state() -> npt.NDArray[np.int64]:
    """Return the state array with empty timings."""
    state = np.zeros(STATE_WORDS, dtype=np.int64)
    state[COUNTING] = 1
    state[STALLED_ADDRESS] = state[LOOP_HEAD] = state[PATH_LENGTH] = -1
    state[CACHE_EPOCH] = 1
    return state
