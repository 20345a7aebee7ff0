# SPDX-License-Identifier: Apache-2.0
"""What the flash's wait states cost the core, with and without the ART accelerator.

Wait states, 64-bit reads, caches and prefetch: RM0351, "Embedded flash memory", and its FLASH_ACR register.
Data read from flash other than literals is not charged.
"""

from __future__ import annotations

from typing import NamedTuple

_CYCLES_PER_LINE = 3
"""Assumption: cycles the instructions of one 64-bit line take, which prefetch uses to read the next line."""


class FlashCosts(NamedTuple):
    """Cycles added to what the core needs by itself."""

    line: int
    """Per 64-bit line of instructions fetched."""
    branch: int
    """Per taken branch, besides the line it leads to."""
    literal: int
    """Per literal loaded."""


def flash_costs(wait_states: int, instruction_cache: bool, data_cache: bool, prefetch: bool) -> FlashCosts:
    """Return the costs of a setting of FLASH_ACR.

    Assumption: with the instruction cache on every fetch hits, taken branches included, and with the data
    cache on every literal does.  (STM32L476 datasheet, "ART Accelerator": performance close to zero wait
    states.)
    """
    if instruction_cache:
        line = 0
    elif prefetch:
        line = max(0, wait_states - _CYCLES_PER_LINE)
    else:
        line = wait_states
    return FlashCosts(
        line=line,
        branch=0 if instruction_cache else wait_states - line,
        literal=0 if data_cache else wait_states,
    )
