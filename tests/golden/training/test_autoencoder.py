# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from hil.golden.training import autoencoder


def test_gradients_match_finite_differences():
    rng = np.random.default_rng(31)
    parameters = [rng.normal(size=shape) for shape in ((4, 3), (3, 4), (3,), (4,))]
    samples = rng.normal(size=(6, 4))

    def loss() -> float:
        output = autoencoder.activations(autoencoder._layers(parameters), samples)[-1]
        return float(((output - samples) ** 2).mean())

    gradients = autoencoder._gradients(autoencoder._layers(parameters), samples)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        index = tuple(0 for _ in parameter.shape)
        kept = parameter[index]
        parameter[index] = kept + 1e-6
        above = loss()
        parameter[index] = kept - 1e-6
        below = loss()
        parameter[index] = kept
        assert gradient[index] == pytest.approx((above - below) / 2e-6, rel=1e-4, abs=1e-8)


def test_training_learns_a_low_dimensional_set():
    rng = np.random.default_rng(32)
    samples = (
        12.0 + np.outer(rng.uniform(-1, 1, 600), rng.normal(size=10)) + 0.01 * rng.normal(size=(600, 10))
    )
    layers = autoencoder.train(samples, (10, 4, 10), epochs=120, seed=1)
    error = autoencoder.activations(layers, samples)[-1] - samples
    assert np.mean(error**2) < 0.05 * np.mean((samples - samples.mean(axis=0)) ** 2)
