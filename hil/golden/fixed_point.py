# SPDX-License-Identifier: Apache-2.0
"""Logistic function and hyperbolic tangent in 32-bit fixed point, as TFLite Micro's reference kernels have
them.

They come from gemmlowp: exp(-x) is a polynomial for what is below a quarter, times a power of e for each
bit above, and 1 / (1 + x) is found by Newton's method. Numbers named `q31` are reals in -1 .. 1 times
2**31, `q29` ones in -4 .. 4 times 2**29. All are int64 arrays that hold int32 values.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
INPUT_INTEGER_BITS = 4
"""Integer bits of the functions' argument (Q4.27)."""

_ONE_Q29 = 2**29
_POWERS_Q31 = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
"""exp(-2**i) for i = -2 .. 4."""


def saturating_rounding_doubling_high_mul(values: Ints, mantissa: Ints | np.int64) -> Ints:
    """Gives values * mantissa / 2**31, rounded half away from zero, as gemmlowp defines it on int32."""
    product = values * mantissa
    nudged = product + np.where(product >= 0, 1 << 30, 1 - (1 << 30))
    # C's division truncates towards zero.
    high = np.sign(nudged) * (np.abs(nudged) >> 31)
    overflow = (values == INT32_MIN) & (mantissa == INT32_MIN)
    return np.where(overflow, INT32_MAX, high)


def rounding_divide_by_pot(values: Ints, exponent: Ints | np.int64) -> Ints:
    """Gives values / 2**exponent, rounded to nearest, ties away from zero."""
    mask = (np.int64(1) << exponent) - 1
    remainder = values & mask
    threshold = (mask >> 1) + (values < 0)
    return (values >> exponent) + (remainder > threshold)


def logistic_q31(x_q27: Ints) -> Ints:
    """1 / (1 + exp(-x))."""
    exponential = exp_of_negative_q31(-np.abs(x_q27), INPUT_INTEGER_BITS)
    of_magnitude = one_over_one_plus_q31(exponential)
    result = np.where(x_q27 > 0, of_magnitude, INT32_MAX - of_magnitude)
    return np.where(x_q27 == 0, 1 << 30, result)


def tanh_q31(x_q27: Ints) -> Ints:
    """tanh(x), from exp(-2 |x|): the same bits with one more before the point."""
    exponential = exp_of_negative_q31(-np.abs(x_q27), INPUT_INTEGER_BITS + 1)
    of_magnitude = _shifted_left(_two_over_one_plus_q29(exponential) - _ONE_Q29, 2)
    return np.sign(x_q27) * of_magnitude


def one_over_one_plus_q31(x_q31: Ints) -> Ints:
    """1 / (1 + x) of 0 <= x <= 1."""
    return _shifted_left(_two_over_one_plus_q29(x_q31), 1)


def _product(a: Ints, b: Ints | int) -> Ints:
    return saturating_rounding_doubling_high_mul(a, np.asarray(b, dtype=np.int64))


def _halved(values: Ints, times: int) -> Ints:
    return rounding_divide_by_pot(values, np.int64(times))


def _shifted_left(values: Ints, bits: int) -> Ints:
    limit = (1 << (31 - bits)) - 1
    shifted = np.where(values < -limit, INT32_MIN, values << bits)
    return np.where(values > limit, INT32_MAX, shifted)


def _exp_of_last_quarter_q31(x_q31: Ints) -> Ints:
    """exp(x) of -1/4 <= x < 0 by Taylor's series about -1/8."""
    exp_of_minus_eighth_q31, third_q31 = 1895147668, 715827883
    d = x_q31 + (1 << 28)
    d2 = _product(d, d)
    d3 = _product(d2, d)
    d4 = _product(d2, d2)
    series = d + _halved(_product(_halved(d4, 2) + d3, third_q31) + d2, 1)
    return exp_of_minus_eighth_q31 + _product(series, exp_of_minus_eighth_q31)


def exp_of_negative_q31(x: Ints, integer_bits: int) -> Ints:
    """exp(x) of x <= 0 with `integer_bits` bits before the point."""
    quarter_bit = 29 - integer_bits
    quarter = 1 << quarter_bit
    in_last_quarter = (x & (quarter - 1)) - quarter
    quarters = (in_last_quarter - x) >> quarter_bit
    result = _exp_of_last_quarter_q31(_shifted_left(in_last_quarter, integer_bits))
    for bit in range(integer_bits + 2):
        result = np.where((quarters >> bit) & 1 == 1, _product(result, _POWERS_Q31[bit]), result)
    return np.where(x == 0, INT32_MAX, result)


def _two_over_one_plus_q29(x_q31: Ints) -> Ints:
    """2 / (1 + x) of 0 <= x <= 1."""
    start_q29, slope_q29 = 1515870810, -1010580540  # 48/17, -32/17
    half_q31 = (x_q31 + INT32_MAX + 1) // 2
    result = start_q29 + _product(half_q31, slope_q29)
    for _ in range(3):
        error_q29 = _ONE_Q29 - _product(half_q31, result)
        result = result + _shifted_left(_product(result, error_q29), 2)
    return result
