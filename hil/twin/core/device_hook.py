# SPDX-License-Identifier: Apache-2.0
"""Native callbacks for the peripherals' registers: the rounds of a waiting loop need no Python.

Unicorn calls them for every load from and every store to the peripherals. A load of the register that was
answered last, and a store that was seen to do nothing, are served from words of the block hook's state array
as long as nothing can have changed; all others go on to the ``Devices`` of their engine. Who fills the words
in is `polling`.
"""

from __future__ import annotations

import ctypes
import weakref
from typing import Any, Protocol

import llvmlite.binding
import numba
import numpy as np
from numba import types

from hil.twin.core import block_hook
from hil.twin.core.bus import PERIPHERALS

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


class Devices(Protocol):
    """Who answers what is not answered here."""

    def load(self, address: int, width: int) -> int:
        """Return what the program reads; no exception may leave it."""

    def store(self, address: int, width: int, value: int) -> bool:
        """Do what the program's store does; return False to fault. No exception may leave it."""


_devices: dict[int, weakref.ref[Devices]] = {}
"""By the handle of their engine; references, so that an engine nobody uses any more can go."""


def register(handle: int, devices: Devices) -> None:
    """Lead the accesses of the engine with this handle to ``devices``."""
    _devices[handle] = weakref.ref(devices)
    weakref.finalize(devices, _devices.pop, handle, None)


def _load(handle: int, address: int, width: int) -> int:
    devices = _devices[handle]()
    return 0 if devices is None else devices.load(address, width)


def _store(handle: int, address: int, width: int, value: int) -> bool:
    devices = _devices[handle]()
    return devices is not None and devices.store(address, width, value)


_PYTHON_LOAD = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_size_t, ctypes.c_uint64, ctypes.c_uint32)(_load)
_PYTHON_STORE = ctypes.CFUNCTYPE(
    ctypes.c_bool, ctypes.c_size_t, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_int64
)(_store)
# Named, not by address, so that the compiled callbacks can be kept in numba's cache.
llvmlite.binding.add_symbol("hil_device_load", ctypes.cast(_PYTHON_LOAD, ctypes.c_void_p).value)
llvmlite.binding.add_symbol("hil_device_store", ctypes.cast(_PYTHON_STORE, ctypes.c_void_p).value)
_python_load: Any = types.ExternalFunction(
    "hil_device_load", types.uint64(types.uintp, types.uint64, types.uint32)
)
_python_store: Any = types.ExternalFunction(
    "hil_device_store", types.boolean(types.uintp, types.uint64, types.uint32, types.int64)
)
_STATE_POINTER: types.Type = types.CPointer(types.int64)  # type: ignore[no-untyped-call]  # numba's own gap


@numba.cfunc(types.uint64(types.uintp, types.uint64, types.uint32, _STATE_POINTER), cache=True)
def on_load(uc, offset, width, state):  # type: ignore[no-untyped-def]  # typed by numba
    """Read callback of `uc_mmio_map` for the peripherals; `user_data` is the state array."""
    address = PERIPHERALS + np.int64(offset)
    if (
        state[LOADS_LEFT] > 0
        and address == state[LOAD_ADDRESS]
        and width == state[LOAD_WIDTH]
        and state[block_hook.CYCLES] <= state[LOAD_UNTIL]
    ):
        state[LOADS_LEFT] -= 1
        return np.uint64(state[LOAD_VALUE])
    return _python_load(uc, np.uint64(address), width)


@numba.cfunc(
    types.boolean(types.uintp, types.int32, types.uint64, types.int32, types.int64, _STATE_POINTER),
    cache=True,
)
def on_store(uc, kind, address, width, value, state):  # type: ignore[no-untyped-def]  # typed by numba
    """UC_HOOK_MEM_WRITE_PROT callback; `user_data` is the state array."""
    if (
        width == state[STORE_WIDTH]
        and np.int64(address) == state[STORE_ADDRESS]
        and value == state[STORE_VALUE]
    ):
        state[STORES_IGNORED] += 1
        return True
    return _python_store(uc, address, np.uint32(width), value)


ON_LOAD: int = on_load.address or 0
ON_STORE: int = on_store.address or 0
"""Native addresses of the two callbacks."""
