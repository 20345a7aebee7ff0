# SPDX-License-Identifier: Apache-2.0
"""Keeps BASEPRI to the priority bits that the part has, of which Unicorn stores all eight.

Source: Armv7-M Architecture Reference Manual (DDI 0403), B1.4.3: the bits of a priority that a part does not
implement read as zero. What MSR has stored is brought to that before the next instruction that looks at it.
"""

from __future__ import annotations

import ctypes

import llvmlite.binding
import numba
import numpy as np
from numba import types
from unicorn import arm_const as arm
from unicorn.unicorn_py3.unicorn import uclib

from hil.twin.core.nvic import PRIORITY_BITS

_BASEPRI = arm.UC_ARM_REG_BASEPRI

for _name in ("uc_reg_read", "uc_reg_write"):
    llvmlite.binding.add_symbol(_name, ctypes.cast(getattr(uclib, _name), ctypes.c_void_p).value)
_STATE_POINTER: types.Type = types.CPointer(types.int64)  # type: ignore[no-untyped-call]  # numba's own gap
_uc_reg_read = types.ExternalFunction("uc_reg_read", types.int32(types.uintp, types.int32, _STATE_POINTER))
_uc_reg_write = types.ExternalFunction("uc_reg_write", types.int32(types.uintp, types.int32, _STATE_POINTER))


@numba.cfunc(types.void(types.uintp, types.uint64, types.uint32, _STATE_POINTER), cache=True)
def on_priority_mask(uc, address, size, state):  # type: ignore[no-untyped-def]  # typed by numba
    """UC_HOOK_CODE callback; `user_data` is the state array, whose first word Unicorn uses for us."""
    kept = state[0]
    state[0] = 0
    _uc_reg_read(uc, np.int32(_BASEPRI), state)  # type: ignore[call-overload]  # numba's own gap
    if state[0] & ~PRIORITY_BITS:
        state[0] &= PRIORITY_BITS
        _uc_reg_write(uc, np.int32(_BASEPRI), state)  # type: ignore[call-overload]
    state[0] = kept


ON_PRIORITY_MASK: int = on_priority_mask.address or 0
