# SPDX-License-Identifier: Apache-2.0
"""A .tflite file as the operators that the firmware's interpreter runs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tflite

from hil.errors import ModelError
from hil.golden.spatial import Addition, Convolution, Pool, Softmax, SpatialOperator
from hil.golden.spatial_reader import SPATIAL_READERS
from hil.golden.tflite_tensors import (
    Activation,
    Quantisation,
    activation_quantisation,
    constant,
    guarded,
    model_error,
    only_graph,
    quantisation_of,
    shape_of,
    type_name,
)

LOGISTIC_SCALE, LOGISTIC_ZERO_POINT = 1.0 / 256.0, -128
"""The only quantisation of LOGISTIC's output (TensorFlow Lite 8-bit quantization specification)."""
TANH_SCALE, TANH_ZERO_POINT = 1.0 / 128.0, 0
"""The only quantisation of TANH's output (same source)."""

_OPERATOR_NAMES: dict[int, str] = {
    number: name for name, number in vars(tflite.BuiltinOperator).items() if name.isupper()
}


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


Operator = FullyConnected | Elementwise | SpatialOperator


def products_of(operator: Operator) -> int:
    """Multiply-accumulates of an operator; 0 where it has no weights."""
    if isinstance(operator, FullyConnected):
        return int(operator.weights.size)
    return operator.products if isinstance(operator, Convolution) else 0


def name_of(operator: Operator) -> str:
    """The schema's name of an operator."""
    match operator:
        case FullyConnected():
            return "FULLY_CONNECTED"
        case Convolution():
            return "DEPTHWISE_CONV_2D" if operator.depthwise else "CONV_2D"
        case Pool():
            return "AVERAGE_POOL_2D" if operator.average else "MAX_POOL_2D"
        case Addition():
            return "ADD"
        case Softmax():
            return "SOFTMAX"
        case _:
            return operator.kind.name


def is_compute(operator: Operator) -> bool:
    """Whether an operator has anything to do at run time: RESHAPE has not."""
    return not (isinstance(operator, Elementwise) and operator.kind is ElementwiseKind.RESHAPE)


@dataclass(frozen=True)
class Model:
    """Operators in their order; each is fed by the one before, or by what `sources` says."""

    operators: tuple[Operator, ...]
    description: str = ""
    sources: tuple[tuple[int, ...], ...] = ()
    """For each operator the tensors that it reads: 0 is the input, n the output of operator n - 1.

    Empty for a chain."""
    input_shape: tuple[int, ...] = ()
    """As the file has it; empty for (1, input_size), or the shape that a first CONV_2D or pool takes."""

    def reads(self, position: int) -> tuple[int, ...]:
        """The tensors that an operator reads, numbered as `sources` does."""
        return self.sources[position] if self.sources else (position,)

    @property
    def products(self) -> int:
        """Multiply-accumulates of one inference."""
        return sum(products_of(operator) for operator in self.operators)

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
        ModelError: the bytes are no .tflite file, are cut off or damaged, or hold anything but
            operators that the firmware runs; the message names what was found.
    """
    return guarded(content, _read)


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


def _read(content: bytes) -> Model:
    root = tflite.Model.GetRootAs(content, 0)
    graph = only_graph(root)
    if not 1 <= graph.OperatorsLength() <= len(content):
        raise model_error(f"{graph.OperatorsLength()} operators", "a chain of operators")
    operators: list[Operator] = []
    sources: list[tuple[int, ...]] = []
    known = {graph.Inputs(0): 0}
    for position in range(graph.OperatorsLength()):
        operator = graph.Operators(position)
        builtin = _builtin(root, operator, position)
        wanted = range(min(2, operator.InputsLength())) if builtin == tflite.BuiltinOperator.ADD else (0,)
        for number in wanted:
            if operator.Inputs(number) not in known:
                raise model_error(
                    f"operator {position} reads tensor {operator.Inputs(number)}",
                    "the network's input or the output of one before",
                )
        sources.append(tuple(known[operator.Inputs(number)] for number in wanted))
        if builtin in SPATIAL_READERS:
            where = f"operator {position}, {_OPERATOR_NAMES[builtin]},"
            operators.append(SPATIAL_READERS[builtin](root, graph, operator, where))
        elif builtin == tflite.BuiltinOperator.FULLY_CONNECTED:
            operators.append(_layer(root, graph, operator, position))
        else:
            operators.append(_elementwise(graph, operator, ElementwiseKind(builtin), position))
        known[operator.Outputs(0)] = position + 1
    if known.get(graph.Outputs(0)) != graph.OperatorsLength():
        raise model_error(f"the graph's output is tensor {graph.Outputs(0)}", "the last operator's output")
    description = root.Description()
    return Model(
        tuple(operators),
        description.decode("utf-8") if description else "",
        () if sources == [(position,) for position in range(len(sources))] else tuple(sources),
        _input_shape(shape_of(graph.Tensors(graph.Inputs(0))), operators[0]),
    )


def _input_shape(shape: tuple[int, ...], first: Operator) -> tuple[int, ...]:
    """As `Model.input_shape` holds it: nothing where the first operator says the same."""
    return () if shape == default_input_shape(first) else shape


def default_input_shape(first: Operator) -> tuple[int, ...]:
    """The shape of a network's input that begins with this operator, where nothing else is said."""
    return first.window.input_shape if isinstance(first, Convolution | Pool) else (1, first.input_size)


