# SPDX-License-Identifier: Apache-2.0
"""The native hook Unicorn calls before every block of instructions: it counts cycles and ends slices.

It finds the block's timing in the state array (`state_layout`).  Where that is empty or of other code it
stops the emulator, Python fills it in (`cycle_counter`) and the block is entered again.  `flash_accelerator`
works out what the flash's wait states add.
"""

from __future__ import annotations

from typing import Final

import numba
import numpy as np
from numba import types

from hil.twin.core import flash_accelerator
from hil.twin.core import state_layout as words
from hil.twin.core.block_timing_word import (
    CYCLES_MASK,
    DEVIATION_BIAS,
    DEVIATION_MASK,
    DEVIATION_SHIFT,
    FLAG_BUSY,
    FLAG_SENDS_EVENT,
    FLAG_WAITS,
    FLAGS_SHIFT,
    LOADS_MASK,
    LOADS_SHIFT,
    REFILL_MASK,
    REFILL_SHIFT,
    SIZE_MASK,
    SIZE_SHIFT,
    WIDE_SHIFT,
)
from hil.twin.core.memory_map import WINDOW_SHIFT
from hil.twin.core.native import BLOCK_HOOK, uc_emu_stop

REASON_NONE: Final = 0
REASON_DEADLINE: Final = 1
REASON_REQUEST: Final = 2
REASON_MISS: Final = 3
REASON_MASKS: Final = 4
REASON_FLOATING_POINT: Final = 5
REASON_LOOP: Final = 6

LOOP_PATIENCE: Final = 128
"""Rounds until somebody looks into a loop. Looking costs as much as some thousand short ones."""
LOOP_PATIENCE_KNOWN: Final = 3
"""The same for one that was seen to wait before."""
_STRAYS: Final = 8
_MOST_REFILL_CYCLES: Final = 3  # DDI 0439, 3.3.1


@numba.njit(inline="always")
def _place(address, state):  # type: ignore[no-untyped-def]  # typed by numba
    """As `table_place`, -1 outside the memories."""
    window = words.WINDOWS + (address >> WINDOW_SHIFT) * words.WINDOW_WORDS
    offset = address - state[window + words.WINDOW_BASE]
    if 0 <= offset < state[window + words.WINDOW_SIZE]:
        return state[window + words.WINDOW_TABLE] + (offset & ~1)
    return np.int64(-1)


@numba.njit(error_model="numpy")
def _reason_to_stop(address, size, place, word, state):  # type: ignore[no-untyped-def]  # typed by numba
    """Why a block is not entered, whatever the time; REASON_NONE for most."""
    if state[words.STOP_REQUEST] != 0:
        return REASON_REQUEST
    if state[words.WATCH_MASKS] & state[words.LAST_FLAGS] != 0:
        return REASON_MASKS
    if place >= 0 and word >> SIZE_SHIFT & SIZE_MASK != size:
        state[words.MISSED_ADDRESS] = address
        state[words.MISSED_SIZE] = size
        return REASON_MISS
    if state[words.TRAP_FLOATING_POINT] & word >> FLAGS_SHIFT != 0:
        return REASON_FLOATING_POINT
    return REASON_NONE


@numba.njit(inline="always")
def _is_looked_at(address, flags, state):  # type: ignore[no-untyped-def]  # typed by numba
    """Count a branch back to a block; tell whether somebody is to look at the loop before it is entered."""
    if address == state[words.LOOP_HEAD]:
        state[words.LOOP_STRAYS] = _STRAYS
        state[words.LOOP_LEFT] -= 1
        return state[words.LOOP_LEFT] == 0
    state[words.LOOP_STRAYS] -= 1
    if state[words.LOOP_STRAYS] < 0:
        state[words.LOOP_HEAD] = address
        state[words.LOOP_STRAYS] = _STRAYS
        state[words.LOOP_LEFT] = LOOP_PATIENCE_KNOWN if flags & FLAG_WAITS else LOOP_PATIENCE
    return False


@numba.njit(error_model="numpy")
def _stalls(uc, address, size, place, word, entry, state):  # type: ignore[no-untyped-def]  # typed by numba
    """Stalls of a block whose first cycle is `entry`; worked out once, however often time is too short."""
    if state[words.STALLED_ADDRESS] != address:
        loads = word >> LOADS_SHIFT & LOADS_MASK
        cycles = word & CYCLES_MASK
        state[words.STALLS] = flash_accelerator.stalls(uc, address, size, cycles, entry, loads, state)
        if (
            place >= 0
            and state[words.INSTRUCTION_CACHE] != 0
            and flash_accelerator.all_cached(address, size, loads, state)
        ):
            state[place + 1] = state[words.CACHE_EPOCH]
    return state[words.STALLS]


