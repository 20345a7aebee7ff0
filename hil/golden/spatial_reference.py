# SPDX-License-Identifier: Apache-2.0
"""Convolutions, pools, ADD and SOFTMAX as TensorFlow Lite Micro's reference kernels compute them, to the bit.

All take and give int8 [n, size]. hil.golden.reference has the arithmetic that they share with the other
operators.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hil.golden.fixed_point import (
    exp_of_negative_q31,
    one_over_one_plus_q31,
    rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul,
)
from hil.golden.reference import activation_range, multipliers, quantize_multiplier, scaled, wrapped
from hil.golden.spatial import Addition, Convolution, Pool, Softmax, Window

Int8s = npt.NDArray[np.int8]

_ADD_LEFT_SHIFT = 20
_SOFTMAX_INPUT_BITS = 5
"""Integer bits of the exponential's argument (Q5.26)."""
_SOFTMAX_SUM_BITS = 12
"""Integer bits of the sum (Q12.19)."""


def run_convolution(operator: Convolution, inputs: Int8s) -> Int8s:
    """Outputs of CONV_2D or DEPTHWISE_CONV_2D."""
    centred = inputs.astype(np.int64) - operator.input.zero_point
    patches = _patches(
        operator.window, centred, outside=0
    )  # [n, rows, columns, kernel h, kernel w, channels]
    weights = operator.weights.astype(np.int64)
    if operator.depthwise:
        multiplier = operator.outputs // operator.window.channels
        sums = np.einsum("nyxhwc,hwc->nyxc", np.repeat(patches, multiplier, axis=-1), weights[0])
    else:
        count, rows, columns = patches.shape[:3]
        sums = patches.reshape(count, rows, columns, -1) @ weights.reshape(operator.outputs, -1).T
    accumulator = wrapped(sums + operator.bias)
    factors = multipliers(operator.input, operator.weight_scales, operator.output, operator.outputs)
    outputs = scaled(accumulator, factors) + operator.output.zero_point
    low, high = activation_range(operator.activation, operator.output)
    return np.clip(outputs, low, high).astype(np.int8).reshape(len(inputs), -1)


def run_pool(operator: Pool, inputs: Int8s) -> Int8s:
    """Outputs of AVERAGE_POOL_2D or MAX_POOL_2D; what is outside of the image does not count."""
    window = operator.window
    values: npt.NDArray[np.int64]
    if operator.average:
        inside = _patches(window, np.ones((1, window.input_size), dtype=np.int64), outside=0).sum(axis=(3, 4))
        sums = _patches(window, inputs.astype(np.int64), outside=0).sum(axis=(3, 4))
        # C's division truncates towards zero.
        values = np.sign(sums) * ((np.abs(sums) + inside // 2) // inside)
    else:
        values = _patches(window, inputs.astype(np.int64), outside=-128).max(axis=(3, 4))
    low, high = activation_range(operator.activation, operator.output)
    return np.asarray(np.clip(values, low, high), dtype=np.int8).reshape(len(inputs), -1)


def run_addition(operator: Addition, first: Int8s, second: Int8s) -> Int8s:
    """Outputs of ADD."""
    twice_largest = 2.0 * max(operator.input.scale, operator.second.scale)
    total = np.zeros(first.shape, dtype=np.int64)
    for values, quantisation in ((first, operator.input), (second, operator.second)):
        shifted = (values.astype(np.int64) - quantisation.zero_point) << _ADD_LEFT_SHIFT
        total += scaled(shifted, [quantize_multiplier(quantisation.scale / twice_largest)])
    step = twice_largest / ((1 << _ADD_LEFT_SHIFT) * operator.output.scale)
    outputs = scaled(total, [quantize_multiplier(step)]) + operator.output.zero_point
    low, high = activation_range(operator.activation, operator.output)
    return np.clip(outputs, low, high).astype(np.int8)


def run_softmax(operator: Softmax, inputs: Int8s) -> Int8s:
    """Outputs of SOFTMAX over the last axis."""
    rows = inputs.astype(np.int64).reshape(-1, operator.depth)
    below = rows - rows.max(axis=1, keepdims=True)
    real = operator.beta * operator.input.scale * (1 << (31 - _SOFTMAX_INPUT_BITS))
    factor = quantize_multiplier(real)
    lowest = -((((1 << _SOFTMAX_INPUT_BITS) - 1) << (31 - _SOFTMAX_INPUT_BITS)) >> factor[1])
    counts = below >= lowest
    exponentials = exp_of_negative_q31(scaled(np.where(counts, below, 0), [factor]), _SOFTMAX_INPUT_BITS)
    parts = np.where(counts, rounding_divide_by_pot(exponentials, np.int64(_SOFTMAX_SUM_BITS)), 0)
    sums = parts.sum(axis=1, keepdims=True)
    # 2**31 <= sum * 2**headroom < 2**32: the rest above one, and how many bits the sum is above it.
    headroom = 32 - np.ceil(np.log2(sums + 0.5)).astype(np.int64)
    reciprocals = one_over_one_plus_q31((sums << headroom) - (1 << 31))
    products = saturating_rounding_doubling_high_mul(
        np.broadcast_to(reciprocals, exponentials.shape), exponentials
    )
    exponent = np.broadcast_to(_SOFTMAX_SUM_BITS - headroom + 31 - 8, products.shape)
    outputs = np.where(counts, rounding_divide_by_pot(products, exponent) - 128, -128)
    return np.clip(outputs, -128, 127).astype(np.int8).reshape(inputs.shape)


def _patches(window: Window, values: npt.NDArray[np.int64], outside: int) -> npt.NDArray[np.int64]:
    """What the kernel sees at each place: [n, rows, columns, kernel height, kernel width, channels]."""
    image = values.reshape(-1, window.height, window.width, window.channels)
    rows, columns = (
        np.arange(outputs)[:, np.newaxis] * stride - padding + np.arange(kernel) * dilation
        for outputs, stride, padding, kernel, dilation in zip(
            window.output, window.stride, window.padding, window.kernel, window.dilation, strict=True
        )
    )
    row_inside = (rows >= 0) & (rows < window.height)
    column_inside = (columns >= 0) & (columns < window.width)
    row = np.clip(rows, 0, window.height - 1)[:, np.newaxis, :, np.newaxis]
    column = np.clip(columns, 0, window.width - 1)[np.newaxis, :, np.newaxis, :]
    inside = row_inside[:, np.newaxis, :, np.newaxis] & column_inside[np.newaxis, :, np.newaxis, :]
    return np.where(inside[np.newaxis, ..., np.newaxis], image[:, row, column], outside)
