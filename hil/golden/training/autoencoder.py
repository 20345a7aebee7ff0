# SPDX-License-Identifier: Apache-2.0
"""A small float autoencoder in numpy: forward pass and training with Adam on the mean squared error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Dense:
    """One layer: inputs @ weights + bias, then max(0, .) if `relu`."""

    weights: Array
    """[inputs, outputs]."""
    bias: Array
    relu: bool


def activations(layers: list[Dense], inputs: Array) -> list[Array]:
    """`inputs` followed by each layer's output."""
    tensors = [inputs]
    for layer in layers:
        # einsum, not BLAS: its order of summation depends on neither threads nor library.
        output = np.einsum("bi,io->bo", tensors[-1], layer.weights) + layer.bias
        tensors.append(np.maximum(output, 0.0) if layer.relu else output)
    return tensors


def train(
    samples: Array,
    sizes: tuple[int, ...],
    epochs: int,
    seed: int,
    advance: Callable[[float], None] | None = None,
) -> list[Dense]:
    """Layers of `sizes` (ReLU on all but the last) that reproduce `samples` [n, sizes[0]].

    The samples are standardised inside (mean per feature, one deviation for all); the returned layers take
    and give them as they are. Batches of 128, learning rate falling from 3e-3 to 0 along a cosine. `advance`
    is told the share of epochs done.
    """
    rng = np.random.default_rng(seed)
    mean, deviation = samples.mean(axis=0), max(float(samples.std(axis=0).mean()), 1e-6)
    standard = (samples - mean) / deviation
    weights = [rng.normal(0.0, np.sqrt(2.0 / a), (a, b)) for a, b in pairwise(sizes)]
    # A positive bias starts every hidden unit alive.
    biases = [np.full(size, 0.5) for size in sizes[1:-1]] + [np.zeros(sizes[-1])]
    parameters = weights + biases
    adam = _Adam(parameters)
    batch = 128
    steps_per_epoch = max(1, len(standard) // batch)
    for epoch in range(epochs):
        if advance is not None:
            advance(epoch / epochs)
        order = rng.permutation(len(standard))
        for step in range(steps_per_epoch):
            progress = (epoch + step / steps_per_epoch) / epochs
            chosen = standard[order[step * batch : (step + 1) * batch]]
            adam.step(_gradients(_layers(parameters), chosen), 1.5e-3 * (1.0 + np.cos(np.pi * progress)))
    layers = _layers(parameters)
    return _absorb_standardisation(layers, mean, deviation)


def _layers(parameters: list[Array]) -> list[Dense]:
    half = len(parameters) // 2
    return [
        Dense(weights, bias, relu=position < half - 1)
        for position, (weights, bias) in enumerate(zip(parameters[:half], parameters[half:], strict=True))
    ]


def _gradients(layers: list[Dense], samples: Array) -> list[Array]:
    tensors = activations(layers, samples)
    error = 2.0 * (tensors[-1] - samples) / samples.size
    weight_gradients: list[Array] = []
    bias_gradients: list[Array] = []
    for position in reversed(range(len(layers))):
        if layers[position].relu:
            error = error * (tensors[position + 1] > 0.0)
        weight_gradients.insert(0, np.einsum("bi,bo->io", tensors[position], error))
        bias_gradients.insert(0, error.sum(axis=0))
        error = np.einsum("bo,io->bi", error, layers[position].weights)
    return weight_gradients + bias_gradients


def _absorb_standardisation(layers: list[Dense], mean: Array, deviation: float) -> list[Dense]:
    first, last = layers[0], layers[-1]
    first_weights = first.weights / deviation
    shifted = Dense(first_weights, first.bias - np.einsum("i,io->o", mean, first_weights), first.relu)
    scaled = Dense(last.weights * deviation, last.bias * deviation + mean, last.relu)
    return [shifted, *layers[1:-1], scaled]


class _Adam:
    """Adam (Kingma and Ba, 2015) with its published defaults, updating the arrays in place."""

    def __init__(self, parameters: list[Array]) -> None:
        self._parameters = parameters
        self._first = [np.zeros_like(p) for p in parameters]
        self._second = [np.zeros_like(p) for p in parameters]
        self._count = 0

    def step(self, gradients: list[Array], rate: float) -> None:
        self._count += 1
        correction = np.sqrt(1.0 - 0.999**self._count) / (1.0 - 0.9**self._count)
        for parameter, gradient, first, second in zip(
            self._parameters, gradients, self._first, self._second, strict=True
        ):
            first += 0.1 * (gradient - first)
            second += 0.001 * (gradient**2 - second)
            parameter -= rate * correction * first / (np.sqrt(second) + 1e-8)
