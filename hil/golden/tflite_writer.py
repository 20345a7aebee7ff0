# SPDX-License-Identifier: Apache-2.0
"""Writes networks as .tflite files; the same model gives the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
import tflite

from hil.golden.spatial import Convolution, Pool
from hil.golden.spatial_writer import spatial_options
from hil.golden.tflite_model import (
    Elementwise,
    ElementwiseKind,
    FullyConnected,
    Model,
    Operator,
    default_input_shape,
    name_of,
)
from hil.golden.tflite_tensors import FILE_IDENTIFIER, SCHEMA_VERSION, Quantisation

FULLY_CONNECTED_INT8_VERSION = 4
"""Operator version of FULLY_CONNECTED with int8 input, weights and output, per tensor and per channel
(TensorFlow, tensorflow/lite/tools/versioning/op_version.cc)."""

_BUFFER_ALIGNMENT = 16  # schema.fbs: Buffer.data is force_align: 16


_SPATIAL_VERSIONS = {"CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "ADD": 2, "SOFTMAX": 2}
_POOL_VERSION = 2
_ELEMENTWISE_VERSIONS = {
    ElementwiseKind.RELU: 2,
    ElementwiseKind.RELU6: 2,
    ElementwiseKind.LOGISTIC: 2,
    ElementwiseKind.TANH: 2,
    ElementwiseKind.QUANTIZE: 1,  # 2 from int8
    ElementwiseKind.DEQUANTIZE: 2,
    ElementwiseKind.RESHAPE: 1,
}
"""Operator versions with int8 tensors (same source)."""


def write_model(model: Model) -> bytes:
    """The .tflite file of `model`: schema version 3, identifier TFL3, one subgraph."""
    builder = flatbuffers.Builder(4096)
    buffers = [_buffer(builder, b"")]  # buffer 0 is the empty one of tensors without data
    first = model.operators[0]
    shapes = [model.input_shape or default_input_shape(first)]
    tensors = [_activation_tensor(builder, "input", shapes[0], first.input)]
    activations = [0]  # tensors by the numbers of Model.sources
    codes: list[tuple[int, int]] = []
    operators = []
    for position, operator in enumerate(model.operators):
        inputs = [activations[number] for number in model.reads(position)]
        if isinstance(operator, FullyConnected | Convolution):
            buffers.append(_buffer(builder, operator.weights.astype("i1").tobytes()))
            tensors.append(_weights_tensor(builder, operator, f"weights{position}", len(buffers) - 1))
            buffers.append(_buffer(builder, operator.bias.astype("<i4").tobytes()))
            tensors.append(_bias_tensor(builder, operator, f"bias{position}", len(buffers) - 1))
            inputs += [len(tensors) - 2, len(tensors) - 1]
        shapes.append(_output_shape(operator, shapes[model.reads(position)[0]]))
        tensors.append(_activation_tensor(builder, f"activation{position}", shapes[-1], operator.output))
        activations.append(len(tensors) - 1)
        code = _operator_code(operator)
        if code not in codes:
            codes.append(code)
        operators.append(_operator(builder, operator, codes.index(code), inputs, activations[-1]))

    tensors_vector = _offsets(builder, tensors)
    inputs_vector = _int32s(builder, [0])
    outputs_vector = _int32s(builder, [activations[-1]])
    operators_vector = _offsets(builder, operators)
    graph_name = builder.CreateString("main")
    tflite.SubGraphStart(builder)
    tflite.SubGraphAddTensors(builder, tensors_vector)
    tflite.SubGraphAddInputs(builder, inputs_vector)
    tflite.SubGraphAddOutputs(builder, outputs_vector)
    tflite.SubGraphAddOperators(builder, operators_vector)
    tflite.SubGraphAddName(builder, graph_name)
    graph = tflite.SubGraphEnd(builder)

    code_tables = [_operator_code_table(builder, *code) for code in codes]
    description = builder.CreateString(model.description)
    codes_vector = _offsets(builder, code_tables)
    graphs_vector = _offsets(builder, [graph])
    buffers_vector = _offsets(builder, buffers)
    tflite.ModelStart(builder)
    tflite.ModelAddVersion(builder, SCHEMA_VERSION)
    tflite.ModelAddOperatorCodes(builder, codes_vector)
    tflite.ModelAddSubgraphs(builder, graphs_vector)
    tflite.ModelAddDescription(builder, description)
    tflite.ModelAddBuffers(builder, buffers_vector)
    builder.Finish(tflite.ModelEnd(builder), FILE_IDENTIFIER)
    return bytes(builder.Output())


def _vector(builder: Any, items: Sequence[Any], item_bytes: int, prepend: Callable[[Any], None]) -> int:
    builder.StartVector(item_bytes, len(items), item_bytes)
    for item in reversed(items):  # flatbuffers are built back to front
        prepend(item)
    return int(builder.EndVector())


def _offsets(builder: Any, offsets: Sequence[int]) -> int:
    return _vector(builder, offsets, 4, builder.PrependUOffsetTRelative)


def _int32s(builder: Any, values: Sequence[int]) -> int:
    return _vector(builder, values, 4, builder.PrependInt32)


def _buffer(builder: Any, data: bytes) -> int:
    if not data:
        tflite.BufferStart(builder)
        return int(tflite.BufferEnd(builder))
    builder.StartVector(1, len(data), _BUFFER_ALIGNMENT)
    builder.head -= len(data)
    builder.Bytes[builder.head : builder.head + len(data)] = data
    vector = builder.EndVector()
    tflite.BufferStart(builder)
    tflite.BufferAddData(builder, vector)
    return int(tflite.BufferEnd(builder))


def _output_shape(operator: Operator, source: tuple[int, ...]) -> tuple[int, ...]:
    match operator:
        case FullyConnected():
            return (1, operator.output_size)
        case Convolution() | Pool():
            return operator.output_shape
        case Elementwise() if operator.output_shape is not None:
            return operator.output_shape
        case _:
            return source


def _operator_code(operator: Operator) -> tuple[int, int]:
    """(builtin operator, version)."""
    if isinstance(operator, FullyConnected):
        return tflite.BuiltinOperator.FULLY_CONNECTED, FULLY_CONNECTED_INT8_VERSION
    if not isinstance(operator, Elementwise):
        name = name_of(operator)
        return getattr(tflite.BuiltinOperator, name), _SPATIAL_VERSIONS.get(name, _POOL_VERSION)
    from_int8 = operator.kind is ElementwiseKind.QUANTIZE and operator.input is not None
    return operator.kind.value, 2 if from_int8 else _ELEMENTWISE_VERSIONS[operator.kind]


def _operator_code_table(builder: Any, builtin: int, version: int) -> int:
    tflite.OperatorCodeStart(builder)
    tflite.OperatorCodeAddDeprecatedBuiltinCode(builder, builtin)  # all of them are below 127
    tflite.OperatorCodeAddBuiltinCode(builder, builtin)
    tflite.OperatorCodeAddVersion(builder, version)
    return int(tflite.OperatorCodeEnd(builder))


def _activation_tensor(
    builder: Any, name: str, shape: Sequence[int], quantisation: Quantisation | None
) -> int:
    if quantisation is None:
        no_scales = np.empty(0, dtype=np.float32)
        return _tensor(builder, name, shape, tflite.TensorType.FLOAT32, 0, no_scales, 0)
    scales = np.array([quantisation.scale], dtype=np.float32)
    return _tensor(builder, name, shape, tflite.TensorType.INT8, 0, scales, quantisation.zero_point)


def _weights_tensor(builder: Any, layer: FullyConnected | Convolution, name: str, buffer: int) -> int:
    axis = 3 if isinstance(layer, Convolution) and layer.depthwise else 0
    kind, shape = tflite.TensorType.INT8, layer.weights.shape
    return _tensor(builder, name, shape, kind, buffer, layer.weight_scales, 0, axis)


def _bias_tensor(builder: Any, layer: FullyConnected | Convolution, name: str, buffer: int) -> int:
    scales = (layer.input.scale * layer.weight_scales.astype(np.float64)).astype(np.float32)
    return _tensor(builder, name, layer.bias.shape, tflite.TensorType.INT32, buffer, scales, 0)


def _tensor(
    builder: Any,
    name: str,
    shape: Sequence[int],
    kind: int,
    buffer: int,
    scales: npt.NDArray[np.float32],
    zero_point: int,
    axis: int = 0,
) -> int:
    name_string = builder.CreateString(name)
    shape_vector = _int32s(builder, shape)
    quantisation = None if scales.size == 0 else _quantisation(builder, scales, zero_point, axis)
    tflite.TensorStart(builder)
    tflite.TensorAddShape(builder, shape_vector)
    tflite.TensorAddType(builder, kind)
    tflite.TensorAddBuffer(builder, buffer)
    tflite.TensorAddName(builder, name_string)
    if quantisation is not None:
        tflite.TensorAddQuantization(builder, quantisation)
    return int(tflite.TensorEnd(builder))


def _quantisation(builder: Any, scales: npt.NDArray[np.float32], zero_point: int, axis: int) -> int:
    scale_vector = _vector(builder, scales.tolist(), 4, builder.PrependFloat32)
    zero_point_vector = _vector(builder, [zero_point] * scales.size, 8, builder.PrependInt64)
    tflite.QuantizationParametersStart(builder)
    tflite.QuantizationParametersAddScale(builder, scale_vector)
    tflite.QuantizationParametersAddZeroPoint(builder, zero_point_vector)
    if axis != 0:
        tflite.QuantizationParametersAddQuantizedDimension(builder, axis)
    return int(tflite.QuantizationParametersEnd(builder))


def _operator(builder: Any, operator: Operator, code: int, inputs: Sequence[int], output: int) -> int:
    options_type, options = _options(builder, operator)
    inputs_vector = _int32s(builder, inputs)
    outputs_vector = _int32s(builder, [output])
    tflite.OperatorStart(builder)
    tflite.OperatorAddOpcodeIndex(builder, code)
    tflite.OperatorAddInputs(builder, inputs_vector)
    tflite.OperatorAddOutputs(builder, outputs_vector)
    if options is not None:
        tflite.OperatorAddBuiltinOptionsType(builder, options_type)
        tflite.OperatorAddBuiltinOptions(builder, options)
    return int(tflite.OperatorEnd(builder))


def _options(builder: Any, operator: Operator) -> tuple[int, int | None]:
    """(type, table) of the operator's options; no table where it needs none."""
    if isinstance(operator, FullyConnected):
        tflite.FullyConnectedOptionsStart(builder)
        tflite.FullyConnectedOptionsAddFusedActivationFunction(builder, operator.activation.value)
        return tflite.BuiltinOptions.FullyConnectedOptions, int(tflite.FullyConnectedOptionsEnd(builder))
    if not isinstance(operator, Elementwise):
        return spatial_options(builder, operator)
    if operator.output_shape is not None:
        shape = _int32s(builder, operator.output_shape)
        tflite.ReshapeOptionsStart(builder)
        tflite.ReshapeOptionsAddNewShape(builder, shape)
        return tflite.BuiltinOptions.ReshapeOptions, int(tflite.ReshapeOptionsEnd(builder))
    return tflite.BuiltinOptions.NONE, None
