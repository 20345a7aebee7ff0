# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hil.golden import reference
from hil.golden.interpreter import GoldenInterpreter
from hil.golden.tflite_model import Activation, Model
from hil.golden.tflite_writer import write_model

SHAPES = [(32, 8, 8, 32), (64, 64), (5, 3, 7), (1, 1), (17, 33, 2)]
ACTIVATION_ORDERS = [
    [Activation.NONE, Activation.RELU, Activation.RELU6],
    [Activation.RELU],
    [Activation.RELU6, Activation.NONE],
]
WEIGHT_GAINS = [1.0, 1.0, 1.0, 30.0, 1.0, 1.0, 3e6]


def mixed_inputs(rng: np.random.Generator, count: int, model: Model) -> np.ndarray:
    """Half uniform, half near the zero point, where a wrong rounding shows."""
    inputs = rng.integers(-128, 128, (count, model.input_size))
    near = model.layers[0].input_zero_point + rng.integers(-3, 4, (count // 2, model.input_size))
    inputs[: count // 2] = np.clip(near, -128, 127)
    return inputs.astype(np.int8)


def test_equals_the_tflite_micro_runtime(random_model: Callable[..., Model]):
    rng = np.random.default_rng(11)
    compared = 0
    for number in range(60):
        model = random_model(
            rng,
            SHAPES[number % len(SHAPES)],
            per_channel=number % 2 == 1,
            activations=ACTIVATION_ORDERS[number % len(ACTIVATION_ORDERS)],
            weight_gain=WEIGHT_GAINS[number % len(WEIGHT_GAINS)],
        )
        interpreter = GoldenInterpreter(write_model(model))
        if interpreter.name != "tflite_micro":
            pytest.fail("the pinned tflite-micro runtime (extra [golden], Linux x86-64) is not installed")
        inputs = mixed_inputs(rng, 120, model)
        outputs = interpreter.infer(inputs)
        assert np.array_equal(reference.run_model(model, inputs), outputs), f"model {number}"
        compared += outputs.size
    assert compared >= 100_000


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
