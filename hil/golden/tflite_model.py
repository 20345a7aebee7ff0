# SPDX-License-Identifier: Apache-2.0
"""A .tflite file as a chain of the operators that the firmware's interpreter runs."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tflite

from hil.errors import ModelError

FILE_IDENTIFIER = b"TFL3"
SCHEMA_VERSION = 3

LOGISTIC_SCALE, LOGISTIC_ZERO_POINT = 1.0 / 256.0, -128
"""The only quantisation of LOGISTIC's output (TensorFlow Lite 8-bit quantization specification)."""
TANH_SCALE, TANH_ZERO_POINT = 1.0 / 128.0, 0
"""The only quantisation of TANH's output (same source)."""

_OPERATOR_NAMES: dict[int, str] = {
    number: name for name, number in vars(tflite.BuiltinOperator).items() if name.isupper()
}
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
class FullyConnected:
    """One layer: real output = activation(weights @ input + bias), all tensors quantised.

    A tensor's real value is scale * (q - zero_point); weights are symmetric (zero point 0). Scales are what
    the file holds: 32-bit floats, here as Python floats.
    """

    weights: npt.NDArray[np.int8]
    """[outputs, inputs]."""
    bias: npt.NDArray[np.int32]
    """[outputs], in units of input_scale * weight scale."""
    weight_scales: npt.NDArray[np.float32]
    """[1] per tensor, or [outputs] per channel."""
    input_scale: float
    input_zero_point: int
    output_scale: float
    output_zero_point: int
    activation: Activation

    @property
    def input_size(self) -> int:
        """Number of inputs."""
        return int(self.weights.shape[1])

    @property
    def output_size(self) -> int:
        """Number of outputs."""
        return int(self.weights.shape[0])

    @property
    def per_channel(self) -> bool:
        """Whether each output has a weight scale of its own, as the file's quantisation says."""
        return self.weight_scales.size > 1

    @property
    def input(self) -> Quantisation:
        """Quantisation of the input."""
        return Quantisation(self.input_scale, self.input_zero_point)

    @property
    def output(self) -> Quantisation:
        """Quantisation of the output."""
        return Quantisation(self.output_scale, self.output_zero_point)


class ElementwiseKind(Enum):
    """An operator that takes one element to one element; the value is the schema's BuiltinOperator."""

    RELU = tflite.BuiltinOperator.RELU
    RELU6 = tflite.BuiltinOperator.RELU6
    LOGISTIC = tflite.BuiltinOperator.LOGISTIC
    TANH = tflite.BuiltinOperator.TANH
    QUANTIZE = tflite.BuiltinOperator.QUANTIZE
    DEQUANTIZE = tflite.BuiltinOperator.DEQUANTIZE
    RESHAPE = tflite.BuiltinOperator.RESHAPE


@dataclass(frozen=True)
class Elementwise:
    """An operator without weights. `input` and `output` are None where the tensor is float32.

    QUANTIZE has an int8 output, DEQUANTIZE an int8 input and a float32 output; the others but RESHAPE are
    int8 on both sides.
    """

    kind: ElementwiseKind
    size: int
    input: Quantisation | None
    output: Quantisation | None
    output_shape: tuple[int, ...] | None = None
    """Of RESHAPE; None elsewhere, which means (1, size)."""

    @property
    def input_size(self) -> int:
        """Number of inputs."""
        return self.size

    @property
    def output_size(self) -> int:
        """Number of outputs."""
        return self.size


Operator = FullyConnected | Elementwise


@dataclass(frozen=True)
class Model:
    """A feed-forward chain of operators, each fed by the one before."""

    operators: tuple[Operator, ...]
    description: str = ""

    @property
    def layers(self) -> tuple[FullyConnected, ...]:
        """The operators that have weights."""
        return tuple(operator for operator in self.operators if isinstance(operator, FullyConnected))

    @property
    def input_size(self) -> int:
        """Number of inputs."""
        return self.operators[0].input_size

    @property
    def output_size(self) -> int:
        """Number of outputs."""
        return self.operators[-1].output_size

    @property
    def input_dtype(self) -> np.dtype[Any]:
        """int8, or float32 before a QUANTIZE."""
        return _dtype(self.operators[0].input)

    @property
    def output_dtype(self) -> np.dtype[Any]:
        """int8, or float32 after a DEQUANTIZE."""
        return _dtype(self.operators[-1].output)


