# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np

from hil.golden.autoencoder import Dense, activations
from hil.golden.quantize import quantize
from hil.golden.reference import run_model
from hil.golden.tflite_model import Activation


def network(rng: np.random.Generator) -> list[Dense]:
    return [
        Dense(rng.normal(0, 0.2, (32, 8)), rng.normal(0, 1, 8), relu=True),
        Dense(rng.normal(0, 0.5, (8, 32)), 12 + rng.normal(0, 1, 32), relu=False),
    ]


def test_quantised_outputs_follow_the_float_network():
    rng = np.random.default_rng(41)
    layers = network(rng)
    inputs = rng.integers(-60, 0, (500, 32)).astype(np.int8)
    samples = (inputs.astype(np.float64) + 128) * 0.125
    model = quantize(layers, samples, "test")
    wanted = activations(layers, samples)[-1] / 0.125 - 128
    inside = (wanted > -128) & (wanted < 127)
    error = (run_model(model, inputs) - wanted)[inside]
    assert inside.mean() > 0.9
    # The hidden tensor's and the weights' steps pass through the last layer; the output adds half a step.
    assert np.sqrt(np.mean(error**2)) < 2.0
    assert abs(error.mean()) < 0.5


def test_tensors_have_the_promised_quantisation():
    rng = np.random.default_rng(42)
    samples = rng.uniform(5, 20, (100, 32))
    first, last = quantize(network(rng), samples, "test").layers
    assert (first.input_scale, first.input_zero_point) == (0.125, -128)
    assert (last.output_scale, last.output_zero_point) == (0.125, -128)
    assert (first.output_scale, first.output_zero_point) == (last.input_scale, last.input_zero_point)
    assert first.output_zero_point == -128
    assert [layer.activation for layer in (first, last)] == [Activation.RELU, Activation.NONE]
    for layer in (first, last):
        assert np.abs(layer.weights.astype(int)).max() == 127
        assert not layer.per_channel
