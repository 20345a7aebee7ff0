# SPDX-License-Identifier: Apache-2.0
"""Native callbacks for the peripherals' registers: the rounds of a waiting loop need no Python.

Unicorn calls them for every load from and every store to the peripherals. A load of the register that was
answered last, and a store that was seen to do nothing, are served from words of the block hook's state array
as long as nothing can have changed; all others go on to the ``Devices`` of their engine. Who fills the words
in is `polling`.

A program that writes flash programs one double word like the other. Where `programming` says so, the stores
and the status that come with them are served here, and what was programmed is written down for it.
"""

from __future__ import annotations

import ctypes
import weakref
from typing import Any, Protocol

import llvmlite.binding
import numba
import numpy as np
from numba import types
from numba.extending import intrinsic
from unicorn import arm_const as arm

from hil.twin.core import block_hook
from hil.twin.core.access_end import go_on, stop_at

LOADS_LEFT = block_hook.DEVICE_WORDS
"""How many more loads may be answered here; 0 for none."""
LOAD_ADDRESS = LOADS_LEFT + 1
LOAD_WIDTH = LOADS_LEFT + 2
LOAD_VALUE = LOADS_LEFT + 3
LOAD_UNTIL = LOADS_LEFT + 4
"""Cycles at which the value changes: a block that ends later sees another."""
STORE_WIDTH = LOADS_LEFT + 5
"""Width of the store that does nothing; 0 while there is none."""
STORE_ADDRESS = LOADS_LEFT + 6
STORE_VALUE = LOADS_LEFT + 7
STORES_IGNORED = LOADS_LEFT + 8
"""Stores that did nothing, counted here and by `polling`."""

PROGRAMMING = LOADS_LEFT + 9
"""Not zero: programming goes on here, under the circumstances that the words below tell."""
STATUS_ADDRESS = PROGRAMMING + 1
STATUS = PROGRAMMING + 2
"""FLASH_SR without BSY."""
CONTROL_ADDRESS = PROGRAMMING + 3
CONTROL = PROGRAMMING + 4
"""FLASH_CR."""
PAGE = PROGRAMMING + 5
"""Offset of the only page in which double words are programmed here."""
PAGE_SIZE = PROGRAMMING + 6
CELLS = PROGRAMMING + 7
"""Where the host has the array's first byte."""
FIRST_OFFSET = PROGRAMMING + 8
"""Offset of a double word of which the first half was stored, -1 for none."""
FIRST_VALUE = PROGRAMMING + 9
DURATION = PROGRAMMING + 10
"""Cycles that programming takes."""
BUSY_UNTIL = block_hook.FLASH_BUSY_UNTIL
"""Cycles at which it ends: a block that ends later sees that it has."""
POLLS_LEFT = PROGRAMMING + 12
"""How often its status may still be answered here while it lasts."""
SITE_BLOCK, SITE_END, SITE_PC = PROGRAMMING + 13, PROGRAMMING + 14, PROGRAMMING + 15
"""The store that completes a double word: its block, and its address."""
SITE_CYCLES, SITE_BLOCK_CYCLES = PROGRAMMING + 16, PROGRAMMING + 17
"""Cycles from its block's entry to it, and of the whole block, without stalls."""
COUNT = PROGRAMMING + 18
"""Double words programmed here: offset and cycles of each are at `block_hook.PROGRAMMED`."""
PATIENCE = 64
"""Times that a status is answered here until somebody looks into the loop that asks for it."""

ENTRY_WORDS = 2
_MOST = block_hook.PROGRAMMED_SIZE // ENTRY_WORDS
_BSY = 1 << 16
_PG = 1
_ERASED = -1
_WORD = 0xFFFF_FFFF
_PC = np.int32(arm.UC_ARM_REG_PC)


class Devices(Protocol):
    """Who answers what is not answered here."""

    def load(self, address: int, width: int) -> int:
        """Return what the program reads, negative to stop at the load; no exception may leave it."""

    def store(self, address: int, width: int, value: int) -> bool:
        """Do what the program's store does; return False to stop at it. No exception may leave it."""


_devices: dict[int, weakref.ref[Devices]] = {}
"""By the handle of their engine; references, so that an engine nobody uses any more can go."""


