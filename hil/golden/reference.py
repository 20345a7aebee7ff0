# SPDX-License-Identifier: Apache-2.0
"""The arithmetic of TensorFlow Lite Micro's reference kernels for int8 networks, in numpy, to the bit.

As the default build does it (double rounding): an int32 accumulator is scaled by a Q31 multiplier with a
rounding high multiplication, then by a rounding right shift. FULLY_CONNECTED's real multiplier, input_scale
* weight_scale / output_scale, is formed in float64 from the file's float32 scales, as TFLM wheels of
2026-10-13 and later do; earlier ones form the per-tensor product in float32, and about one output in 10**4
then differs by 1.

`python -m hil.golden.prove` compares this module with the pinned runtime.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from hil.errors import ModelError
from hil.golden.fixed_point import (
    INPUT_INTEGER_BITS,
    logistic_q31,
    rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul,
    tanh_q31,
)
from hil.golden.tflite_model import Elementwise, ElementwiseKind, FullyConnected
from hil.golden.tflite_tensors import Activation, Quantisation


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


def multipliers(
    source: Quantisation, weight_scales: npt.NDArray[np.float32], target: Quantisation, outputs: int
) -> list[tuple[int, int]]:
    """(mantissa, shift) for each of a layer's outputs; all the same if its weights are scaled per tensor."""
    scales = np.broadcast_to(weight_scales.astype(np.float64), (outputs,))
    return [quantize_multiplier(source.scale * float(scale) / target.scale) for scale in scales]


def activation_range(activation: Activation, output: Quantisation) -> tuple[int, int]:
    """Lowest and highest int8 output under a fused activation."""
    low, high = -128, 127
    if activation in (Activation.RELU, Activation.RELU6):
        low = output.zero_point
    if activation is Activation.RELU_N1_TO_1:
        low = max(low, output.zero_point + _steps(-1.0, output.scale))
        high = min(high, output.zero_point + _steps(1.0, output.scale))
    if activation is Activation.RELU6:
        high = min(high, output.zero_point + _steps(6.0, output.scale))
    return low, high


def _steps(value: float, scale: float) -> int:
    """The steps of `scale` in `value`, divided in float32 and rounded half away from zero."""
    return int(_rounded(np.float32(value) / np.float32(scale)))


def _rounded(values: Any) -> Any:
    return np.copysign(np.floor(np.abs(values) + np.float64(0.5)), values)


def wrapped(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """`values` modulo 2**32, as the kernel's int32 variables hold them."""
    return values.astype(np.int32).astype(np.int64)


def scaled(values: npt.NDArray[np.int64], multipliers: list[tuple[int, int]]) -> npt.NDArray[np.int64]:
    """`values` [n, m] times m multipliers, or one, rounded after the multiplication and after the shift."""
    columns = np.array(multipliers, dtype=np.int64)
    mantissa, shift = columns[:, 0], columns[:, 1]
    left, right = np.maximum(shift, 0), np.maximum(-shift, 0)
    scaled = saturating_rounding_doubling_high_mul(wrapped(values << left), mantissa)
    return rounding_divide_by_pot(scaled, np.broadcast_to(right, scaled.shape))


def run_layer(layer: FullyConnected, inputs: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """Outputs int8 [n, outputs] of `layer` for int8 [n, inputs]."""
    centred = inputs.astype(np.int64) - layer.input_zero_point
    accumulator = wrapped(centred @ layer.weights.T.astype(np.int64) + layer.bias)
    low, high = activation_range(layer.activation, layer.output)
    factors = multipliers(layer.input, layer.weight_scales, layer.output, layer.output_size)
    outputs = scaled(accumulator, factors) + layer.output_zero_point
    return np.clip(outputs, low, high).astype(np.int8)


def run_elementwise(operator: Elementwise, inputs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Outputs of `operator` for its inputs, int8 or float32 [n, size].

    Raises:
        ModelError: the input's scale is beyond what LOGISTIC and TANH are defined for.
    """
    source, target = operator.input, operator.output
    match operator.kind:
        case ElementwiseKind.RELU if source is not None and target is not None:
            return _rescaled(inputs, source, target, low=target.zero_point)
        case ElementwiseKind.QUANTIZE if target is not None:
            if source is None:
                return quantised(inputs, target)
            return _rescaled(inputs, source, target, low=-128)
        case ElementwiseKind.RELU6 if source is not None:
            # The kernel does not look at the output's quantisation.
            six = min(127, source.zero_point + _steps(6.0, source.scale))
            limited = np.maximum(np.minimum(inputs, six), source.zero_point)
            return np.asarray(limited, dtype=np.int8)
        case ElementwiseKind.LOGISTIC | ElementwiseKind.TANH if source is not None:
            return _sigmoid(inputs, source, is_tanh=operator.kind is ElementwiseKind.TANH)
        case ElementwiseKind.DEQUANTIZE if source is not None:
            return (np.float64(source.scale) * (inputs.astype(np.int64) - source.zero_point)).astype(
                np.float32
            )
        case _:
            return inputs  # RESHAPE


def quantised(values: npt.NDArray[np.float32], target: Quantisation) -> npt.NDArray[np.int8]:
    """Real numbers as int8: divided in float32, rounded half away from zero, clamped.

    What no int32 holds becomes the nearest int8, not-a-number the zero point; TFLM leaves both undefined.
    """
    with np.errstate(over="ignore"):
        steps = _rounded(values / np.float32(target.scale))
    steps = np.nan_to_num(steps, nan=0.0, posinf=2.0**30, neginf=-(2.0**30))
    return np.asarray(np.clip(steps + target.zero_point, -128, 127), dtype=np.int8)


def _rescaled(
    inputs: npt.NDArray[np.int8], source: Quantisation, target: Quantisation, low: int
) -> npt.NDArray[np.int8]:
    multiplier = quantize_multiplier(source.scale / target.scale)
    rescaled = scaled(inputs.astype(np.int64) - source.zero_point, [multiplier]) + target.zero_point
    return np.clip(rescaled, low, 127).astype(np.int8)


def _sigmoid(inputs: npt.NDArray[np.int8], source: Quantisation, *, is_tanh: bool) -> npt.NDArray[np.int8]:
    fraction, exponent = math.frexp(source.scale)
    mantissa, shift = (
        int(fraction * 2**31),
        exponent + 31 - INPUT_INTEGER_BITS,
    )  # exact: a float32 has 24 bits
    if not 0 <= shift <= 62:
        raise ModelError(
            f"a scale of {source.scale} before {'TANH' if is_tanh else 'LOGISTIC'}",
            where=".tflite model",
            operation="run",
            expected="one between 2**-28 and 2**35",
        )
    radius = (15 << (31 - INPUT_INTEGER_BITS)) >> shift  # the kernel takes what is beyond 15 for the limit
    centred = inputs.astype(np.int64) - source.zero_point
    inside = np.abs(centred) < radius
    argument = scaled(np.where(inside, centred, 0), [(mantissa, min(shift, 31))])
    if is_tanh:
        result = rounding_divide_by_pot(tanh_q31(argument), np.int64(31 - 7))
    else:
        result = rounding_divide_by_pot(logistic_q31(argument), np.int64(31 - 8)) - 128
    result = np.where(inside, result, np.where(centred <= -radius, -128, 127))
    return np.clip(result, -128, 127).astype(np.int8)
