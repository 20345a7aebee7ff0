# SPDX-License-Identifier: Apache-2.0
"""Random networks of every operator, and inputs for them that tell implementations apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hil.golden.tflite_model import (
    LOGISTIC_SCALE,
    LOGISTIC_ZERO_POINT,
    TANH_SCALE,
    TANH_ZERO_POINT,
    Elementwise,
    ElementwiseKind,
    FullyConnected,
    Model,
    Operator,
)
from hil.golden.tflite_tensors import Activation, Quantisation

MAX_SIZE = 48
"""Of a tensor."""
_NEAR = 3  # steps around the zero point
_INT8_KINDS = (
    ElementwiseKind.RELU,
    ElementwiseKind.RELU6,
    ElementwiseKind.LOGISTIC,
    ElementwiseKind.TANH,
    ElementwiseKind.QUANTIZE,
    ElementwiseKind.RESHAPE,
)


def random_model(rng: np.random.Generator, max_operators: int = 6) -> Model:
    """A chain of up to `max_operators` between optional float32 edges; at least one is no RESHAPE."""
    size = int(rng.integers(1, MAX_SIZE + 1))
    current = random_quantisation(rng)
    operators: list[Operator] = []
    if rng.random() < 0.2:
        operators.append(Elementwise(ElementwiseKind.QUANTIZE, size, None, current))
    for _ in range(rng.integers(1, max_operators + 1)):
        operator: Operator
        if rng.random() < 0.5:
            operator = random_layer(rng, size, int(rng.integers(1, MAX_SIZE + 1)), current)
        else:
            operator = _random_elementwise(rng, _INT8_KINDS[rng.integers(len(_INT8_KINDS))], size, current)
        operators.append(operator)
        size, following = operator.output_size, operator.output
        current = current if following is None else following
    if all(isinstance(op, Elementwise) and op.kind is ElementwiseKind.RESHAPE for op in operators):
        operators.append(random_layer(rng, size, size, current))
        size, current = operators[-1].output_size, operators[-1].output or current
    if rng.random() < 0.2:
        operators.append(Elementwise(ElementwiseKind.DEQUANTIZE, size, current, None))
    return Model(tuple(operators), "random")


def random_layer(rng: np.random.Generator, inputs: int, outputs: int, source: Quantisation) -> FullyConnected:
    """A fully connected layer, per tensor or per channel, with any fused activation.

    One in ten has a factor far from what training gives: accumulators overflow, outputs vanish or saturate.
    """
    target = random_quantisation(rng)
    gain = 10.0 ** rng.uniform(-9, 6) if rng.random() < 0.1 else 10.0 ** rng.uniform(-0.7, 0.7)
    spread = (
        target.scale * 40.0 / (source.scale * 73.0 * 73.0 * np.sqrt(inputs))
    )  # outputs fill int8 at gain 1
    scales = gain * spread * rng.uniform(0.5, 2.0, outputs if rng.integers(2) else 1)
    return FullyConnected(
        weights=rng.integers(-127, 128, (outputs, inputs)).astype(np.int8),
        bias=rng.integers(-3000, 3000, outputs).astype(np.int32),
        # A factor of 2**30 or more is refused; so is a scale below float32's normal numbers.
        weight_scales=np.clip(scales, 1e-30, 1e8 * target.scale / source.scale).astype(np.float32),
        input_scale=source.scale,
        input_zero_point=source.zero_point,
        output_scale=target.scale,
        output_zero_point=target.zero_point,
        activation=list(Activation)[rng.integers(len(Activation))],
    )


def _random_elementwise(
    rng: np.random.Generator, kind: ElementwiseKind, size: int, source: Quantisation
) -> Elementwise:
    target = random_quantisation(rng)
    if kind is ElementwiseKind.LOGISTIC:
        target = Quantisation(LOGISTIC_SCALE, LOGISTIC_ZERO_POINT)
    elif kind is ElementwiseKind.TANH:
        target = Quantisation(TANH_SCALE, TANH_ZERO_POINT)
    elif kind in (ElementwiseKind.RESHAPE, ElementwiseKind.RELU6):
        target = source
    shape = (size, 1) if kind is ElementwiseKind.RESHAPE else None
    return Elementwise(kind, size, source, target, shape)


def random_inputs(model: Model, rng: np.random.Generator, count: int) -> npt.NDArray[Any]:
    """`count` input vectors: the first half uniform over the input's range, the others near its zero.

    Uniform ones alone hide a wrong multiplier: the accumulators are then large, and few are near a tie.
    """
    shape = (count, model.input_size)
    first = model.operators[0]
    scale, zero_point = 1.0, 0.0
    if first.input is not None:
        zero_point = float(first.input.zero_point)
    elif first.output is not None:
        scale = first.output.scale
    near = zero_point + rng.integers(-_NEAR, _NEAR + 1, shape)
    values = np.where(
        np.arange(count)[:, np.newaxis] < (count + 1) // 2, rng.integers(-128, 128, shape), near
    )
    if first.input is not None:
        return np.asarray(np.clip(values, -128, 127), dtype=np.int8)
    # Halves of steps too, where rounding shows.
    reals = scale * (values + rng.choice([0.0, 0.5, rng.random()], shape))
    return np.asarray(reals, dtype=np.float32)


def random_quantisation(rng: np.random.Generator, low: float = 1e-3) -> Quantisation:
    """Any zero point, and a scale from `low` to 1."""
    scale = 10.0 ** rng.uniform(np.log10(low), 0)
    return Quantisation(float(np.float32(scale)), int(rng.integers(-128, 128)))
