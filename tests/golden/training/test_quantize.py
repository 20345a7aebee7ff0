# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np

from hil.golden.run_model import run_model
from hil.golden.tflite_tensors import Activation
from hil.golden.training.autoencoder import Dense, activations
from hil.golden.training.quantize import quantize


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


def test_a_scale_for_each_output_loses_less():
    rng = np.random.default_rng(43)
    first, last = network(rng)
    # Outputs of very different size are what one scale serves badly.
    uneven = [first, Dense(last.weights * np.geomspace(0.01, 1.0, 32), last.bias, relu=False)]
    inputs = rng.integers(-60, 0, (500, 32)).astype(np.int8)
    samples = (inputs.astype(np.float64) + 128) * 0.125
    wanted = activations(uneven, samples)[-1] / 0.125 - 128
    errors = []
    for per_channel in (False, True):
        model = quantize(uneven, samples, "test", per_channel=per_channel)
        assert model.layers[1].per_channel is per_channel
        errors.append(np.abs(run_model(model, inputs) - np.clip(wanted, -128, 127))[:, :16].mean())
    assert errors[1] < 0.9 * errors[0]


def test_a_dead_layer_can_be_quantised():
    dead = [
        Dense(np.zeros((32, 8)), np.full(8, -1.0), relu=True),
        Dense(np.zeros((8, 32)), np.full(32, 12.0), relu=False),
    ]
    for per_channel in (False, True):
        model = quantize(dead, np.full((10, 32), 8.0), "test", per_channel=per_channel)
        outputs = run_model(model, np.zeros((1, 32), dtype=np.int8))
        assert np.all(outputs == 12.0 / 0.125 - 128)
