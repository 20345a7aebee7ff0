# SPDX-License-Identifier: Apache-2.0
"""Encodings that Unicorn executes and a Cortex-M4 does not have, floating-point ones, and uses of BASEPRI.

Source: Armv7-M Architecture Reference Manual (DDI 0403): A5.2.5 (16-bit miscellaneous), A5.3.4 (branches and
miscellaneous control), A5.3.6 (exclusive loads and stores), A5.3.7 and A5.3.10 (loads and stores), A5.3.18
(coprocessors).
"""

from __future__ import annotations

_UNDEFINED_WIDE = (
    (0xFF10_0000, 0xF900_0000),  # Advanced SIMD element and structure loads and stores
    (0xFFE0_00F0, 0xE8C0_0070),  # LDREXD, STREXD
    (0xFFF0_D000, 0xF3D0_8000),  # SUBS PC, LR: the exception return of other profiles
    (0xF800_D000, 0xF000_C000),  # BLX to an immediate, whose target is Arm code
)
_UNDEFINED_NARROW = ((0xFFE0, 0xB640),)  # SETEND
"""(mask, value) of the encodings."""


def is_undefined(code: bytes) -> bool:
    """Tell whether a Cortex-M4 takes a UsageFault for an instruction that Unicorn executes."""
    first = int.from_bytes(code[:2], "little")
    if len(code) == 2:
        return any(first & mask == value for mask, value in _UNDEFINED_NARROW)
    word = first << 16 | int.from_bytes(code[2:4], "little")
    return any(word & mask == value for mask, value in _UNDEFINED_WIDE)


def uses_basepri(code: bytes) -> bool:
    """Tell whether an instruction is MRS or MSR of BASEPRI or BASEPRI_MAX (DDI 0403, B5.1)."""
    if len(code) < 4:
        return False
    first, second = int.from_bytes(code[:2], "little"), int.from_bytes(code[2:4], "little")
    moves = first & 0xFFF0 == 0xF380 or first == 0xF3EF
    return moves and second & 0xFF in (17, 18)


def is_floating_point(code: bytes) -> bool:
    """Tell whether an instruction is one of coprocessors 10 and 11, decodable or not.

    Advanced SIMD data processing has no coprocessor: it is undefined whether or not CPACR gives access.
    """
    if len(code) < 4:
        return False
    first, second = int.from_bytes(code[:2], "little"), int.from_bytes(code[2:4], "little")
    return first & 0xEC00 == 0xEC00 and first & 0x300 != 0x300 and second >> 9 & 7 == 5
