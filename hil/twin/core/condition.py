# SPDX-License-Identifier: Apache-2.0
"""Whether an instruction in an IT block is executed: Armv7-M ARM (DDI 0403), A7.3."""

from __future__ import annotations


def condition_passes(xpsr: int) -> bool:
    """Tell whether the next instruction is executed, from the flags and the IT bits of xPSR."""
    it = xpsr >> 8 & 0xFC | xpsr >> 25 & 3
    if not it & 0xF:
        return True
    n, z, c, v = (bool(xpsr >> bit & 1) for bit in (31, 30, 29, 28))
    holds = (z, c, n, v, c and not z, n == v, n == v and not z, True)[it >> 5]
    return holds != bool(it >> 4 & 1) or it >> 5 == 7
