# SPDX-License-Identifier: Apache-2.0
"""Counts what the operands of SDIV and UDIV add to the cycles of their block.

Source: Cortex-M4 TRM (DDI 0439), 3.3.1: 2 to 12 cycles, "early termination ... based on the number of
leading ones and zeroes in the input operands".  Assumption: from one end to the other in equal steps by the
quotient's bits, clz(divisor) - clz(dividend) + 1, which is the form that Arm gives for the Cortex-R4 (DDI
0363, C.8); a division by zero takes two.
"""

from __future__ import annotations

import ctypes

import llvmlite.binding
import numba
import numpy as np
from numba import types
from unicorn import arm_const as arm
from unicorn.unicorn_py3.unicorn import uclib

from hil.twin.core.block_hook import BLOCK_CYCLES, CYCLES

_MOST_ADDED = 10
_R0 = arm.UC_ARM_REG_R0

for _name in ("uc_reg_read", "uc_mem_read"):
    llvmlite.binding.add_symbol(_name, ctypes.cast(getattr(uclib, _name), ctypes.c_void_p).value)
_STATE_POINTER: types.Type = types.CPointer(types.int64)  # type: ignore[no-untyped-call]  # numba's own gap
_uc_reg_read = types.ExternalFunction("uc_reg_read", types.int32(types.uintp, types.int32, _STATE_POINTER))
_uc_mem_read = types.ExternalFunction(
    "uc_mem_read", types.int32(types.uintp, types.uint64, _STATE_POINTER, types.uint64)
)


@numba.njit(inline="always")
def _bits(value, signed):  # type: ignore[no-untyped-def]  # typed by numba
    if signed and value >> 31 != 0:
        value = (1 << 32) - value
    count = 0
    while value != 0:
        value >>= 1
        count += 1
    return count


@numba.cfunc(types.void(types.uintp, types.uint64, types.uint32, _STATE_POINTER), cache=True)
def on_division(uc, address, size, state):  # type: ignore[no-untyped-def]  # typed by numba
    """UC_HOOK_CODE callback; `user_data` is the state array, whose first word Unicorn writes to for us."""
    cycles = state[CYCLES]
    state[0] = 0
    _uc_mem_read(uc, address, state, 4)  # type: ignore[call-overload]  # numba's own gap
    code = state[0]
    state[0] = 0
    _uc_reg_read(uc, np.int32(_R0 + (code & 15)), state)  # type: ignore[call-overload]
    dividend = state[0]
    state[0] = 0
    _uc_reg_read(uc, np.int32(_R0 + (code >> 16 & 15)), state)  # type: ignore[call-overload]
    divisor = state[0]
    added = 0
    if code & 0xFFD0 == 0xFB90 and divisor != 0:  # still a division
        signed = code & 0x20 == 0
        quotient_bits = max(0, _bits(dividend, signed) - _bits(divisor, signed) + 1)
        added = (_MOST_ADDED * quotient_bits + 31) // 32
    state[CYCLES] = cycles + added
    state[BLOCK_CYCLES] += added


ON_DIVISION: int = on_division.address or 0