def _dtype(quantisation: Quantisation | None) -> np.dtype[Any]:
    return np.dtype(np.float32 if quantisation is None else np.int8)


def read_model(content: bytes) -> Model:
    """The operators of a .tflite file.

    Args:
        content: the file's bytes.

    Raises:
        ModelError: the bytes are no .tflite file, are cut off or damaged, or hold anything but one chain of
            operators that the firmware runs; the message names what was found.
    """
    if len(content) < 8 or content[4:8] != FILE_IDENTIFIER:
        raise _error(
            f"not a .tflite file ({len(content)} bytes, identifier {content[4:8]!r})", "identifier TFL3"
        )
    try:
        return _read(content)
    except (struct.error, IndexError, ValueError, TypeError, AttributeError, OverflowError) as error:
        # The flatbuffers runtime has no verifier: a damaged offset surfaces as any of these.
        raise _error(f"damaged or cut off at {len(content)} bytes ({error})", "an intact file") from error


def read_model_file(path: Path) -> Model:
    """The operators of a .tflite file, by its path.

    Raises:
        ModelError: it cannot be read, or as :func:`read_model` says; the error names the file.
    """
    try:
        return read_model(path.read_bytes())
    except OSError as error:
        raise ModelError(
            f"cannot be read: {error.strerror or error}", where=str(path), operation="read"
        ) from error
    except ModelError as error:
        error.where = str(path)
        raise


def _error(message: str, expected: str) -> ModelError:
    return ModelError(message, where=".tflite model", operation="read", expected=expected)


def _read(content: bytes) -> Model:
    root = tflite.Model.GetRootAs(content, 0)
    if root.Version() != SCHEMA_VERSION:
        raise _error(f"schema version {root.Version()}", f"version {SCHEMA_VERSION}")
    if root.SubgraphsLength() != 1:
        raise _error(f"{root.SubgraphsLength()} subgraphs", "one")
    graph = root.Subgraphs(0)
    if graph.InputsLength() != 1 or graph.OutputsLength() != 1:
        raise _error(f"{graph.InputsLength()} inputs and {graph.OutputsLength()} outputs", "one of each")
    if not 1 <= graph.OperatorsLength() <= len(content):
        raise _error(f"{graph.OperatorsLength()} operators", "a chain of operators")
    operators: list[Operator] = []
    tensor_index = graph.Inputs(0)
    for position in range(graph.OperatorsLength()):
        operator = graph.Operators(position)
        builtin = _builtin(root, operator, position)
        if operator.Inputs(0) != tensor_index:
            raise _error(
                f"operator {position} reads tensor {operator.Inputs(0)}", "the output of the one before"
            )
        if builtin == tflite.BuiltinOperator.FULLY_CONNECTED:
            operators.append(_layer(root, graph, operator, position))
        else:
            operators.append(_elementwise(graph, operator, ElementwiseKind(builtin), position))
        tensor_index = operator.Outputs(0)
    if graph.Outputs(0) != tensor_index:
        raise _error(f"the graph's output is tensor {graph.Outputs(0)}", "the last operator's output")
    description = root.Description()
    return Model(tuple(operators), description.decode("utf-8") if description else "")


