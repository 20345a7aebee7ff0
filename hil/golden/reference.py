# SPDX-License-Identifier: Apache-2.0
"""The int8 arithmetic of TensorFlow Lite Micro's FULLY_CONNECTED, in numpy, to the bit.

As TFLM's reference kernel does it (double rounding, the default build): an int32 accumulator is scaled by a
Q31 multiplier with a rounding high multiplication, then by a rounding right shift. The real multiplier
input_scale * weight_scale / output_scale is formed in float64 from the file's float32 scales, as TFLM wheels
of 2026-10-13 and later do; earlier ones form the per-tensor product in float32, and about one output in 10**4
then differs by 1.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from hil.golden.tflite_model import Activation, FullyConnected, Model

_INT32_MIN, _INT32_MAX = -(2**31), 2**31 - 1


def quantize_multiplier(real: float) -> tuple[int, int]:
    """A positive real multiplier as (Q31 mantissa, left shift): real ~ mantissa / 2**31 * 2**shift."""
    fraction, shift = math.frexp(real)
    mantissa = math.floor(fraction * 2**31 + 0.5)  # fraction > 0, so this rounds half away from zero
    if mantissa == 2**31:
        mantissa //= 2
        shift += 1
    if shift < -31:
        return 0, 0
    return mantissa, shift


def layer_multipliers(layer: FullyConnected) -> list[tuple[int, int]]:
    """(mantissa, shift) for each output of `layer`; all the same if its weights are scaled per tensor."""
    scales = np.broadcast_to(layer.weight_scales.astype(np.float64), (layer.output_size,))
    return [quantize_multiplier(layer.input_scale * float(scale) / layer.output_scale) for scale in scales]


def activation_range(layer: FullyConnected) -> tuple[int, int]:
    """Lowest and highest int8 output of `layer` under its fused activation."""
    low, high = -128, 127
    if layer.activation is not Activation.NONE:
        low = max(low, layer.output_zero_point)
    if layer.activation is Activation.RELU6:
        steps = math.floor(float(np.float32(6.0) / np.float32(layer.output_scale)) + 0.5)
        high = min(high, layer.output_zero_point + steps)
    return low, high


def saturating_rounding_doubling_high_mul(
    values: npt.NDArray[np.int64], mantissa: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Gives values * mantissa / 2**31, rounded half away from zero, as gemmlowp defines it on int32."""
    product = values * mantissa
    nudged = product + np.where(product >= 0, 1 << 30, 1 - (1 << 30))
    # C's division truncates towards zero.
    high = np.sign(nudged) * (np.abs(nudged) >> 31)
    overflow = (values == _INT32_MIN) & (mantissa == _INT32_MIN)
    return np.where(overflow, _INT32_MAX, high)


def rounding_divide_by_pot(
    values: npt.NDArray[np.int64], exponent: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Gives values / 2**exponent, rounded to nearest, ties away from zero."""
    mask = (np.int64(1) << exponent) - 1
    remainder = values & mask
    threshold = (mask >> 1) + (values < 0)
    return (values >> exponent) + (remainder > threshold)


def _wrapped(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """`values` modulo 2**32, as the kernel's int32 variables hold them."""
    return values.astype(np.int32).astype(np.int64)


def run_layer(layer: FullyConnected, inputs: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """Outputs int8 [n, outputs] of `layer` for int8 [n, inputs]."""
    centred = inputs.astype(np.int64) - layer.input_zero_point
    accumulator = _wrapped(centred @ layer.weights.T.astype(np.int64) + layer.bias)
    multipliers = np.array(layer_multipliers(layer), dtype=np.int64)
    mantissa, shift = multipliers[:, 0], multipliers[:, 1]
    left, right = np.maximum(shift, 0), np.maximum(-shift, 0)
    scaled = saturating_rounding_doubling_high_mul(_wrapped(accumulator << left), mantissa)
    scaled = rounding_divide_by_pot(scaled, np.broadcast_to(right, scaled.shape)) + layer.output_zero_point
    low, high = activation_range(layer)
    return np.clip(scaled, low, high).astype(np.int8)


def run_model(model: Model, inputs: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """Outputs int8 [n, output_size] of `model` for int8 [n, input_size]."""
    tensor = inputs
    for layer in model.layers:
        tensor = run_layer(layer, tensor)
    return tensor
