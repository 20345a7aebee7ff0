# SPDX-License-Identifier: Apache-2.0
"""How much a block of instructions draws beside the code that the datasheet's tables were measured with.

The part draws a share for its clock, one for every instruction and one for every word loaded or stored.  The
shares are fitted to the rows by code of DS10198 Rev 8 (Tables 33 and 39, range 1, 80 MHz), each run as the
program of that kind in `hil/twin/characterize/firmware/codes.h`; docs/energy.md has the residuals.
"""

from __future__ import annotations

FLASH_SHARES_A = (9.29e-3, 1.24e-3, 3.53e-3)
SRAM_SHARES_A = (8.99e-3, 0.72e-3, 4.01e-3)
"""At 80 MHz: per cycle, per instruction in every cycle, per word accessed in every cycle."""
FLASH_REFERENCE_A = 10.2e-3
SRAM_REFERENCE_A = 10.077e-3
"""What the shares give for the program that stands for the tables' "reduced code"."""


def deviation(instructions: int, words: int, cycles: int, in_sram: bool) -> float:
    """Return how much more code in flash or SRAM draws than the reduced code from there, relative to it.

    It executes so many `instructions` and loads or stores so many `words` in `cycles`, its branch taken.
    """
    clock_a, instruction_a, word_a = SRAM_SHARES_A if in_sram else FLASH_SHARES_A
    reference_a = SRAM_REFERENCE_A if in_sram else FLASH_REFERENCE_A
    return (clock_a + (instruction_a * instructions + word_a * words) / cycles) / reference_a - 1.0
