# SPDX-License-Identifier: Apache-2.0
"""Networks in the shapes of published ones, with random weights: what they cost depends on nothing else."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np

from hil.golden.spatial import Addition, Convolution, Pool, Softmax, Window
from hil.golden.tflite_model import Elementwise, ElementwiseKind, FullyConnected, Model, Operator
from hil.golden.tflite_tensors import Activation, Quantisation

AD01_SIZES = (640, 128, 128, 128, 128, 8, 128, 128, 128, 128, 640)
"""MLPerf Tiny's anomaly detection benchmark: an autoencoder of fully connected layers."""
_SCALE = float(np.float32(0.1))


@dataclass
class _Builder:
    """Adds operators whose outputs spread over int8."""

    rng: np.random.Generator
    shape: tuple[int, int, int]
    current: Quantisation = field(default_factory=lambda: Quantisation(_SCALE, 3))
    operators: list[Operator] = field(default_factory=list)

    def convolve(
        self,
        outputs: int,
        kernel: tuple[int, int],
        stride: tuple[int, int] = (1, 1),
        *,
        depthwise: bool = False,
    ) -> None:
        """SAME, with RELU, per channel."""
        window = Window(*self.shape, kernel, stride, same=True)
        products = int(np.prod(kernel)) * (1 if depthwise else self.shape[2])
        weights_shape = (1, *kernel, outputs) if depthwise else (outputs, *kernel, self.shape[2])
        following = Quantisation(_SCALE, -128)  # what RELU gives is never below zero
        self._add(
            Convolution(
                window=window,
                weights=self.rng.integers(-127, 128, weights_shape).astype(np.int8),
                bias=self.rng.integers(-3000, 3000, outputs).astype(np.int32),
                weight_scales=self._scales(products, outputs),
                input=self.current,
                output=following,
                activation=Activation.RELU,
                depthwise=depthwise,
            ),
            (*window.output, outputs),
        )

    def pool(self, kernel: tuple[int, int], *, average: bool) -> None:
        """VALID, without overlap."""
        window = Window(*self.shape, kernel, kernel)
        self._add(Pool(window, average, self.current, Activation.NONE), (*window.output, self.shape[2]))

    def flatten(self) -> None:
        """RESHAPE to [1, size]."""
        size = int(np.prod(self.shape))
        operator = Elementwise(ElementwiseKind.RESHAPE, size, self.current, self.current, (1, size))
        self._add(operator, (1, 1, size))

    def connect(self, outputs: int) -> None:
        """FULLY_CONNECTED."""
        inputs = int(np.prod(self.shape))
        following = Quantisation(_SCALE, int(self.rng.integers(-100, 100)))
        layer = FullyConnected(
            weights=self.rng.integers(-127, 128, (outputs, inputs)).astype(np.int8),
            bias=self.rng.integers(-3000, 3000, outputs).astype(np.int32),
            weight_scales=self._scales(inputs, 1),
            input_scale=self.current.scale,
            input_zero_point=self.current.zero_point,
            output_scale=following.scale,
            output_zero_point=following.zero_point,
            activation=Activation.NONE,
        )
        self._add(layer, (1, 1, outputs))

    def add_to(self, other: Quantisation) -> None:
        """ADD of what stands and an earlier tensor of its shape."""
        following = Quantisation(_SCALE, int(self.rng.integers(-30, 30)))
        operator = Addition(int(np.prod(self.shape)), self.current, other, following, Activation.NONE)
        self._add(operator, self.shape)

    def softmax(self) -> None:
        """SOFTMAX over the channels."""
        rows = self.shape[0] * self.shape[1]
        self._add(Softmax(rows, self.shape[2], self.current), self.shape)

    def _scales(self, products: int, count: int) -> np.ndarray:
        """So that an accumulator's standard deviation is about 40 steps of the output."""
        return (1.0 / (40.0 * np.sqrt(products)) * self.rng.uniform(0.5, 1.5, count)).astype(np.float32)

    def _add(self, operator: Operator, shape: tuple[int, int, int]) -> None:
        self.operators.append(operator)
        self.shape = shape
        assert operator.output is not None
        self.current = operator.output


def ds_cnn(seed: int) -> Model:
    """MLPerf Tiny's keyword spotting benchmark: 10x4 over 49x10, four separable blocks of 64 channels."""
    network = _Builder(np.random.default_rng(seed), (49, 10, 1))
    network.convolve(64, (10, 4), (2, 2))
    for _ in range(4):
        network.convolve(64, (3, 3), depthwise=True)
        network.convolve(64, (1, 1))
    network.pool((25, 5), average=True)
    network.flatten()
    network.connect(12)
    network.softmax()
    return Model(tuple(network.operators), "ds_cnn")


def convolutional_autoencoder(seed: int) -> Model:
    """A window of 64 samples of 3 axes through a bottleneck of 8 values and back, with a residual block."""
    network = _Builder(np.random.default_rng(seed), (64, 1, 3))
    network.convolve(8, (5, 1), (2, 1))
    network.pool((2, 1), average=False)
    before = network.current
    network.convolve(8, (3, 1))
    network.add_to(before)
    network.convolve(16, (3, 1), (2, 1))
    network.flatten()
    network.connect(8)
    network.connect(192)
    chain = [(position,) for position in range(len(network.operators))]
    return Model(tuple(network.operators), "autoencoder", (*chain[:3], (3, 2), *chain[4:]))


def connected(sizes: tuple[int, ...], seed: int) -> Model:
    """Fully connected layers of these sizes."""
    network = _Builder(np.random.default_rng(seed), (1, 1, sizes[0]))
    for _, outputs in itertools.pairwise(sizes):
        network.connect(outputs)
    return Model(tuple(network.operators), "connected")
