# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hil.errors import ModelError
from hil.golden import reference
from hil.golden.interpreter import GoldenInterpreter
from hil.golden.tflite_model import Elementwise, ElementwiseKind, Model
from hil.golden.tflite_tensors import Activation, Quantisation
from hil.golden.tflite_writer import write_model


def mixed_inputs(rng: np.random.Generator, count: int, model: Model) -> np.ndarray:
    """Half uniform, half near the zero point, where a wrong rounding shows."""
    inputs = rng.integers(-128, 128, (count, model.input_size))
    near = model.layers[0].input_zero_point + rng.integers(-3, 4, (count // 2, model.input_size))
    inputs[: count // 2] = np.clip(near, -128, 127)
    return inputs.astype(np.int8)


def test_scales_are_multiplied_in_float64(random_model: Callable[..., Model]):
    # Random scales hide in which precision they are multiplied. Here the float32 product over the output
    # scale is exactly 1/8, so every eighth accumulator is a tie and the float64 product decides its rounding.
    rng = np.random.default_rng(12)
    changed = 0
    for _ in range(10):
        layer = random_model(rng, (16, 16), per_channel=False, activations=[Activation.NONE]).layers[0]
        product = np.float32(layer.input_scale) * layer.weight_scales[0]
        layer = replace(layer, output_scale=float(product * np.float32(8.0)), bias=np.zeros_like(layer.bias))
        layer = replace(layer, weights=(layer.weights >> 4).astype(np.int8))
        model = Model((layer,))
        inputs = mixed_inputs(rng, 100, model)
        outputs = GoldenInterpreter(write_model(model)).infer(inputs)
        assert np.array_equal(reference.run_layer(layer, inputs), outputs)
        # Scales whose float64 product is the float32 product.
        in_float32 = replace(layer, input_scale=1.0, weight_scales=np.array([product], dtype=np.float32))
        changed += int((reference.run_layer(in_float32, inputs) != outputs).sum())
    assert changed > 100


@pytest.mark.parametrize(
    ("real", "mantissa", "shift"),
    [
        (0.5, 2**30, 0),
        (1.0, 2**30, 1),
        (0.75, 3 * 2**29, 0),
        (1 - 2.0**-40, 2**30, 1),  # rounds up to 2**31, carried into the shift
        (2.0**-33, 0, 0),  # below the smallest shift
        (2.0**-32, 2**30, -31),
    ],
)
def test_quantize_multiplier(real: float, mantissa: int, shift: int):
    assert reference.quantize_multiplier(real) == (mantissa, shift)


def test_high_multiplication_saturates_and_rounds_half_away_from_zero():
    low = -(2**31)
    values = np.array([low, 3, -3, 1, -1], dtype=np.int64)
    mantissas = np.array([low, 2**30, 2**30, 2**30, 2**30], dtype=np.int64)
    # -1.5 becomes -1: the nudge for a negative product is one short of a half.
    expected = [2**31 - 1, 2, -1, 1, 0]
    assert reference.saturating_rounding_doubling_high_mul(values, mantissas).tolist() == expected


def test_right_shift_rounds_half_away_from_zero():
    values = np.array([5, 6, 7, -5, -6, -7, 2, -2], dtype=np.int64)
    exponents = np.full(8, 2, dtype=np.int64)
    assert reference.rounding_divide_by_pot(values, exponents).tolist() == [1, 2, 2, -1, -2, -2, 1, -1]


EVERY_INT8 = np.arange(-128, 128, dtype=np.int8).reshape(1, 256)


@pytest.mark.parametrize("kind", [ElementwiseKind.LOGISTIC, ElementwiseKind.TANH])
def test_sigmoids_follow_the_real_functions(kind: ElementwiseKind):
    is_tanh = kind is ElementwiseKind.TANH
    output = Quantisation(1 / 128, 0) if is_tanh else Quantisation(1 / 256, -128)
    operator = Elementwise(kind, 256, Quantisation(0.05, 10), output)
    x = 0.05 * (np.arange(-128, 128) - 10.0)
    real = np.tanh(x) * 128 if is_tanh else 256 / (1 + np.exp(-x)) - 128
    found = reference.run_elementwise(operator, EVERY_INT8)[0]
    assert np.abs(found - np.clip(real, -128, 127)).max() <= 0.51


@pytest.mark.parametrize("scale", [2.0**-30, 2.0**40])
def test_scales_beyond_the_sigmoids_are_refused(scale: float):
    operator = Elementwise(ElementwiseKind.TANH, 256, Quantisation(scale, 0), Quantisation(1 / 128, 0))
    with pytest.raises(ModelError, match=r"before TANH.*between 2\*\*-28"):
        reference.run_elementwise(operator, EVERY_INT8)


def test_what_the_runtime_leaves_undefined_is_defined():
    values = np.array([[np.nan, np.inf, -np.inf, 1e30, -1e30]], dtype=np.float32)
    assert reference.quantised(values, Quantisation(0.5, 7)).tolist() == [[7, 127, -128, 127, -128]]
