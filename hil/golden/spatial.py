# SPDX-License-Identifier: Apache-2.0
"""Operators on images and sequences: convolutions, pools, sums of two tensors, and SOFTMAX.

Tensors are flat [size] everywhere in this package; an image's elements run over rows, columns, channels.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hil.golden.tflite_tensors import Activation, Quantisation

SOFTMAX_OUTPUT = Quantisation(1.0 / 256.0, -128)
"""The only quantisation of SOFTMAX's output (TensorFlow Lite 8-bit quantization specification)."""
SOFTMAX_MAX_DEPTH = 511
"""So many equal inputs: at more TFLite Micro ends the program."""
MAX_EXTENT = 0xFFFF
"""Of an axis, and of what a kernel reaches over: the firmware holds them in 16 bits."""
SOFTMAX_MAX_STEP = 16.0
"""beta * scale must be below: one step would be a factor of e**16, and int8 knows nothing that small."""
SOFTMAX_MIN_STEP = 2.0**-26
"""beta * scale must be above, or TFLite Micro ends the program."""


@dataclass(frozen=True)
class Window:
    """How a kernel moves over an image."""

    height: int
    """Of the image."""
    width: int
    channels: int
    kernel: tuple[int, int]
    """(height, width)."""
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    same: bool = False
    """Padding SAME, with zeros around the image; else VALID."""

    @property
    def output(self) -> tuple[int, int]:
        """(height, width) of what comes out; 0 or less where the kernel does not fit."""
        height, width = (
            -(-size // stride) if self.same else (size - extent) // stride + 1
            for size, extent, stride in zip(self._image, self.extent, self.stride, strict=True)
        )
        return height, width

    @property
    def padding(self) -> tuple[int, int]:
        """Rows above and columns left of the image; below and right there may be one more."""
        above, left = (
            max(0, (output - 1) * stride + extent - size) // 2
            for size, extent, stride, output in zip(
                self._image, self.extent, self.stride, self.output, strict=True
            )
        )
        return above, left

    @property
    def input_size(self) -> int:
        """Number of the image's elements."""
        return self.height * self.width * self.channels

    @property
    def input_shape(self) -> tuple[int, ...]:
        """As the file has it."""
        return (1, self.height, self.width, self.channels)

    @property
    def _image(self) -> tuple[int, int]:
        return self.height, self.width

    @property
    def extent(self) -> tuple[int, int]:
        """Rows and columns that the kernel reaches over."""
        height, width = (
            (size - 1) * dilation + 1 for size, dilation in zip(self.kernel, self.dilation, strict=True)
        )
        return height, width


@dataclass(frozen=True)
class Windowed(ABC):
    """An operator whose kernel moves over an image."""

    window: Window

    @property
    @abstractmethod
    def outputs(self) -> int:
        """Number of output channels."""

    @property
    def input_size(self) -> int:
        """Number of inputs."""
        return self.window.input_size

    @property
    def output_size(self) -> int:
        """Number of outputs."""
        return int(np.prod(self.output_shape))

    @property
    def output_shape(self) -> tuple[int, ...]:
        """As the file has it."""
        return (1, *self.window.output, self.outputs)


@dataclass(frozen=True)
class Convolution(Windowed):
    """CONV_2D, or DEPTHWISE_CONV_2D, in which each output channel sees one input channel."""

    weights: npt.NDArray[np.int8]
    """[outputs, kernel height, kernel width, channels]; depthwise [1, height, width, outputs]."""
    bias: npt.NDArray[np.int32]
    """[outputs], in units of the input's scale * weight scale."""
    weight_scales: npt.NDArray[np.float32]
    """[1] per tensor, or [outputs] per channel."""
    input: Quantisation
    output: Quantisation
    activation: Activation
    depthwise: bool = False

    @property
    def outputs(self) -> int:
        """Number of output channels."""
        return int(self.bias.size)

    @property
    def products(self) -> int:
        """Multiply-accumulates, those with padding included."""
        height, width = self.window.output
        return height * width * self.weights.size


@dataclass(frozen=True)
class Pool(Windowed):
    """AVERAGE_POOL_2D or MAX_POOL_2D; input and output have the same quantisation."""

    average: bool
    input: Quantisation
    activation: Activation

    @property
    def outputs(self) -> int:
        """Number of output channels."""
        return self.window.channels

    @property
    def output(self) -> Quantisation:
        """Quantisation of the output."""
        return self.input


@dataclass(frozen=True)
class Addition:
    """ADD of two tensors of the same shape."""

    size: int
    input: Quantisation
    second: Quantisation
    """Quantisation of the second input."""
    output: Quantisation
    activation: Activation

    @property
    def input_size(self) -> int:
        """Number of elements of each input."""
        return self.size

    @property
    def output_size(self) -> int:
        """Number of outputs."""
        return self.size


@dataclass(frozen=True)
class Softmax:
    """SOFTMAX over the last axis."""

    rows: int
    depth: int
    """Length of the last axis."""
    input: Quantisation
    beta: float = 1.0
    """What the file holds: a 32-bit float."""

    @property
    def output(self) -> Quantisation:
        """Quantisation of the output."""
        return SOFTMAX_OUTPUT

    @property
    def input_size(self) -> int:
        """Number of inputs."""
        return self.rows * self.depth

    @property
    def output_size(self) -> int:
        """Number of outputs."""
        return self.rows * self.depth


SpatialOperator = Convolution | Pool | Addition | Softmax