def register(handle: int, devices: Devices) -> None:
    """Lead the accesses of the engine with this handle to ``devices``."""
    _devices[handle] = weakref.ref(devices)
    weakref.finalize(devices, _devices.pop, handle, None)


def _load(handle: int, address: int, width: int) -> int:
    devices = _devices[handle]()
    return -1 if devices is None else devices.load(address, width)


def _store(handle: int, address: int, width: int, value: int) -> bool:
    devices = _devices[handle]()
    return devices is not None and devices.store(address, width, value)


_PYTHON_LOAD = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_size_t, ctypes.c_uint64, ctypes.c_uint32)(_load)
_PYTHON_STORE = ctypes.CFUNCTYPE(
    ctypes.c_int32, ctypes.c_size_t, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_int64
)(_store)
# Named, not by address, so that the compiled callbacks can be kept in numba's cache.
llvmlite.binding.add_symbol("hil_device_load", ctypes.cast(_PYTHON_LOAD, ctypes.c_void_p).value)
llvmlite.binding.add_symbol("hil_device_store", ctypes.cast(_PYTHON_STORE, ctypes.c_void_p).value)
_python_load: Any = types.ExternalFunction(
    "hil_device_load", types.int64(types.uintp, types.uint64, types.uint32)
)
_python_store: Any = types.ExternalFunction(
    "hil_device_store", types.int32(types.uintp, types.uint64, types.uint32, types.int64)
)
_STATE_POINTER: types.Type = types.CPointer(types.int64)  # type: ignore[no-untyped-call]  # numba's own gap
_uc_reg_read: Any = types.ExternalFunction(
    "uc_reg_read", types.int32(types.uintp, types.int32, _STATE_POINTER)
)


