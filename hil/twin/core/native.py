# SPDX-License-Identifier: Apache-2.0
"""What all native hooks need: Unicorn's functions as numba calls them, and where the machine code is kept.

Functions are named to the linker, not given by address, so that numba can keep what it compiles.  To tell
whether that is still good, numba looks at a function's own file only.  The hooks take constants and inlined
functions from other files as well, so those files' contents are part of the folder's name.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
from pathlib import Path
from typing import Any, Final

import llvmlite.binding
import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from unicorn.unicorn_py3.unicorn import uclib

from hil.twin.core import state_layout as words
from hil.twin.core.memory_map import WINDOW_SHIFT

_SHARED: Final = (
    "native",
    "memory_map",
    "state_layout",
    "block_timing_word",
    "flash_accelerator",
    "access_end",
    "counter_line",
    "value_ranges",
)
"""The modules of this folder whose constants and inlined functions others compile in."""


def _keep_machine_code() -> None:
    """Have numba keep the hooks in a folder for these very sources, where it can write."""
    here = Path(__file__).parent
    digest = hashlib.sha256(b"".join((here / f"{name}.py").read_bytes() for name in _SHARED)).hexdigest()
    settings: Any = numba.config
    kept = Path(settings.CACHE_DIR) if settings.CACHE_DIR else here / "__pycache__"
    if settings.CACHE_DIR or os.access(here, os.W_OK):
        settings.CACHE_DIR = str(kept / f"native-{digest[:12]}")


_keep_machine_code()

STATE_POINTER: types.Type = types.CPointer(types.int64)  # type: ignore[no-untyped-call]  # numba's own gap
"""The state array, or another array of int64 words."""


def declare(name: str, function: Any, result: Any, *parameters: Any) -> Any:
    """Return a C function that hooks may call, given what ctypes knows it by."""
    llvmlite.binding.add_symbol(name, ctypes.cast(function, ctypes.c_void_p).value)
    return types.ExternalFunction(name, result(*parameters))


uc_emu_stop = declare("uc_emu_stop", uclib.uc_emu_stop, types.int32, types.uintp)
uc_reg_read = declare("uc_reg_read", uclib.uc_reg_read, types.int32, types.uintp, types.int32, STATE_POINTER)
uc_reg_write = declare(
    "uc_reg_write", uclib.uc_reg_write, types.int32, types.uintp, types.int32, STATE_POINTER
)
uc_mem_read = declare(
    "uc_mem_read", uclib.uc_mem_read, types.int32, types.uintp, types.uint64, STATE_POINTER, types.uint64
)
"""Each writes to the first word of the array that it is given: `SCRATCH` of the state array."""


@numba.njit(inline="always")
def read_register(uc, register, state):  # type: ignore[no-untyped-def]  # typed by numba
    """Return a 32-bit register, over the first word of `state` or of another array."""
    state[0] = 0
    uc_reg_read(uc, register, state)
    return state[0]


def _load_halfword(typing, address):  # type: ignore[no-untyped-def]  # typed by numba
    """Return the halfword at an address of the host's memory."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        pointer = builder.inttoptr(arguments[0], ir.IntType(16).as_pointer())
        return builder.zext(builder.load(pointer, align=2), ir.IntType(64))

    return types.int64(types.int64), generate


_halfword: Any = intrinsic(_load_halfword)


@numba.njit(inline="always")
def code_at(address, state):  # type: ignore[no-untyped-def]  # typed by numba
    """Return both halfwords of a 32-bit instruction, the first one lowest; the instruction lies in a memory.

    `uc_mem_read` would look the address up in Unicorn's tables, which takes longer than most hooks.
    """
    window = words.WINDOWS + (np.int64(address) >> WINDOW_SHIFT) * words.WINDOW_WORDS
    place = state[window + words.WINDOW_HOST] + np.int64(address) - state[window + words.WINDOW_BASE]
    return _halfword(place) | _halfword(place + 2) << 16


BLOCK_HOOK: Final = types.void(types.uintp, types.uint64, types.uint32, STATE_POINTER)
"""Signature of UC_HOOK_BLOCK and UC_HOOK_CODE callbacks: engine, address, size, user data."""
ACCESS_HOOK: Final = types.void(
    types.uintp, types.int32, types.uint64, types.int32, types.int64, STATE_POINTER
)
"""Of UC_HOOK_MEM_READ and UC_HOOK_MEM_WRITE callbacks: engine, kind, address, size, value, user data."""
PROTECTION_HOOK: Final = types.boolean(
    types.uintp, types.int32, types.uint64, types.int32, types.int64, STATE_POINTER
)
"""Of UC_HOOK_MEM_READ_PROT and UC_HOOK_MEM_WRITE_PROT callbacks; true lets the access be carried out."""
