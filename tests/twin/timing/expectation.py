# SPDX-License-Identifier: Apache-2.0
"""What a trace should take: Arm's cycles, and the stalls of the flash where it has wait states."""

from __future__ import annotations

from collections.abc import Sequence

from tests.twin.timing.arm_text import Cycles, Past, Step, add_instruction, decode
from tests.twin.timing.art import LINE_BYTES, Flash
from tests.twin.timing.image_build import FLASH

_FLASH_END = FLASH + (1 << 20)


def expected(trace: Sequence[Step], wait_states: int, prefetch: bool, caches: bool) -> Cycles:
    """Return the fewest and most cycles for a setting of FLASH_ACR, with the caches empty to begin with."""
    ends = []
    for most in (False, True):
        flash = Flash(wait_states, prefetch, instruction_cache=caches, data_cache=caches)
        ends.append(_run(trace, flash, most))
    return Cycles(*ends)


def _run(trace: Sequence[Step], flash: Flash, most: bool) -> int:
    now = 0
    past = Past()
    for position, step in enumerate(trace):
        here = decode(step.code, step.address)
        end = step.address + here.size
        follows = trace[position + 1].address if position + 1 < len(trace) else end
        cycles = Cycles()
        add_instruction(cycles, here, past, step, jumps=follows != end)
        for line in range(step.address & ~(LINE_BYTES - 1), end, LINE_BYTES):
            now += flash.fetch(line, now)
        for address, _ in step.accesses:
            if FLASH <= address < _FLASH_END:
                now += flash.load(address, now)
        now += cycles.most if most else cycles.fewest
    return now
