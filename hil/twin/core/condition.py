# SPDX-License-Identifier: Apache-2.0
"""IT blocks: where they begin, and which of their instructions are executed: Armv7-M ARM (DDI 0403), A7.3."""

from __future__ import annotations

from hil.twin.core.instruction_timing import instruction_size
from hil.twin.core.memory import Memory

_LONGEST_BLOCK_BYTES = 2 + 3 * 4
"""From the IT instruction to its fourth instruction."""


def it_block_start(memory: Memory, address: int) -> int | None:
    """Return the address of the IT instruction whose block the instruction at `address` belongs to, if any.

    Data that looks like such an instruction may be taken for one.
    """
    for start in range(address - 2, address - _LONGEST_BLOCK_BYTES - 1, -2):
        view = memory.view(start, address - start)
        if view is None:
            return None
        mask = int(view[0]) & 0xF
        if view[1] != 0xBF or not mask:
            continue
        at = start + 2
        for _ in range(4 - (mask & -mask).bit_length() + 1):
            if at == address:
                return start
            if at > address:
                break
            at += instruction_size(view[at - start + 1])
    return None


def in_it_block(xpsr: int) -> bool:
    """Tell whether the next instruction belongs to an IT block, from xPSR."""
    return bool(xpsr >> 8 & 0xC | xpsr >> 25 & 3)


def condition_passes(xpsr: int) -> bool:
    """Tell whether the next instruction is executed, from the flags and the IT bits of xPSR."""
    it = xpsr >> 8 & 0xFC | xpsr >> 25 & 3
    if not it & 0xF:
        return True
    n, z, c, v = (bool(xpsr >> bit & 1) for bit in (31, 30, 29, 28))
    holds = (z, c, n, v, c and not z, n == v, n == v and not z, True)[it >> 5]
    return holds != bool(it >> 4 & 1) or it >> 5 == 7