@intrinsic
def _words_at(_context: Any, address: Any) -> Any:
    """The 64-bit words of the host's memory from an address on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return _STATE_POINTER(types.int64), generate


@numba.njit(inline="always")
def _status(state):  # type: ignore[no-untyped-def]  # typed by numba
    """FLASH_SR while programming goes on here; -1 if it is to be asked about."""
    if state[block_hook.CYCLES] > state[BUSY_UNTIL]:
        return state[STATUS]
    if state[POLLS_LEFT] <= 0:
        return np.int64(-1)
    state[POLLS_LEFT] -= 1
    return state[STATUS] | _BSY


@numba.njit(inline="always")
def _set_control(value, state):  # type: ignore[no-untyped-def]  # typed by numba
    """Write FLASH_CR; False if more than PG may change."""
    if value & ~(state[CONTROL] | _PG):
        return False
    state[CONTROL] = state[CONTROL] & ~_PG | value & _PG
    if not value & _PG:
        state[FIRST_OFFSET] = -1
    return True


@numba.njit(inline="always")
def _program(uc, offset, value, state):  # type: ignore[no-untyped-def]  # typed by numba
    """Store a word into the array; False if anything about it is not as with the last double word."""
    first = state[FIRST_OFFSET]
    if not (state[CONTROL] & _PG and state[PAGE] <= offset < state[PAGE] + state[PAGE_SIZE]):
        return False
    if first < 0:
        if offset & 7:
            return False
        state[FIRST_OFFSET] = offset
        state[FIRST_VALUE] = value
        return True
    count = state[COUNT]
    if (
        offset != first + 4
        or count >= _MOST
        or state[block_hook.BLOCK_START] != state[SITE_BLOCK]
        or state[block_hook.BLOCK_END] != state[SITE_END]
    ):
        return False
    kept = state[0]  # Unicorn writes to where the array begins
    state[0] = 0
    _uc_reg_read(uc, _PC, state)
    pc = state[0]
    state[0] = kept
    cell: Any = _words_at(state[CELLS] + first)  # type: ignore[call-arg]  # numba passes its context
    if pc != state[SITE_PC] or cell[0] != _ERASED:
        return False
    cell[0] = value << 32 | state[FIRST_VALUE]
    to_store = state[SITE_CYCLES]
    cycles = state[block_hook.BLOCK_CYCLES] + to_store
    cycles += state[block_hook.BLOCK_STALLS] * to_store // state[SITE_BLOCK_CYCLES]
    entry = block_hook.PROGRAMMED + ENTRY_WORDS * count
    state[entry] = first
    state[entry + 1] = cycles
    state[COUNT] = count + 1
    state[FIRST_OFFSET] = -1
    state[BUSY_UNTIL] = cycles + state[DURATION]
    state[POLLS_LEFT] = PATIENCE
    return True


@numba.njit(inline="always")
def _word_loaded(uc, address, width, state):  # type: ignore[no-untyped-def]  # typed by numba
    """What a load reads, negative to stop at it."""
    if state[PROGRAMMING] and width == 4:
        if address == state[STATUS_ADDRESS]:
            status = _status(state)
            if status >= 0:
                return status
        elif address == state[CONTROL_ADDRESS]:
            return state[CONTROL]
    if (
        state[LOADS_LEFT] > 0
        and address == state[LOAD_ADDRESS]
        and width == state[LOAD_WIDTH]
        and state[block_hook.CYCLES] <= state[LOAD_UNTIL]
    ):
        state[LOADS_LEFT] -= 1
        return state[LOAD_VALUE]
    return _python_load(uc, np.uint64(address), np.uint32(width))


@numba.njit(inline="always")
def _word_stored(uc, address, width, value, state):  # type: ignore[no-untyped-def]  # typed by numba
    """Carry out a store; 0 to stop at it."""
    if width == state[STORE_WIDTH] and address == state[STORE_ADDRESS] and value == state[STORE_VALUE]:
        state[STORES_IGNORED] += 1
        return 1
    if state[PROGRAMMING] and width == 4 and state[block_hook.CYCLES] > state[BUSY_UNTIL]:
        state[LOADS_LEFT] = 0
        word = value & _WORD
        offset = address - block_hook.FLASH_BASE
        if address == state[CONTROL_ADDRESS]:
            if _set_control(word, state):
                return 1
        elif 0 <= offset < block_hook.FLASH_SIZE and _program(uc, offset, word, state):
            return 1
    if _python_store(uc, np.uint64(address), np.uint32(width), value) != 0:
        return 1
    return 0


@numba.cfunc(
    types.boolean(types.uintp, types.int32, types.uint64, types.int32, types.int64, _STATE_POINTER),
    cache=True,
)
def on_load(uc, kind, address, width, value, state):  # type: ignore[no-untyped-def]  # typed by numba
    """UC_HOOK_MEM_READ_PROT callback; `user_data` is the state array. `on_read` gives what it finds."""
    if state[block_hook.LEAVING]:
        return False
    at = np.int64(address)
    state[block_hook.LOADED_ADDRESS] = at
    for word in range(2 if width == 8 else 1):  # VLDR of a double word reads two words
        found = _word_loaded(uc, at + 4 * word, min(np.int64(width), 4), state)
        if found < 0:
            return False
        state[block_hook.LOADED + word] = found
    go_on(uc, state)
    return True


@numba.cfunc(types.uint64(types.uintp, types.uint64, types.uint32, _STATE_POINTER), cache=True)
def on_read(uc, offset, width, state):  # type: ignore[no-untyped-def]  # typed by numba
    """Read callback of `uc_mmio_map`, called for every word of the load that `on_load` has answered."""
    word = (np.int64(offset) ^ state[block_hook.LOADED_ADDRESS]) >> 2 & 1
    return np.uint64(state[block_hook.LOADED + word])


@numba.cfunc(
    types.boolean(types.uintp, types.int32, types.uint64, types.int32, types.int64, _STATE_POINTER),
    cache=True,
)
def on_store(uc, kind, address, width, value, state):  # type: ignore[no-untyped-def]  # typed by numba
    """UC_HOOK_MEM_WRITE_PROT callback; `user_data` is the state array."""
    if state[block_hook.LEAVING]:
        return False
    at = np.int64(address)
    if width == 8:  # VSTR of a double word writes two words
        done = _word_stored(uc, at, 4, value & _WORD, state)
        if done:
            done = _word_stored(uc, at + 4, 4, value >> 32 & _WORD, state)
    else:
        done = _word_stored(uc, at, np.int64(width), value, state)
    if done:
        go_on(uc, state)
        return True
    stop_at(uc, kind)
    return False


ON_LOAD: int = on_load.address or 0
ON_READ: int = on_read.address or 0
ON_STORE: int = on_store.address or 0
"""Native addresses of the callbacks."""
