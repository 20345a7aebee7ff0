# SPDX-License-Identifier: Apache-2.0
"""Random networks with convolutions, pools, ADD and SOFTMAX, branches among them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hil.golden.random_models import random_layer, random_quantisation
from hil.golden.spatial import Addition, Convolution, Pool, Softmax, Window
from hil.golden.tflite_model import Elementwise, ElementwiseKind, Model, Operator
from hil.golden.tflite_tensors import Activation, Quantisation

MAX_ELEMENTS = 1500
"""Of a tensor."""
MAX_KERNEL_ELEMENTS = 300
"""Products of one output."""

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class _Image:
    number: int
    """As Model.sources counts it."""
    shape: Shape
    quantisation: Quantisation

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))


@dataclass
class _Network:
    """What has been drawn so far."""

    images: list[_Image]
    operators: list[Operator] = field(default_factory=list)
    sources: list[tuple[int, ...]] = field(default_factory=list)

    def add(self, operator: Operator, reads: tuple[int, ...], shape: Shape) -> None:
        self.operators.append(operator)
        self.sources.append(reads)
        target = operator.output
        assert target is not None
        self.images.append(_Image(len(self.operators), shape, target))

    def model(self) -> Model:
        chain = self.sources == [(position,) for position in range(len(self.sources))]
        said = isinstance(self.operators[0], Convolution | Pool)
        return Model(
            tuple(self.operators),
            "random",
            () if chain else tuple(self.sources),
            () if said else (1, *self.images[0].shape),
        )


def random_spatial_model(rng: np.random.Generator, max_operators: int = 6) -> Model:
    """Up to `max_operators` operators on images, then sometimes RESHAPE, FULLY_CONNECTED and SOFTMAX."""
    rows, columns = (int(extent) for extent in rng.integers(1, 13, 2))
    shape = (rows, columns, int(rng.choice([1, 2, 3, 4, 5, 8, 12])))
    network = _Network([_Image(0, shape, random_quantisation(rng))])
    for _ in range(int(rng.integers(1, max_operators + 1))):
        _add_operator(network, rng)
    last = network.images[-1]
    if rng.random() < 0.3:
        flat = Elementwise(
            ElementwiseKind.RESHAPE, last.size, last.quantisation, last.quantisation, (1, last.size)
        )
        network.add(flat, (last.number,), (1, 1, last.size))
        outputs = int(rng.integers(1, 13))
        layer = random_layer(rng, last.size, outputs, last.quantisation)
        network.add(layer, (network.images[-1].number,), (1, 1, outputs))
    last = network.images[-1]
    if rng.random() < 0.3:
        beta = float(np.float32(10.0 ** rng.uniform(-2, 1)))
        depth = last.shape[2]
        network.add(Softmax(last.size // depth, depth, last.quantisation, beta), (last.number,), last.shape)
    return network.model()


def _add_operator(network: _Network, rng: np.random.Generator) -> None:
    last = network.images[-1]
    draw = rng.random()
    if draw < 0.25:
        twins = [image for image in network.images if image.shape == last.shape]
        second = twins[rng.integers(len(twins))]
        target = random_quantisation(rng, low=max(last.quantisation.scale, second.quantisation.scale) / 100)
        total = Addition(last.size, last.quantisation, second.quantisation, target, _activation(rng))
        network.add(total, (last.number, second.number), last.shape)
    elif draw < 0.4:
        pool = Pool(_window(rng, last.shape), bool(rng.integers(2)), last.quantisation, _activation(rng))
        network.add(pool, (last.number,), (*pool.window.output, last.shape[2]))
    elif draw < 0.47:
        target = random_quantisation(rng)
        rescaled = Elementwise(ElementwiseKind.QUANTIZE, last.size, last.quantisation, target)
        network.add(rescaled, (last.number,), last.shape)
    else:
        images = network.images
        source = images[rng.integers(len(images))] if rng.random() < 0.2 else last
        convolution = random_convolution(rng, source.shape, source.quantisation)
        network.add(convolution, (source.number,), (*convolution.window.output, convolution.outputs))


def random_convolution(rng: np.random.Generator, shape: Shape, source: Quantisation) -> Convolution:
    """CONV_2D or DEPTHWISE_CONV_2D on an image; one in ten has a factor far from what training gives."""
    window = _window(rng, shape, dilated=True)
    depthwise = bool(rng.integers(2))
    room = max(1, MAX_ELEMENTS // int(np.prod(window.output)))
    if depthwise:
        multiplier = int(rng.choice([1, 1, 1, 2, 3]))
        outputs = shape[2] * (multiplier if shape[2] * multiplier <= room else 1)
        weights_shape: tuple[int, ...] = (1, *window.kernel, outputs)
        products = int(np.prod(window.kernel))
    else:
        outputs = min(room, int(rng.integers(1, 14)))
        weights_shape = (outputs, *window.kernel, shape[2])
        products = int(np.prod(window.kernel)) * shape[2]
    target = random_quantisation(rng)
    gain = 10.0 ** rng.uniform(-9, 6) if rng.random() < 0.1 else 10.0 ** rng.uniform(-0.7, 0.7)
    spread = target.scale * 40.0 / (source.scale * 73.0 * 73.0 * np.sqrt(products))
    scales = gain * spread * rng.uniform(0.5, 2.0, outputs if rng.integers(4) else 1)
    return Convolution(
        window=window,
        weights=rng.integers(-127, 128, weights_shape).astype(np.int8),
        bias=rng.integers(-3000, 3000, outputs).astype(np.int32),
        weight_scales=np.clip(scales, 1e-30, 1e8 * target.scale / source.scale).astype(np.float32),
        input=source,
        output=target,
        activation=_activation(rng),
        depthwise=depthwise,
    )


def _window(rng: np.random.Generator, shape: Shape, *, dilated: bool = False) -> Window:
    """One that fits, with an output of at least one element."""
    while True:
        kernel = (int(rng.integers(1, 5)), int(rng.integers(1, 5)))
        stride = (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
        dilation = (1, 1)
        if dilated and rng.integers(3) == 0:
            dilation = (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
        window = Window(*shape, kernel, stride, dilation, same=bool(rng.integers(2)))
        if min(window.output) >= 1 and kernel[0] * kernel[1] * shape[2] <= MAX_KERNEL_ELEMENTS:
            return window


def _activation(rng: np.random.Generator) -> Activation:
    return list(Activation)[rng.integers(len(Activation))]
