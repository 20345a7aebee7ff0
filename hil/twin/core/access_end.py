# SPDX-License-Identifier: Apache-2.0
"""How a hook on an access ends: the program goes on behind the instruction, or stops at it.

Both need care because of IT blocks (Unicorn 2.1.4, `store_helper`, `load_helper` and `check_exit_request`):

Before Unicorn calls a hook on an access it puts the IT bits of the present instruction into xPSR, and leaves
them there. The block under way knows its conditions without them; the next one would be executed as if it lay
in the IT block that has ended. So the last hook of an access that is carried out clears them: `go_on`.

Inside an IT block Unicorn does not look whether it was told to stop, after stores and after hooks: it goes on
up to the next access behind that block. It does leave at once where a load is forbidden. So `stop_at` forbids
the load. At a store it has the engine keep the registers as they are, let no access reach a memory or a
device any more, and put the registers back when Unicorn has stopped.
"""

from __future__ import annotations

import ctypes
import weakref
from typing import Any, Protocol

import llvmlite.binding
import numba
import numpy as np
from numba import types
from unicorn import arm_const as arm
from unicorn.unicorn_py3.unicorn import uclib

SRAM1, SRAM1_END = 0x2000_0000, 0x2001_8000
SRAM2, SRAM2_END = 0x1000_0000, 0x1000_8000
"""What the program may write without a protection hook (DS10198 Rev 8, figure 17)."""
IT_BITS = 0x0600_FC00
"""Where EPSR has the state of the IT block."""
LOAD, STORE = 16, 17
"""Unicorn's kinds of accesses to hooks on all of them: UC_MEM_READ, UC_MEM_WRITE."""


class Stoppable(Protocol):
    """An engine."""

    def stop_at_access(self, kind: int) -> None:
        """Stop from inside a hook on an access of a kind of Unicorn's."""


_engines: dict[int, weakref.ref[Stoppable]] = {}
"""By their handles; references, so that an engine nobody uses any more can go."""


def register(handle: int, engine: Stoppable) -> None:
    """Name the engine that Unicorn calls `handle`."""
    _engines[handle] = weakref.ref(engine)
    weakref.finalize(engine, _engines.pop, handle, None)


def _stop(handle: int, kind: int) -> None:
    engine = _engines[handle]()
    if engine is not None:
        engine.stop_at_access(kind)


_PYTHON_STOP = ctypes.CFUNCTYPE(None, ctypes.c_size_t, ctypes.c_int32)(_stop)
# Named, not by address, so that the compiled callbacks can be kept in numba's cache.
llvmlite.binding.add_symbol("hil_stop_at_access", ctypes.cast(_PYTHON_STOP, ctypes.c_void_p).value)
for _name in ("uc_reg_read", "uc_reg_write"):
    llvmlite.binding.add_symbol(_name, ctypes.cast(getattr(uclib, _name), ctypes.c_void_p).value)
_WORDS_POINTER: types.Type = types.CPointer(types.int64)  # type: ignore[no-untyped-call]  # numba's own gap
_python_stop: Any = types.ExternalFunction("hil_stop_at_access", types.void(types.uintp, types.int32))
_uc_reg_read: Any = types.ExternalFunction(
    "uc_reg_read", types.int32(types.uintp, types.int32, _WORDS_POINTER)
)
_uc_reg_write: Any = types.ExternalFunction(
    "uc_reg_write", types.int32(types.uintp, types.int32, _WORDS_POINTER)
)
_EPSR = np.int32(arm.UC_ARM_REG_EPSR)


@numba.njit(inline="always")
def go_on(uc, words):  # type: ignore[no-untyped-def]  # typed by numba
    """Leave a hook whose access is carried out; Unicorn writes to the first of `words`, which is kept."""
    kept = words[0]
    words[0] = 0
    _uc_reg_read(uc, _EPSR, words)
    if words[0] & IT_BITS != 0:
        words[0] &= ~IT_BITS
        _uc_reg_write(uc, _EPSR, words)
    words[0] = kept


@numba.njit(inline="always")
def stop_at(uc, kind):  # type: ignore[no-untyped-def]  # typed by numba
    """Leave a hook whose access must not be carried out."""
    _python_stop(uc, kind)


@numba.cfunc(
    types.void(types.uintp, types.int32, types.uint64, types.int32, types.int64, _WORDS_POINTER), cache=True
)
def on_access_end(uc, kind, address, size, value, words):  # type: ignore[no-untyped-def]  # typed by numba
    """UC_HOOK_MEM_READ and UC_HOOK_MEM_WRITE callback, the last one of an access.

    Where a protection hook comes after it, that one clears the IT bits: it may have to stop at them.
    """
    at = np.int64(address)
    if SRAM1 <= at < SRAM1_END or SRAM2 <= at < SRAM2_END or (kind == LOAD and at < SRAM1):
        go_on(uc, words)


ON_ACCESS_END: int = on_access_end.address or 0
"""Native address of the callback."""
