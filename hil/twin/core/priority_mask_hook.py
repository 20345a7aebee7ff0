# SPDX-License-Identifier: Apache-2.0
"""Keeps BASEPRI to the priority bits that the part has, of which Unicorn stores all eight.

Source: Armv7-M Architecture Reference Manual (DDI 0403), B1.4.3: the bits of a priority that a part does not
implement read as zero. What MSR has stored is brought to that before the next instruction that looks at it.
"""

from __future__ import annotations

import numba
import numpy as np
from unicorn import arm_const as arm

from hil.twin.core import state_layout as words
from hil.twin.core.native import BLOCK_HOOK, read_register, uc_reg_write
from hil.twin.core.nvic import PRIORITY_BITS

_BASEPRI = arm.UC_ARM_REG_BASEPRI


@numba.cfunc(BLOCK_HOOK, cache=True)
def on_priority_mask(uc, address, size, state):  # type: ignore[no-untyped-def]  # typed by numba
    """UC_HOOK_CODE callback; `user_data` is the state array."""
    if read_register(uc, np.int32(_BASEPRI), state) & ~PRIORITY_BITS:
        state[words.SCRATCH] &= PRIORITY_BITS
        uc_reg_write(uc, np.int32(_BASEPRI), state)


ON_PRIORITY_MASK: int = on_priority_mask.address or 0
