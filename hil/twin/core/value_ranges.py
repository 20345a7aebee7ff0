# SPDX-License-Identifier: Apache-2.0
"""What is known of a 32-bit value over many rounds of a loop, and what instructions make of it.

A value is known as (base, slope, span). With span 0 it is exactly ``base + slope * i`` modulo 2**32 in round
i. Otherwise slope is 0 and it lies somewhere from base to base + span, modulo 2**32. Every function here errs
on the safe side: the range it gives contains all values that can occur. Over a single round all are exact.

The functions are compiled by numba as part of `loop_evaluation`.
"""

from __future__ import annotations

import numba
import numpy as np

WORD = 0xFFFF_FFFF
SIGN = 0x8000_0000
UNKNOWN = 2
"""Of a condition or a flag, which otherwise is 0 or 1."""


@numba.njit(cache=True, error_model="numpy")
def _signed(value):  # type: ignore[no-untyped-def]  # typed by numba
    value &= WORD
    return value - (1 << 32) if value & SIGN else value


@numba.njit(cache=True, error_model="numpy")
def hull(base, slope, span, rounds):  # type: ignore[no-untyped-def]  # typed by numba
    """First value and extent of the range that a value lies in; it may wrap round."""
    reach = slope * (rounds - 1)
    if reach < 0:
        base, reach = (base + reach) & WORD, -reach
    reach += span
    if reach >= WORD:
        return np.int64(0), np.int64(WORD)
    return base, reach


@numba.njit(cache=True, error_model="numpy")
def _ordered(base, slope, span, rounds, bias):  # type: ignore[no-untyped-def]  # typed by numba
    """Least and greatest value after adding `bias` modulo 2**32."""
    start, extent = hull(base, slope, span, rounds)
    start = (start + bias) & WORD
    if start + extent > WORD:
        return np.int64(0), np.int64(WORD)
    return start, start + extent


@numba.njit(cache=True, error_model="numpy")
def _bits(base, slope, span, rounds):  # type: ignore[no-untyped-def]  # typed by numba
    """The bits that are known to be set, and those that are not known."""
    low, high = _ordered(base, slope, span, rounds, 0)
    unknown = low ^ high
    for shift in (1, 2, 4, 8, 16):
        unknown |= unknown >> shift
    return low & ~unknown, unknown


@numba.njit(cache=True, error_model="numpy")
def add(a, b, carry, rounds):  # type: ignore[no-untyped-def]  # typed by numba
    """The sum a + b + carry, with the carry and the overflow; each of `a` and `b` is (base, slope, span)."""
    least_a, most_a = _ordered(a[0], a[1], a[2], rounds, 0)
    least_b, most_b = _ordered(b[0], b[1], b[2], rounds, 0)
    carried = np.int64(UNKNOWN)
    if least_a + least_b + carry > WORD:
        carried = np.int64(1)
    elif most_a + most_b + carry <= WORD:
        carried = np.int64(0)
    low_a, high_a = _ordered(a[0], a[1], a[2], rounds, SIGN)
    low_b, high_b = _ordered(b[0], b[1], b[2], rounds, SIGN)
    low, high = low_a + low_b - 2 * SIGN + carry, high_a + high_b - 2 * SIGN + carry
    overflowed = np.int64(UNKNOWN)
    if low >= -SIGN and high < SIGN:
        overflowed = np.int64(0)
    elif low >= SIGN or high < -SIGN:
        overflowed = np.int64(1)
    if a[2] == 0 and b[2] == 0:
        return (a[0] + b[0] + carry) & WORD, _signed(a[1] + b[1]), np.int64(0), carried, overflowed
    start_a, extent_a = hull(a[0], a[1], a[2], rounds)
    start_b, extent_b = hull(b[0], b[1], b[2], rounds)
    extent = extent_a + extent_b
    if extent >= WORD:
        return np.int64(0), np.int64(0), np.int64(WORD), carried, overflowed
    return (start_a + start_b + carry) & WORD, np.int64(0), extent, carried, overflowed


@numba.njit(cache=True, error_model="numpy")
def complement(a):  # type: ignore[no-untyped-def]  # typed by numba
    """All bits inverted: -1 - a."""
    return (WORD - a[0] - a[2]) & WORD, -a[1], a[2]


@numba.njit(cache=True, error_model="numpy")
def conjunction(a, b, rounds):  # type: ignore[no-untyped-def]  # typed by numba
    """The bits of a & b."""
    if b[1] == 0 and b[2] == 0 and b[0] & (b[0] + 1) == 0:
        start, extent = hull(a[0], a[1], a[2], rounds)
        if (start & b[0]) + extent <= b[0]:  # the lowest bits, which do not run over
            return a[0] & b[0], a[1], a[2]
    set_a, unknown_a = _bits(a[0], a[1], a[2], rounds)
    set_b, unknown_b = _bits(b[0], b[1], b[2], rounds)
    low, high = set_a & set_b, (set_a | unknown_a) & (set_b | unknown_b)
    return low, np.int64(0), high - low


