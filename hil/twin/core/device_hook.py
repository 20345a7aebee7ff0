# SPDX-License-Identifier: Apache-2.0
"""Native callbacks for the peripherals' registers: the rounds of a waiting loop need no Python.

Unicorn calls them for every load from and every store to the peripherals. A load of the register that was
answered last, and a store that was seen to do nothing, are served from words of the state array
as long as nothing can have changed; all others go on to the ``Devices`` of their engine. Who fills the words
in is `polling`.
"""

from __future__ import annotations

import ctypes
import weakref
from typing import Final, Protocol

import numba
import numpy as np
from numba import types

from hil.twin.core import state_layout as words
from hil.twin.core.access_end import go_on, stop_at
from hil.twin.core.native import PROTECTION_HOOK, STATE_POINTER, declare

_WORD: Final = 0xFFFF_FFFF


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
_python_load = declare("hil_device_load", _PYTHON_LOAD, types.int64, types.uintp, types.uint64, types.uint32)
_python_store = declare(
    "hil_device_store", _PYTHON_STORE, types.int32, types.uintp, types.uint64, types.uint32, types.int64
)


@numba.njit(inline="always")
def _word_loaded(uc, address, width, state):  # type: ignore[no-untyped-def]  # typed by numba
    """What a load reads, negative to stop at it."""
    if (
        state[words.LOADS_LEFT] > 0
        and address == state[words.LOAD_ADDRESS]
        and width == state[words.LOAD_WIDTH]
        and state[words.CYCLES] <= state[words.LOAD_UNTIL]
    ):
        state[words.LOADS_LEFT] -= 1
        return state[words.LOAD_VALUE]
    return _python_load(uc, np.uint64(address), np.uint32(width))


@numba.njit(inline="always")
def _word_stored(uc, address, width, value, state):  # type: ignore[no-untyped-def]  # typed by numba
    """Carry out a store; 0 to stop at it."""
    if (
        width == state[words.STORE_WIDTH]
        and address == state[words.STORE_ADDRESS]
        and value == state[words.STORE_VALUE]
    ):
        state[words.STORES_IGNORED] += 1
        return 1
    if _python_store(uc, np.uint64(address), np.uint32(width), value) != 0:
        return 1
    return 0


@numba.cfunc(PROTECTION_HOOK, cache=True)
def on_load(uc, kind, address, width, value, state):  # type: ignore[no-untyped-def]  # typed by numba
    """UC_HOOK_MEM_READ_PROT callback; `user_data` is the state array. `on_read` gives what it finds."""
    if state[words.LEAVING]:
        return False
    at = np.int64(address)
    state[words.LOADED_ADDRESS] = at
    for half in range(2 if width == 8 else 1):  # VLDR of a double word reads two words
        found = _word_loaded(uc, at + 4 * half, min(np.int64(width), 4), state)
        if found < 0:
            return False
        state[words.LOADED + half] = found
    go_on(uc, state)
    return True


@numba.cfunc(types.uint64(types.uintp, types.uint64, types.uint32, STATE_POINTER), cache=True)
def on_read(uc, offset, width, state):  # type: ignore[no-untyped-def]  # typed by numba
    """Read callback of `uc_mmio_map`, called for every word of the load that `on_load` has answered."""
    half = (np.int64(offset) ^ state[words.LOADED_ADDRESS]) >> 2 & 1
    return np.uint64(state[words.LOADED + half])


@numba.cfunc(PROTECTION_HOOK, cache=True)
def on_store(uc, kind, address, width, value, state):  # type: ignore[no-untyped-def]  # typed by numba
    """UC_HOOK_MEM_WRITE_PROT callback; `user_data` is the state array."""
    if state[words.LEAVING]:
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
