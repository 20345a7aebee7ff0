# SPDX-License-Identifier: Apache-2.0
"""Counts the wait states of loads from flash whose index is computed in their own block: table look-ups.

The block hook knows the registers at a block's entry and follows the loads whose address these tell.  Where
the base tells that a load reads from flash and its index is not known yet, a hook on the load itself does it.
"""

from __future__ import annotations

import numba
import numpy as np
from unicorn import arm_const as arm

from hil.twin.core import state_layout as words
from hil.twin.core.flash_accelerator import charge_load
from hil.twin.core.native import BLOCK_HOOK, code_at, read_register

_R0 = arm.UC_ARM_REG_R0
_LOW_REGISTERS = 13
"""R0 to R12 are numbered in a row; a base or an index of SP, LR and PC is not looked at."""


@numba.cfunc(BLOCK_HOOK, cache=True)
def on_load(uc, address, size, state):  # type: ignore[no-untyped-def]  # typed by numba
    """UC_HOOK_CODE callback; `user_data` is the state array."""
    if state[words.WAIT_STATES] == 0:
        return
    code = code_at(address, state)
    base = index = -1
    shift = 0
    if code & 0xF000 == 0x5000:  # LDR, LDRB, LDRH and the signed ones, (register), T1
        base, index = code >> 3 & 7, code >> 6 & 7
    elif code & 0xFE10 == 0xF810 and code >> 16 & 0xFC0 == 0:  # the same, T2
        base, index, shift = code & 15, code >> 16 & 15, code >> 20 & 3
    if 0 <= base < _LOW_REGISTERS and index < _LOW_REGISTERS:
        place = read_register(uc, np.int32(_R0 + base), state)
        place += read_register(uc, np.int32(_R0 + index), state) << shift
        charge_load(place & 0xFFFF_FFFF, state)


ON_LOAD: int = on_load.address or 0