@numba.njit(cache=True, error_model="numpy")
def disjunction(a, b, rounds):  # type: ignore[no-untyped-def]  # typed by numba
    """The bits of a | b."""
    set_a, unknown_a = _bits(a[0], a[1], a[2], rounds)
    set_b, unknown_b = _bits(b[0], b[1], b[2], rounds)
    low, high = set_a | set_b, set_a | unknown_a | set_b | unknown_b
    return low, np.int64(0), high - low


@numba.njit(cache=True, error_model="numpy")
def difference(a, b, rounds):  # type: ignore[no-untyped-def]  # typed by numba
    """The bits of a ^ b."""
    set_a, unknown_a = _bits(a[0], a[1], a[2], rounds)
    set_b, unknown_b = _bits(b[0], b[1], b[2], rounds)
    unknown = unknown_a | unknown_b
    low = (set_a ^ set_b) & ~unknown
    return low, np.int64(0), unknown


@numba.njit(cache=True, error_model="numpy")
def product(a, b, rounds):  # type: ignore[no-untyped-def]  # typed by numba
    """The product a * b, the lower 32 bits."""
    if a[1] == 0 and a[2] == 0:
        a, b = b, a
    if b[1] != 0 or b[2] != 0:
        start_a, extent_a = hull(a[0], a[1], a[2], rounds)
        start_b, extent_b = hull(b[0], b[1], b[2], rounds)
        if extent_a or extent_b:
            return np.int64(0), np.int64(0), np.int64(WORD)
        a, b = (start_a, np.int64(0), np.int64(0)), (start_b, np.int64(0), np.int64(0))
    low, high = b[0] & 0xFFFF, b[0] >> 16
    base = (a[0] * low + ((a[0] * high & 0xFFFF) << 16)) & WORD
    if a[2] == 0:
        return base, _signed((a[1] & WORD) * low + (((a[1] & WORD) * high & 0xFFFF) << 16)), np.int64(0)
    if a[2] > WORD // max(b[0], np.int64(1)):
        return np.int64(0), np.int64(0), np.int64(WORD)
    return base, np.int64(0), a[2] * b[0]


@numba.njit(cache=True, error_model="numpy")
def shifted_left(a, amount):  # type: ignore[no-untyped-def]  # typed by numba
    """The value a << amount, of 0 to 32."""
    if amount > 31:
        return np.int64(0), np.int64(0), np.int64(0)
    if a[2] == 0:
        return a[0] << amount & WORD, _signed((a[1] & WORD) << amount), np.int64(0)
    if a[2] << amount > WORD:
        return np.int64(0), np.int64(0), np.int64(WORD)
    return a[0] << amount & WORD, np.int64(0), a[2] << amount


@numba.njit(cache=True, error_model="numpy")
def shifted_right(a, amount, arithmetic, rounds):  # type: ignore[no-untyped-def]  # typed by numba
    """The value a >> amount, of 0 to 32, with copies of the sign or zeros from above."""
    if amount == 0:
        return a
    bias = np.int64(SIGN) if arithmetic else np.int64(0)
    low, high = _ordered(a[0], a[1], a[2], rounds, bias)
    low, high = (low - bias) >> amount, (high - bias) >> amount
    return low & WORD, np.int64(0), high - low


@numba.njit(cache=True, error_model="numpy")
def rotated_right(a, amount, rounds):  # type: ignore[no-untyped-def]  # typed by numba
    """The value a rotated by 1 to 31."""
    start, extent = hull(a[0], a[1], a[2], rounds)
    if extent:
        return np.int64(0), np.int64(0), np.int64(WORD)
    return (start >> amount | start << (32 - amount)) & WORD, np.int64(0), np.int64(0)


@numba.njit(cache=True, error_model="numpy")
def bit(a, position, rounds):  # type: ignore[no-untyped-def]  # typed by numba
    """One bit: 0, 1 or UNKNOWN."""
    known, unknown = _bits(a[0], a[1], a[2], rounds)
    return np.int64(UNKNOWN) if unknown >> position & 1 else known >> position & 1


@numba.njit(cache=True, error_model="numpy")
def is_zero(a, rounds):  # type: ignore[no-untyped-def]  # typed by numba
    """Whether all bits are 0: 0, 1 or UNKNOWN."""
    start, extent = hull(a[0], a[1], a[2], rounds)
    if extent == 0:
        return np.int64(start == 0)
    return np.int64(UNKNOWN) if start == 0 or start + extent > WORD else np.int64(0)


@numba.njit(cache=True, error_model="numpy")
def is_less(a, b, signed, or_equal, rounds):  # type: ignore[no-untyped-def]  # typed by numba
    """Whether a < b, or a <= b: 0, 1 or UNKNOWN."""
    bias = np.int64(SIGN) if signed else np.int64(0)
    least_a, most_a = _ordered(a[0], a[1], a[2], rounds, bias)
    least_b, most_b = _ordered(b[0], b[1], b[2], rounds, bias)
    if most_a < least_b or (or_equal and most_a <= least_b):
        return np.int64(1)
    if least_a > most_b or (not or_equal and least_a >= most_b):
        return np.int64(0)
    return np.int64(UNKNOWN)
