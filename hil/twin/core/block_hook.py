# SPDX-License-Identifier: Apache-2.0
"""The native hook Unicorn calls before every block of instructions: it counts cycles and ends slices.

The hook is compiled by numba, once per installation (its cache sits beside this file).  It shares one int64
array with Python: the words named below, then one word per halfword of executable memory that holds the
timing of the block starting there.  An empty or stale word stops the emulator, Python fills it in and the
block is entered again.
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
LINE_WAIT = 12
BRANCH_WAIT = 13
LITERAL_WAIT = 14
"""Cycles the flash adds per 64-bit line fetched, per taken branch and per literal loaded."""
COUNTING = 15
"""Zero: the hook does nothing (single step)."""
MISSED_ADDRESS = 16
MISSED_SIZE = 17
"""The block whose timing is missing."""
EFFECTS = 18
"""Instructions entered that may leave something behind besides core registers; see `EFFECTS_UNCOUNTED`."""
DEVICE_WORDS = 32
"""First of the words that `device_hook` names."""
TABLE = 64
"""First word of the table."""

REASON_NONE = 0
REASON_DEADLINE = 1
REASON_REQUEST = 2
REASON_MISS = 3
REASON_MASKS = 4
REASON_FLOATING_POINT = 5

FLAG_WRITES_MASKS = 1
FLAG_SENDS_EVENT = 2
FLAG_FLOATING_POINT = 4
EFFECTS_SHIFT = 3
"""From this bit on the flags hold how many effects the block has: a store counts one."""
EFFECTS_UNCOUNTED = 15
"""The count of a block whose effects are more, or are not single stores."""

FLASH_BASE, FLASH_SIZE = 0x0800_0000, 0x10_0000
SRAM1_BASE, SRAM1_SIZE = 0x2000_0000, 0x1_8000
SRAM2_BASE, SRAM2_SIZE = 0x1000_0000, 0x8000
SYSTEM_BASE, SYSTEM_SIZE = 0x1FFF_0000, 0x1_0000
_FLASH_INDEX = TABLE
_SRAM1_INDEX = _FLASH_INDEX + FLASH_SIZE // 2
_SRAM2_INDEX = _SRAM1_INDEX + SRAM1_SIZE // 2
_SYSTEM_INDEX = _SRAM2_INDEX + SRAM2_SIZE // 2
STATE_WORDS = _SYSTEM_INDEX + SYSTEM_SIZE // 2

# Layout of a table word: cycles, size in bytes, refill, flash lines, literals, flags.
_SIZE_SHIFT, _REFILL_SHIFT, _LINES_SHIFT, _LITERALS_SHIFT, _FLAGS_SHIFT = 16, 32, 36, 46, 56
_CYCLES_MASK, _SIZE_MASK, _REFILL_MASK, _LINES_MASK, _LITERALS_MASK = 0xFFFF, 0xFFFF, 0xF, 0x3FF, 0x3FF

llvmlite.binding.add_symbol("uc_emu_stop", ctypes.cast(uclib.uc_emu_stop, ctypes.c_void_p).value)
# Named, not by address, so that the compiled hook can be kept in numba's cache.
_STATE_POINTER: types.Type = types.CPointer(types.int64)  # type: ignore[no-untyped-call]  # numba's own gap
_uc_emu_stop = types.ExternalFunction("uc_emu_stop", types.int32(types.uintp))


def pack_timing(cycles: int, size: int, refill: int, lines: int, literals: int, flags: int) -> int:
    """Return the table word of a block: its cycles at zero wait states, its size in bytes, what a taken
    branch at its
    end adds, the 64-bit flash lines it spans, the literals it loads, its flags.
    """
    return (
        min(cycles, _CYCLES_MASK)
        | size << _SIZE_SHIFT
        | refill << _REFILL_SHIFT
        | min(lines, _LINES_MASK) << _LINES_SHIFT
        | min(literals, _LITERALS_MASK) << _LITERALS_SHIFT
        | flags << _FLAGS_SHIFT
    )


@numba.njit(inline="always")
def _index(address):  # type: ignore[no-untyped-def]  # typed by numba
    if address < FLASH_SIZE:
        return _FLASH_INDEX + (address >> 1)
    if FLASH_BASE <= address < FLASH_BASE + FLASH_SIZE:
        return _FLASH_INDEX + ((address - FLASH_BASE) >> 1)
    if SRAM1_BASE <= address < SRAM1_BASE + SRAM1_SIZE:
        return _SRAM1_INDEX + ((address - SRAM1_BASE) >> 1)
    if SRAM2_BASE <= address < SRAM2_BASE + SRAM2_SIZE:
        return _SRAM2_INDEX + ((address - SRAM2_BASE) >> 1)
    if SYSTEM_BASE <= address < SYSTEM_BASE + SYSTEM_SIZE:
        return _SYSTEM_INDEX + ((address - SYSTEM_BASE) >> 1)
    return -1


@numba.cfunc(types.void(types.uintp, types.uint64, types.uint32, _STATE_POINTER), cache=True)
def on_block(uc, address_u64, size_u32, state):  # type: ignore[no-untyped-def]  # typed by numba
    """UC_HOOK_BLOCK callback; `user_data` is the state array."""
    if state[COUNTING] == 0:
        return
    address = np.int64(address_u64)
    size = np.int64(size_u32)
    reason = REASON_NONE
    cycles = np.int64(0)
    word = np.int64(0)
    index = _index(address)
    if index >= 0:
        word = state[index]
    flags = word >> _FLAGS_SHIFT
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
    else:
        lines = (word >> _LINES_SHIFT) & _LINES_MASK
        refill = np.int64(0)
        if address != state[BLOCK_END]:
            refill = state[REFILL]
            if lines > 0:
                refill += state[BRANCH_WAIT]
        elif address & 7 != 0 and lines > 0:
            lines -= 1  # this line was fetched with the block before
        literals = (word >> _LITERALS_SHIFT) & _LITERALS_MASK
        cycles = (word & _CYCLES_MASK) + lines * state[LINE_WAIT] + literals * state[LITERAL_WAIT]
        if state[CYCLES] + refill + cycles > state[DEADLINE]:
            reason = REASON_DEADLINE
        else:
            state[BLOCK_CYCLES] = state[CYCLES] + refill
            state[CYCLES] += refill + cycles
            state[BLOCK_START] = address
            state[BLOCK_END] = address + size
            state[REFILL] = (word >> _REFILL_SHIFT) & _REFILL_MASK
            state[LAST_FLAGS] = flags
            state[EFFECTS] += flags >> EFFECTS_SHIFT
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
            return index + ((address - base) >> 1)
    return None


def new_state() -> npt.NDArray[np.int64]:
    """Return the state array with empty timings."""
    state = np.zeros(STATE_WORDS, dtype=np.int64)
    state[COUNTING] = 1
    return state