def _builtin(root: Any, operator: Any, position: int) -> int:
    code = root.OperatorCodes(operator.OpcodeIndex())
    builtin = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    known = {kind.value for kind in ElementwiseKind} | {
        tflite.BuiltinOperator.FULLY_CONNECTED,
        *SPATIAL_READERS,
    }
    if builtin not in known:
        raise model_error(
            f"operator {position} is {_OPERATOR_NAMES.get(builtin, f'builtin {builtin}')}",
            f"one of {', '.join(sorted(_OPERATOR_NAMES[number] for number in known))}",
        )
    if operator.OutputsLength() != 1 or operator.InputsLength() < 1:
        raise model_error(
            f"operator {position} has {operator.InputsLength()} inputs, {operator.OutputsLength()} outputs",
            "one output",
        )
    return int(builtin)


def _elementwise(graph: Any, operator: Any, kind: ElementwiseKind, position: int) -> Elementwise:
    if operator.InputsLength() > (2 if kind is ElementwiseKind.RESHAPE else 1):
        raise model_error(f"operator {position}, {kind.name}, has {operator.InputsLength()} inputs", "one")
    before, after = graph.Tensors(operator.Inputs(0)), graph.Tensors(operator.Outputs(0))
    size, output_shape = int(np.prod(shape_of(before), dtype=np.int64)), shape_of(after)
    if size < 1 or int(np.prod(output_shape, dtype=np.int64)) != size:
        raise model_error(
            f"operator {position}, {kind.name}, takes {shape_of(before)} to {output_shape}",
            "as many elements",
        )
    source, target = activation_quantisation(before), activation_quantisation(after)
    types = {ElementwiseKind.DEQUANTIZE: target is None and source is not None}
    types |= {ElementwiseKind.QUANTIZE: target is not None}
    types |= {ElementwiseKind.RESHAPE: (source is None) == (target is None)}
    if not types.get(kind, source is not None and target is not None):
        raise model_error(f"operator {position}, {kind.name}, has a float32 tensor where none may be", "int8")
    fixed = {
        ElementwiseKind.LOGISTIC: Quantisation(LOGISTIC_SCALE, LOGISTIC_ZERO_POINT),
        ElementwiseKind.TANH: Quantisation(TANH_SCALE, TANH_ZERO_POINT),
    }
    if target != fixed.get(kind, target):
        raise model_error(f"the output of operator {position}, {kind.name}, has {target}", f"{fixed[kind]}")
    return Elementwise(kind, size, source, target, output_shape if kind is ElementwiseKind.RESHAPE else None)


def _layer(root: Any, graph: Any, operator: Any, position: int) -> FullyConnected:
    if operator.InputsLength() not in (2, 3):
        raise model_error(f"operator {position} has {operator.InputsLength()} inputs", "input, weights, bias")
    if operator.BuiltinOptionsType() != tflite.BuiltinOptions.FullyConnectedOptions:
        raise model_error(f"operator {position} has foreign options", "FullyConnectedOptions")
    options = tflite.FullyConnectedOptions()
    table = operator.BuiltinOptions()
    options.Init(table.Bytes, table.Pos)
    if options.WeightsFormat() != tflite.FullyConnectedOptionsWeightsFormat.DEFAULT:
        raise model_error(f"operator {position} has shuffled weights", "the default weights format")
    weights_tensor = graph.Tensors(operator.Inputs(1))
    weights_shape = shape_of(weights_tensor)
    if len(weights_shape) != 2:
        raise model_error(f"operator {position} has weights of shape {weights_shape}", "[outputs, inputs]")
    outputs, inputs = weights_shape
    input_tensor, output_tensor = graph.Tensors(operator.Inputs(0)), graph.Tensors(operator.Outputs(0))
    for tensor, size in ((input_tensor, inputs), (output_tensor, outputs)):
        if tensor.Type() != tflite.TensorType.INT8 or np.prod(shape_of(tensor), dtype=np.int64) != size:
            quantise = tensor.Type() == tflite.TensorType.FLOAT32
            raise model_error(
                f"operator {position}, FULLY_CONNECTED, has an activation of type {type_name(tensor)}, "
                f"shape {shape_of(tensor)}",
                f"INT8 with {size} elements" + ("; quantise input and output to int8" if quantise else ""),
            )
    bias = np.zeros(outputs, dtype=np.int32)
    if operator.InputsLength() == 3 and operator.Inputs(2) >= 0:
        bias_tensor = graph.Tensors(operator.Inputs(2))
        bias = constant(root, bias_tensor, tflite.TensorType.INT32, np.dtype("<i4"), (outputs,))
    weight_scales, weight_zero_points = quantisation_of(weights_tensor, outputs)
    if np.any(weight_zero_points != 0):
        raise model_error(f"operator {position} has asymmetric weights", "weights with zero point 0")
    input_scales, input_zero_points = quantisation_of(input_tensor, 1)
    output_scales, output_zero_points = quantisation_of(output_tensor, 1)
    activation = options.FusedActivationFunction()
    if activation not in [known.value for known in Activation]:
        raise model_error(
            f"operator {position} has activation {activation}", "NONE, RELU, RELU6 or RELU_N1_TO_1"
        )
    return FullyConnected(
        weights=constant(root, weights_tensor, tflite.TensorType.INT8, np.dtype("i1"), weights_shape),
        bias=bias,
        weight_scales=weight_scales,
        input_scale=float(input_scales[0]),
        input_zero_point=int(input_zero_points[0]),
        output_scale=float(output_scales[0]),
        output_zero_point=int(output_zero_points[0]),
        activation=Activation(activation),
    )