@numba.njit(error_model="numpy")
def _wait(address, stalls, state):  # type: ignore[no-untyped-def]  # typed by numba
    """Enter no block for want of time. Long stalls pass with everybody else's time, who may end them."""
    state[words.STALLED_ADDRESS] = address
    left = state[words.DEADLINE] - state[words.CYCLES]
    if state[words.CYCLES] < state[words.FLASH_BUSY_UNTIL] and left > 0:
        passed = min(stalls, left)
        state[words.CYCLES] += passed
        state[words.STALLS] -= passed


@numba.cfunc(BLOCK_HOOK, cache=True)
def on_block(uc, address_u64, size_u32, state):  # type: ignore[no-untyped-def]  # typed by numba
    """UC_HOOK_BLOCK callback; `user_data` is the state array."""
    if state[words.COUNTING] == 0:
        state[words.STEP_BLOCKS] -= 1
        if state[words.STEP_BLOCKS] < 0:
            uc_emu_stop(uc)
        return
    address = np.int64(address_u64)
    size = np.int64(size_u32)
    place = _place(address, state)
    word = np.int64(0)
    epoch = np.int64(0)
    if place >= 0:
        word = state[place]
        epoch = state[place + 1]
    flags = word >> FLAGS_SHIFT
    reason = np.int64(REASON_NONE)
    # One look tells most blocks from those with anything to stop for; the words are 0 nearly always.
    unusual = state[words.STOP_REQUEST] | state[words.WATCH_MASKS] & state[words.LAST_FLAGS]
    unusual |= state[words.TRAP_FLOATING_POINT] & flags
    if unusual != 0 or word >> SIZE_SHIFT & SIZE_MASK != size:
        reason = np.int64(_reason_to_stop(address, size, place, word, state))
    goes_back = (address <= state[words.BLOCK_START]) & (flags & FLAG_BUSY == 0)
    if goes_back and reason == REASON_NONE and _is_looked_at(address, flags, state):
        reason = np.int64(REASON_LOOP)
    if reason == REASON_NONE:
        cycles = word & CYCLES_MASK
        refill = state[words.REFILL]
        if refill != 0:
            refill = min(refill + (word >> WIDE_SHIFT & 1), np.int64(_MOST_REFILL_CYCLES))
            refill = np.int64(0) if address == state[words.BLOCK_END] else refill
        now = state[words.CYCLES]
        entry = now + refill
        stalls = np.int64(0)
        if epoch != state[words.CACHE_EPOCH] and (
            state[words.WAIT_STATES] != 0 or now < state[words.FLASH_BUSY_UNTIL]
        ):
            stalls = _stalls(uc, address, size, place, word, entry, state)
        end = entry + cycles + stalls
        if end > state[words.DEADLINE]:
            _wait(address, stalls, state)
            reason = np.int64(REASON_DEADLINE)
        else:
            state[words.STALLED_ADDRESS] = -1
            state[words.CYCLES] = end
            state[words.BLOCK_CYCLES] = entry
            state[words.BLOCK_STALLS] = stalls
            if place >= 0:
                deviation = (word >> DEVIATION_SHIFT & DEVIATION_MASK) - DEVIATION_BIAS
                state[words.DEVIATION] += (refill + cycles) * deviation
            state[words.BLOCK_START] = address
            state[words.BLOCK_END] = address + size
            state[words.REFILL] = word >> REFILL_SHIFT & REFILL_MASK
            state[words.LAST_FLAGS] = flags
            state[words.EFFECTS] += flags >> 3 & 1
            state[words.STORES] += flags >> 4 & 1
            if state[words.PATH_LENGTH] >= 0:
                length = state[words.PATH_LENGTH]
                state[words.PATH + length] = address
                state[words.PATH_LENGTH] = min(length + 1, np.int64(words.PATH_SIZE - 1))
            if flags & FLAG_SENDS_EVENT != 0:
                state[words.EVENT_REGISTER] = 1
            return
    state[words.REASON] = reason
    uc_emu_stop(uc)


@numba.cfunc(types.void(types.uintp, types.uint64, types.uint32, types.uint64, types.uintp), cache=True)
def ignore_mmio_write(uc, offset, size, value, user):  # type: ignore[no-untyped-def]  # typed by numba
    """Write callback of device memory: the store was carried out by the protection hook, which knows the
    exact PC.
    """


ON_BLOCK: int = on_block.address or 0
IGNORE_MMIO_WRITE: int = ignore_mmio_write.address or 0
"""Native addresses of the two callbacks."""
