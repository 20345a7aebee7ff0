# SPDX-License-Identifier: Apache-2.0
"""Names for the numbers in the firmware's ``ERR`` and ``NAK`` records (firmware/src/errors.h)."""

from __future__ import annotations

NAMES = {
    1: "model: an offset or a size points outside the file",
    2: "model: not a TFL3 FlatBuffer of schema version 3",
    3: "model: not one chain of operators",
    4: "model: unknown operator or fused activation",
    5: "model: a tensor of a wrong element type",
    6: "model: tensor shapes that do not fit",
    7: "model: scales or zero points missing, out of range or of the wrong number",
    8: "model: needs more memory or layers than the build grants",
    16: "sampling: DMA transfer error or ADC overrun",
    17: "the 32.768 kHz crystal has not started",
    18: "unknown mailbox command",
    19: "the 32.768 kHz crystal has stopped",
    20: "command: no command line, or a wrong checksum",
    21: "command: longer than a command can be",
    22: "command: bytes came faster than the part took them",
    23: "command: no such verb",
    24: "command: a field that is missing, unknown or malformed",
    25: "command: a value that the setting cannot take",
    26: "the accelerometer does not answer, is another one or gives no samples",
}

FAULT_BASE = 32
"""From here on: 32 plus the number of the exception that ended the run before."""


def name_of(number: int) -> str:
    """What a number means, in a few words; an unknown one says so."""
    if number in NAMES:
        return NAMES[number]
    if FAULT_BASE < number < FAULT_BASE + 16:  # the core's own exceptions (ARMv7-M, B1.5.2)
        return f"exception {number - FAULT_BASE} ended the run before"
    return "a number that firmware/src/errors.h does not have"
