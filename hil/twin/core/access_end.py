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
from typing import Final, Protocol

import numba
import numpy as np
from numba import types
from unicorn import arm_const as arm

from hil.twin.core import state_layout as words
from hil.twin.core.memory_map import WINDOW_SHIFT
from hil.twin.core.native import ACCESS_HOOK, declare, read_register, uc_reg_write

IT_BITS: Final = 0x0600_FC00
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
_python_stop = declare("hil_stop_at_access", _PYTHON_STOP, types.void, types.uintp, types.int32)
_EPSR = np.int32(arm.UC_ARM_REG_EPSR)


@numba.njit(inline="always")
def go_on(uc, state):  # type: ignore[no-untyped-def]  # typed by numba
    """Leave a hook whose access is carried out."""
    if read_register(uc, _EPSR, state) & IT_BITS != 0:
        state[words.SCRATCH] &= ~IT_BITS
        uc_reg_write(uc, _EPSR, state)


@numba.njit(inline="always")
def stop_at(uc, kind):  # type: ignore[no-untyped-def]  # typed by numba
    """Leave a hook whose access must not be carried out."""
    _python_stop(uc, kind)


@numba.cfunc(ACCESS_HOOK, cache=True)
def on_access_end(uc, kind, address, size, value, state):  # type: ignore[no-untyped-def]  # typed by numba
    """UC_HOOK_MEM_READ and UC_HOOK_MEM_WRITE callback, the last one of an access; `user_data` is the state
    array.

    Where a protection hook comes after it, that one clears the IT bits: it may have to stop at them. That is
    so outside the memories, and at stores to those that the program cannot write to.
    """
    at = np.int64(address)
    window = words.WINDOWS + (at >> WINDOW_SHIFT) * words.WINDOW_WORDS
    offset = at - state[window + words.WINDOW_BASE]
    writable = state[window + words.WINDOW_KIND] == words.KIND_RAM
    if 0 <= offset < state[window + words.WINDOW_SIZE] and (kind == LOAD or writable):
        go_on(uc, state)


ON_ACCESS_END: int = on_access_end.address or 0
"""Native address of the callback."""
