# SPDX-License-Identifier: Apache-2.0
"""The timing of a block of instructions, packed into one word of the state array for the block hook."""

from __future__ import annotations

from typing import Final

CYCLES_MASK: Final = 0xFFFF
SIZE_SHIFT, SIZE_MASK = 16, 0x1FFF
REFILL_SHIFT, REFILL_MASK = 29, 0x3
WIDE_SHIFT: Final = 31
DEVIATION_SHIFT, DEVIATION_MASK, DEVIATION_BIAS = 32, 0xFF, 128
LOADS_SHIFT, LOADS_MASK = 40, 0xFFFF
FLAGS_SHIFT: Final = 56
"""From the lowest bit on: cycles, size in bytes, refill, what the first instruction adds to it, deviation of
the current, place of the loads, flags.
"""
DEVIATION_SCALE: Final = 256
"""The deviation of a cycle is told in so many parts of what the datasheet's code draws."""

FLAG_WRITES_MASKS: Final = 1
FLAG_SENDS_EVENT: Final = 2
FLAG_FLOATING_POINT: Final = 4
FLAG_EFFECT: Final = 8
"""It may change more than core registers and memory."""
FLAG_STORES: Final = 16
FLAG_BUSY: Final = 32
"""A loop that begins here was seen to do something."""
FLAG_WAITS: Final = 64
"""A loop that begins here was seen to wait."""


def pack_timing(
    cycles: int, size: int, refill: int, wide: bool, deviation: float, loads: int, flags: int
) -> int:
    """Return the word of a block: its cycles at zero wait states, its size in bytes, what a taken branch at
    its end adds, whether a branch to it takes a cycle more, how much more it draws than the datasheet's code
    (-0.5 to 0.496), where its loads are after LOADS (0: none), its flags.
    """
    step = round(deviation * DEVIATION_SCALE) + DEVIATION_BIAS
    return (
        min(cycles, CYCLES_MASK)
        | size << SIZE_SHIFT
        | refill << REFILL_SHIFT
        | wide << WIDE_SHIFT
        | min(max(step, 0), DEVIATION_MASK) << DEVIATION_SHIFT
        | loads << LOADS_SHIFT
        | flags << FLAGS_SHIFT
    )


def size_of(word: int) -> int:
    """Return the bytes of a block from its word."""
    return word >> SIZE_SHIFT & SIZE_MASK