def _builtin(root: Any, operator: Any, position: int) -> int:
    code = root.OperatorCodes(operator.OpcodeIndex())
    builtin = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    known = {kind.value: kind.name for kind in ElementwiseKind} | {
        tflite.BuiltinOperator.FULLY_CONNECTED: "FULLY_CONNECTED"
    }
    if builtin not in known:
        raise _error(
            f"operator {position} is {_OPERATOR_NAMES.get(builtin, f'builtin {builtin}')}",
            f"one of {', '.join(sorted(known.values()))}",
        )
    if operator.OutputsLength() != 1 or operator.InputsLength() < 1:
        raise _error(
            f"operator {position} has {operator.InputsLength()} inputs, {operator.OutputsLength()} outputs",
            "one output",
        )
    return int(builtin)


def _elementwise(graph: Any, operator: Any, kind: ElementwiseKind, position: int) -> Elementwise:
    if operator.InputsLength() > (2 if kind is ElementwiseKind.RESHAPE else 1):
        raise _error(f"operator {position}, {kind.name}, has {operator.InputsLength()} inputs", "one")
    before, after = graph.Tensors(operator.Inputs(0)), graph.Tensors(operator.Outputs(0))
    size, output_shape = int(np.prod(_shape(before), dtype=np.int64)), _shape(after)
    if size < 1 or int(np.prod(output_shape, dtype=np.int64)) != size:
        raise _error(
            f"operator {position}, {kind.name}, takes {_shape(before)} to {output_shape}", "as many elements"
        )
    source, target = _activation_quantisation(before), _activation_quantisation(after)
    types = {ElementwiseKind.DEQUANTIZE: target is None and source is not None}
    types |= {ElementwiseKind.QUANTIZE: target is not None}
    types |= {ElementwiseKind.RESHAPE: (source is None) == (target is None)}
    if not types.get(kind, source is not None and target is not None):
        raise _error(f"operator {position}, {kind.name}, has a float32 tensor where none may be", "int8")
    fixed = {
        ElementwiseKind.LOGISTIC: Quantisation(LOGISTIC_SCALE, LOGISTIC_ZERO_POINT),
        ElementwiseKind.TANH: Quantisation(TANH_SCALE, TANH_ZERO_POINT),
    }
    if target != fixed.get(kind, target):
        raise _error(f"the output of operator {position}, {kind.name}, has {target}", f"{fixed[kind]}")
    return Elementwise(kind, size, source, target, output_shape if kind is ElementwiseKind.RESHAPE else None)


def _activation_quantisation(tensor: Any) -> Quantisation | None:
    if tensor.Type() == tflite.TensorType.FLOAT32:
        return None
    if tensor.Type() != tflite.TensorType.INT8:
        raise _error(f"an activation of type {_type_name(tensor)}", "INT8 or FLOAT32")
    scales, zero_points = _quantisation(tensor, 1)
    return Quantisation(float(scales[0]), int(zero_points[0]))


