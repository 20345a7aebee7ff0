# SPDX-License-Identifier: Apache-2.0
"""Counts the wait states of loads from flash whose index is computed in their own block: table look-ups.

The block hook knows the registers at a block's entry and follows the loads whose address these tell.  Where
the base tells that a load reads from flash and its index is not known yet, a hook on the load itself does it.
"""

from __future__ import annotations

import ctypes

import llvmlite.binding
import numba
import numpy as np
from numba import types
from unicorn import arm_const as arm
from unicorn.unicorn_py3.unicorn import uclib

from hil.twin.core.block_hook import WAIT_STATES, charge_flash_load

_R0 = arm.UC_ARM_REG_R0
_LOW_REGISTERS = 13
"""R0 to R12 are numbered in a row; a base or an index of SP, LR and PC is not looked at."""

for _name in ("uc_reg_read", "uc_mem_read"):
    llvmlite.binding.add_symbol(_name, ctypes.cast(getattr(uclib, _name), ctypes.c_void_p).value)
_STATE_POINTER: types.Type = types.CPointer(types.int64)  # type: ignore[no-untyped-call]  # numba's own gap
_uc_reg_read = types.ExternalFunction("uc_reg_read", types.int32(types.uintp, types.int32, _STATE_POINTER))
_uc_mem_read = types.ExternalFunction(
    "uc_mem_read", types.int32(types.uintp, types.uint64, _STATE_POINTER, types.uint64)
)


@numba.cfunc(types.void(types.uintp, types.uint64, types.uint32, _STATE_POINTER), cache=True)
def on_load(uc, address, size, state):  # type: ignore[no-untyped-def]  # typed by numba
    """UC_HOOK_CODE callback; `user_data` is the state array, whose first word Unicorn writes to for us."""
    if state[WAIT_STATES] == 0:
        return
    kept = state[0]
    state[0] = 0
    _uc_mem_read(uc, address, state, 4)  # type: ignore[call-overload]  # numba's own gap
    code = state[0]
    base = index = -1
    shift = 0
    if code & 0xF000 == 0x5000:  # LDR, LDRB, LDRH and the signed ones, (register), T1
        base, index = code >> 3 & 7, code >> 6 & 7
    elif code & 0xFE10 == 0xF810 and code >> 16 & 0xFC0 == 0:  # the same, T2
        base, index, shift = code & 15, code >> 16 & 15, code >> 20 & 3
    target = np.int64(-1)
    if 0 <= base < _LOW_REGISTERS and index < _LOW_REGISTERS:
        state[0] = 0
        _uc_reg_read(uc, np.int32(_R0 + base), state)  # type: ignore[call-overload]
        target = state[0]
        state[0] = 0
        _uc_reg_read(uc, np.int32(_R0 + index), state)  # type: ignore[call-overload]
        target = target + (state[0] << shift) & 0xFFFF_FFFF
    state[0] = kept
    if target >= 0:
        charge_flash_load(target, state)


ON_LOAD: int = on_load.address or 0
