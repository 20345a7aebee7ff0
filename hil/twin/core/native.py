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
from numba import types
from unicorn.unicorn_py3.unicorn import uclib

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
def read_register(uc, register, words):  # type: ignore[no-untyped-def]  # typed by numba
    """Return a 32-bit register, over the first of `words`."""
    words[0] = 0
    uc_reg_read(uc, register, words)
    return words[0]


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
