# SPDX-License-Identifier: Apache-2.0
"""Counts what the operands of SDIV and UDIV add to the cycles of their block.

Source: Cortex-M4 TRM (DDI 0439), 3.3.1: 2 to 12 cycles, "early termination ... based on the number of
leading ones and zeroes in the input operands".  Assumption: from one end to the other in equal steps by the
quotient's bits, clz(divisor) - clz(dividend) + 1, which is the form that Arm gives for the Cortex-R4 (DDI
0363, C.8); a division by zero takes two.
"""

from __future__ import annotations

import numba
import numpy as np
from unicorn import arm_const as arm

from hil.twin.core import state_layout as words
from hil.twin.core.native import BLOCK_HOOK, code_at, read_register

_MOST_ADDED = 10
_R0 = arm.UC_ARM_REG_R0


@numba.njit(inline="always")
def _bits(value, signed):  # type: ignore[no-untyped-def]  # typed by numba
    if signed and value >> 31 != 0:
        value = (1 << 32) - value
    count = 0
    while value != 0:
        value >>= 1
        count += 1
    return count


@numba.cfunc(BLOCK_HOOK, cache=True)
def on_division(uc, address, size, state):  # type: ignore[no-untyped-def]  # typed by numba
    """UC_HOOK_CODE callback; `user_data` is the state array."""
    code = code_at(address, state)
    dividend = read_register(uc, np.int32(_R0 + (code & 15)), state)
    divisor = read_register(uc, np.int32(_R0 + (code >> 16 & 15)), state)
    added = 0
    if code & 0xFFD0 == 0xFB90 and divisor != 0:  # still a division
        signed = code & 0x20 == 0
        quotient_bits = max(0, _bits(dividend, signed) - _bits(divisor, signed) + 1)
        added = (_MOST_ADDED * quotient_bits + 31) // 32
    state[words.CYCLES] += added
    state[words.BLOCK_CYCLES] += added


ON_DIVISION: int = on_division.address or 0
