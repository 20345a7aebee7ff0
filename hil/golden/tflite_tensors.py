# SPDX-License-Identifier: Apache-2.0
"""The tensors of a .tflite file: types, shapes, quantisation, constants, and what stands wrong in them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt
import tflite

from hil.errors import ModelError

FILE_IDENTIFIER = b"TFL3"
SCHEMA_VERSION = 3

Found = TypeVar("Found")

_TYPE_NAMES: dict[int, str] = {
    number: name for name, number in vars(tflite.TensorType).items() if name.isupper()
}


class Activation(Enum):
    """Activation fused into a layer; the value is the schema's ActivationFunctionType.

    TFLite Micro runs an int8 layer with a fused TANH as if it had none, so that is refused here.
    """

    NONE = tflite.ActivationFunctionType.NONE
    RELU = tflite.ActivationFunctionType.RELU
    RELU6 = tflite.ActivationFunctionType.RELU6
    RELU_N1_TO_1 = tflite.ActivationFunctionType.RELU_N1_TO_1


@dataclass(frozen=True)
class Quantisation:
    """How an int8 tensor stands for reals: real = scale * (q - zero_point)."""

    scale: float
    """What the file holds: a 32-bit float, here as a Python float."""
    zero_point: int


@dataclass(frozen=True)
class End:
    """The network's input or output."""

    name: Literal["input", "output"]
    type_name: str
    """As the schema names it: INT8, FLOAT32, ..."""
    size: int
    """Number of elements."""


def read_interface(content: bytes) -> tuple[End, End]:
    """Input and output of a .tflite file, whatever its operators are.

    Raises:
        ModelError: the bytes are no .tflite file, are damaged, or have more than one of either.
    """
    return guarded(content, _read_interface)


def guarded(content: bytes, read: Callable[[bytes], Found]) -> Found:
    """What ``read`` makes of a .tflite file.

    Raises:
        ModelError: the bytes are no .tflite file, or ``read`` stumbles over damage.
    """
    if len(content) < 8 or content[4:8] != FILE_IDENTIFIER:
        raise model_error(
            f"not a .tflite file ({len(content)} bytes, identifier {content[4:8]!r})", "identifier TFL3"
        )
    try:
        return read(content)
    except (struct.error, IndexError, ValueError, TypeError, AttributeError, OverflowError) as error:
        # The flatbuffers runtime has no verifier: a damaged offset surfaces as any of these.
        raise model_error(
            f"damaged or cut off at {len(content)} bytes ({error})", "an intact file"
        ) from error


def only_graph(root: Any) -> Any:
    """The file's subgraph, which has one input and one output."""
    if root.Version() != SCHEMA_VERSION:
        raise model_error(f"schema version {root.Version()}", f"version {SCHEMA_VERSION}")
    if root.SubgraphsLength() != 1:
        raise model_error(f"{root.SubgraphsLength()} subgraphs", "one")
    graph = root.Subgraphs(0)
    if graph.InputsLength() != 1 or graph.OutputsLength() != 1:
        raise model_error(f"{graph.InputsLength()} inputs and {graph.OutputsLength()} outputs", "one of each")
    return graph


def _read_interface(content: bytes) -> tuple[End, End]:
    graph = only_graph(tflite.Model.GetRootAs(content, 0))
    first, last = graph.Tensors(graph.Inputs(0)), graph.Tensors(graph.Outputs(0))
    return (
        End("input", type_name(first), element_count(first)),
        End("output", type_name(last), element_count(last)),
    )


def element_count(tensor: Any) -> int:
    """Number of elements of a tensor."""
    return int(np.prod(shape_of(tensor), dtype=np.int64))


def model_error(message: str, expected: str) -> ModelError:
    """The error of a file that cannot be used."""
    return ModelError(message, where=".tflite model", operation="read", expected=expected)


def activation_quantisation(tensor: Any) -> Quantisation | None:
    """Of an activation; None for float32. Raises ModelError for other types."""
    if tensor.Type() == tflite.TensorType.FLOAT32:
        return None
    if tensor.Type() != tflite.TensorType.INT8:
        raise model_error(f"an activation of type {type_name(tensor)}", "INT8 or FLOAT32")
    scales, zero_points = quantisation_of(tensor, 1)
    return Quantisation(float(scales[0]), int(zero_points[0]))


def type_name(tensor: Any) -> str:
    """The schema's name of a tensor's type."""
    return _TYPE_NAMES.get(tensor.Type(), f"number {tensor.Type()}")


def shape_of(tensor: Any) -> tuple[int, ...]:
    """A tensor's shape, of eight axes at most."""
    return tuple(int(tensor.Shape(axis)) for axis in range(min(tensor.ShapeLength(), 8)))


def constant(
    root: Any, tensor: Any, kind: int, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> npt.NDArray[Any]:
    """A constant tensor's values, which must be of that type and shape. Raises ModelError."""
    if tensor.Type() != kind or shape_of(tensor) != shape:
        raise model_error(
            f"a constant of type {type_name(tensor)}, shape {shape_of(tensor)}",
            f"{_TYPE_NAMES[kind]}, shape {shape}",
        )
    data = root.Buffers(tensor.Buffer()).DataAsNumpy()
    wanted = int(np.prod(shape)) * dtype.itemsize
    if not isinstance(data, np.ndarray) or data.size != wanted or wanted == 0:
        raise model_error(
            "a constant tensor's buffer does not fill its shape", f"{wanted} bytes for shape {shape}"
        )
    return data.view(dtype).reshape(shape).astype(dtype.newbyteorder("="))


def quantisation_of(
    tensor: Any, channels: int, axis: int = 0
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Scales and zero points of a tensor: one, or one for each of `channels` along `axis`."""
    quantisation = tensor.Quantization()
    if quantisation is None or quantisation.ScaleLength() not in (1, channels):
        raise model_error("a tensor has no fitting quantisation", f"1 or {channels} scales")
    scales = quantisation.ScaleAsNumpy().astype(np.float32)
    if not (np.all(np.isfinite(scales)) and np.all(scales > 0)):
        raise model_error("a tensor's scale is not a positive number", "finite scales > 0")
    if scales.size > 1 and quantisation.QuantizedDimension() != axis:
        raise model_error(
            f"weights scaled along axis {quantisation.QuantizedDimension()}",
            f"along axis {axis}, the outputs",
        )
    zero_points = np.zeros(scales.size, dtype=np.int64)
    if quantisation.ZeroPointLength() == scales.size:
        zero_points = quantisation.ZeroPointAsNumpy().astype(np.int64)
    elif quantisation.ZeroPointLength() != 0:
        raise model_error(f"{quantisation.ZeroPointLength()} zero points for {scales.size} scales", "as many")
    if np.any(zero_points < -128) or np.any(zero_points > 127):
        raise model_error("a zero point does not fit int8", "-128 .. 127")
    return scales, zero_points