def _layer(root: Any, graph: Any, operator: Any, position: int) -> FullyConnected:
    if operator.InputsLength() not in (2, 3):
        raise _error(f"operator {position} has {operator.InputsLength()} inputs", "input, weights, bias")
    if operator.BuiltinOptionsType() != tflite.BuiltinOptions.FullyConnectedOptions:
        raise _error(f"operator {position} has foreign options", "FullyConnectedOptions")
    options = tflite.FullyConnectedOptions()
    table = operator.BuiltinOptions()
    options.Init(table.Bytes, table.Pos)
    if options.WeightsFormat() != tflite.FullyConnectedOptionsWeightsFormat.DEFAULT:
        raise _error(f"operator {position} has shuffled weights", "the default weights format")
    weights_tensor = graph.Tensors(operator.Inputs(1))
    weights_shape = _shape(weights_tensor)
    if len(weights_shape) != 2:
        raise _error(f"operator {position} has weights of shape {weights_shape}", "[outputs, inputs]")
    outputs, inputs = weights_shape
    input_tensor, output_tensor = graph.Tensors(operator.Inputs(0)), graph.Tensors(operator.Outputs(0))
    for tensor, size in ((input_tensor, inputs), (output_tensor, outputs)):
        if tensor.Type() != tflite.TensorType.INT8 or np.prod(_shape(tensor), dtype=np.int64) != size:
            quantise = tensor.Type() == tflite.TensorType.FLOAT32
            raise _error(
                f"operator {position} has an activation of type {_type_name(tensor)}, shape {_shape(tensor)}",
                f"INT8 with {size} elements" + ("; quantise input and output to int8" if quantise else ""),
            )
    bias = np.zeros(outputs, dtype=np.int32)
    if operator.InputsLength() == 3 and operator.Inputs(2) >= 0:
        bias_tensor = graph.Tensors(operator.Inputs(2))
        bias = _content(root, bias_tensor, tflite.TensorType.INT32, np.dtype("<i4"), (outputs,))
    weight_scales, weight_zero_points = _quantisation(weights_tensor, outputs)
    if np.any(weight_zero_points != 0):
        raise _error(f"operator {position} has asymmetric weights", "weights with zero point 0")
    input_scales, input_zero_points = _quantisation(input_tensor, 1)
    output_scales, output_zero_points = _quantisation(output_tensor, 1)
    activation = options.FusedActivationFunction()
    if activation not in [known.value for known in Activation]:
        raise _error(f"operator {position} has activation {activation}", "NONE, RELU, RELU6 or RELU_N1_TO_1")
    return FullyConnected(
        weights=_content(root, weights_tensor, tflite.TensorType.INT8, np.dtype("i1"), weights_shape),
        bias=bias,
        weight_scales=weight_scales,
        input_scale=float(input_scales[0]),
        input_zero_point=int(input_zero_points[0]),
        output_scale=float(output_scales[0]),
        output_zero_point=int(output_zero_points[0]),
        activation=Activation(activation),
    )


def _type_name(tensor: Any) -> str:
    return _TYPE_NAMES.get(tensor.Type(), f"number {tensor.Type()}")


def _shape(tensor: Any) -> tuple[int, ...]:
    return tuple(int(tensor.Shape(axis)) for axis in range(min(tensor.ShapeLength(), 8)))


def _content(
    root: Any, tensor: Any, kind: int, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> npt.NDArray[Any]:
    if tensor.Type() != kind or _shape(tensor) != shape:
        raise _error(
            f"a constant of type {_type_name(tensor)}, shape {_shape(tensor)}",
            f"{_TYPE_NAMES[kind]}, shape {shape}",
        )
    data = root.Buffers(tensor.Buffer()).DataAsNumpy()
    wanted = int(np.prod(shape)) * dtype.itemsize
    if not isinstance(data, np.ndarray) or data.size != wanted or wanted == 0:
        raise _error(
            "a constant tensor's buffer does not fill its shape", f"{wanted} bytes for shape {shape}"
        )
    return data.view(dtype).reshape(shape).astype(dtype.newbyteorder("="))


def _quantisation(tensor: Any, channels: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    quantisation = tensor.Quantization()
    if quantisation is None or quantisation.ScaleLength() not in (1, channels):
        raise _error("a tensor has no fitting quantisation", f"1 or {channels} scales")
    scales = quantisation.ScaleAsNumpy().astype(np.float32)
    if not (np.all(np.isfinite(scales)) and np.all(scales > 0)):
        raise _error("a tensor's scale is not a positive number", "finite scales > 0")
    if scales.size > 1 and quantisation.QuantizedDimension() != 0:
        raise _error(
            f"weights scaled along axis {quantisation.QuantizedDimension()}", "along axis 0, the outputs"
        )
    zero_points = np.zeros(scales.size, dtype=np.int64)
    if quantisation.ZeroPointLength() == scales.size:
        zero_points = quantisation.ZeroPointAsNumpy().astype(np.int64)
    elif quantisation.ZeroPointLength() != 0:
        raise _error(f"{quantisation.ZeroPointLength()} zero points for {scales.size} scales", "as many")
    if np.any(zero_points < -128) or np.any(zero_points > 127):
        raise _error("a zero point does not fit int8", "-128 .. 127")
    return scales, zero_points
