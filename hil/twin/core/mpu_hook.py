# SPDX-License-Identifier: Apache-2.0
"""Native checks of the memory protection unit: of every load and store while it is on, and of where blocks
lie.

The access hook is installed only while the MPU is on, so that nobody else pays for it.  It stops the emulator
before the instruction has changed a register; a store has reached a memory by then and is taken back.
Rules: Armv7-M Architecture Reference Manual (DDI 0403), B3.5.3 and the pseudocode ValidateAddress().
"""

from __future__ import annotations

import ctypes

import numba
import numpy as np
import numpy.typing as npt
from numba import types
from unicorn import arm_const as arm
from unicorn import unicorn_const as uc_const

from hil.twin.core.access_end import stop_at
from hil.twin.core.native import (
    ACCESS_HOOK,
    BLOCK_HOOK,
    STATE_POINTER,
    read_register,
    uc_emu_stop,
    uc_mem_read,
)

READ, WRITE, EXECUTE = 1, 2, 4
VALUE = 0
"""Unicorn writes here: what the memory held before a forbidden store."""
ACTIVE = 1
"""Not zero: accesses are checked now."""
PRIVILEGED = 2
"""Not zero: the program is privileged now."""
BACKGROUND = 3
"""MPU_CTRL.PRIVDEFENA."""
HIT = 4
"""Not zero: an access was forbidden."""
ADDRESS, SIZE, KIND = 5, 6, 7
"""The access: KIND is READ or WRITE."""
FETCH = 8
"""Not zero: the forbidden access is the fetch of the next block's first instruction."""
IN_HANDLER = 9
"""Not zero: an exception is being handled, and so the program is privileged."""
ENABLED = 10
"""Not zero: the MPU is on, unless FAULTMASK or a fault handler switches it off."""
ON_UNDER_FAULTMASK = 11
"""MPU_CTRL.HFNMIENA."""
REGIONS = 16
"""First word of the regions, those that win first."""
BASE, END, SUBREGION_SHIFT, DISABLED, PRIVILEGED_ACCESS, UNPRIVILEGED_ACCESS = range(6)
REGION_WORDS = 6
_COUNT = 8
WORDS = REGIONS + _COUNT * REGION_WORDS
_PRIVATE, _PRIVATE_END = 0xE000_0000, 0xE010_0000
"""The private peripheral bus, which the MPU leaves alone."""
_CONTROL, _FAULTMASK = np.int32(arm.UC_ARM_REG_CONTROL), np.int32(arm.UC_ARM_REG_FAULTMASK)


@numba.njit(inline="always")
def _allows(words, address, access, privileged):  # type: ignore[no-untyped-def]  # typed by numba
    if words[ACTIVE] == 0 or _PRIVATE <= address < _PRIVATE_END:
        return True
    for number in range(_COUNT):
        row = REGIONS + number * REGION_WORDS
        if words[row + BASE] <= address < words[row + END]:
            subregion = (address - words[row + BASE]) >> words[row + SUBREGION_SHIFT] & 7
            if words[row + DISABLED] != 0 and words[row + DISABLED] >> subregion & 1 != 0:
                continue
            allowed = words[row + PRIVILEGED_ACCESS] if privileged != 0 else words[row + UNPRIVILEGED_ACCESS]
            return allowed & access == access
    return privileged != 0 and words[BACKGROUND] != 0


@numba.cfunc(ACCESS_HOOK, cache=True)
def on_access(uc, kind, address, size, value, words):  # type: ignore[no-untyped-def]  # typed by numba
    """UC_HOOK_MEM_READ and UC_HOOK_MEM_WRITE callback."""
    if words[HIT] != 0:
        return
    access = WRITE if kind == uc_const.UC_MEM_WRITE else READ
    first = np.int64(address)
    privileged = words[PRIVILEGED]
    if _allows(words, first, access, privileged) and _allows(words, first + size - 1, access, privileged):
        return
    words[VALUE] = 0
    if first < 0x4000_0000:  # a memory
        uc_mem_read(uc, address, words, size)
    words[HIT] = 1
    words[ADDRESS] = first
    words[SIZE] = size
    words[KIND] = access
    words[FETCH] = 0
    stop_at(uc, kind)


@numba.cfunc(BLOCK_HOOK, cache=True)
def on_block(uc, address, size, words):  # type: ignore[no-untyped-def]  # typed by numba
    """UC_HOOK_BLOCK callback: the program may have written CONTROL or FAULTMASK, and may be where it must
    not be.

    Only a block's first instruction is looked at: one that runs on into a forbidden region is not noticed
    until the page's end (assumption: linkers align regions).
    """
    if words[HIT] != 0:
        return
    if words[IN_HANDLER] == 0:
        words[PRIVILEGED] = 1 - (read_register(uc, np.int32(arm.UC_ARM_REG_CONTROL), words) & 1)
    masked = (
        words[ON_UNDER_FAULTMASK] == 0
        and read_register(uc, np.int32(arm.UC_ARM_REG_FAULTMASK), words) & 1 != 0
    )
    words[ACTIVE] = 0 if masked else words[ENABLED]
    if not _allows(words, np.int64(address), EXECUTE, words[PRIVILEGED]):
        words[HIT] = words[FETCH] = 1
        words[ADDRESS] = np.int64(address)
        uc_emu_stop(uc)


@numba.cfunc(types.int64(STATE_POINTER, types.int64, types.int64, types.int64), cache=True)
def _check(words, address, access, privileged):  # type: ignore[no-untyped-def]  # typed by numba
    return 1 if _allows(words, address, access, privileged) else 0


ON_ACCESS: int = on_access.address or 0
ON_BLOCK: int = on_block.address or 0
"""Native addresses of the callbacks."""
_call_check = ctypes.CFUNCTYPE(
    ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64
)(_check.address or 0)


def allows(words: npt.NDArray[np.int64], address: int, access: int, privileged: bool) -> bool:
    """Tell whether an access (READ, WRITE or EXECUTE) is allowed at an address."""
    return bool(_call_check(words.ctypes.data, address, access, privileged))
