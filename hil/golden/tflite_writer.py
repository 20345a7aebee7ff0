# SPDX-License-Identifier: Apache-2.0
"""Writes stacks of int8 FULLY_CONNECTED layers as .tflite files; the same model gives the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
import tflite

from hil.golden.tflite_model import FILE_IDENTIFIER, SCHEMA_VERSION, FullyConnected, Model

FULLY_CONNECTED_INT8_VERSION = 4
"""Operator version of FULLY_CONNECTED with int8 input, weights and output, per tensor and per channel
(TensorFlow, tensorflow/lite/tools/versioning/op_version.cc)."""

_BUFFER_ALIGNMENT = 16  # schema.fbs: Buffer.data is force_align: 16


def write_model(model: Model) -> bytes:
    """The .tflite file of `model`: schema version 3, identifier TFL3, one subgraph."""
    builder = flatbuffers.Builder(4096)
    buffers = [_buffer(builder, b"")]  # buffer 0 is the empty one of tensors without data
    tensors = [_activation_tensor(builder, model.layers[0], "input", of_input=True)]
    operators = []
    for position, layer in enumerate(model.layers):
        buffers.append(_buffer(builder, layer.weights.astype("i1").tobytes()))
        tensors.append(_weights_tensor(builder, layer, f"weights{position}", len(buffers) - 1))
        buffers.append(_buffer(builder, layer.bias.astype("<i4").tobytes()))
        tensors.append(_bias_tensor(builder, layer, f"bias{position}", len(buffers) - 1))
        tensors.append(_activation_tensor(builder, layer, f"activation{position}", of_input=False))
        output = len(tensors) - 1
        previous = output - 3
        operators.append(_operator(builder, layer, (previous, output - 2, output - 1), output))

    tensors_vector = _offsets(builder, tensors)
    inputs_vector = _int32s(builder, [0])
    outputs_vector = _int32s(builder, [len(tensors) - 1])
    operators_vector = _offsets(builder, operators)
    graph_name = builder.CreateString("main")
    tflite.SubGraphStart(builder)
    tflite.SubGraphAddTensors(builder, tensors_vector)
    tflite.SubGraphAddInputs(builder, inputs_vector)
    tflite.SubGraphAddOutputs(builder, outputs_vector)
    tflite.SubGraphAddOperators(builder, operators_vector)
    tflite.SubGraphAddName(builder, graph_name)
    graph = tflite.SubGraphEnd(builder)

    tflite.OperatorCodeStart(builder)
    tflite.OperatorCodeAddDeprecatedBuiltinCode(builder, tflite.BuiltinOperator.FULLY_CONNECTED)
    tflite.OperatorCodeAddBuiltinCode(builder, tflite.BuiltinOperator.FULLY_CONNECTED)
    tflite.OperatorCodeAddVersion(builder, FULLY_CONNECTED_INT8_VERSION)
    operator_code = tflite.OperatorCodeEnd(builder)

    description = builder.CreateString(model.description)
    codes_vector = _offsets(builder, [operator_code])
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


def _activation_tensor(builder: Any, layer: FullyConnected, name: str, *, of_input: bool) -> int:
    if of_input:
        size, scale, zero_point = layer.input_size, layer.input_scale, layer.input_zero_point
    else:
        size, scale, zero_point = layer.output_size, layer.output_scale, layer.output_zero_point
    scales = np.array([scale], dtype=np.float32)
    return _tensor(builder, name, (1, size), tflite.TensorType.INT8, 0, scales, zero_point)


def _weights_tensor(builder: Any, layer: FullyConnected, name: str, buffer: int) -> int:
    shape = (layer.output_size, layer.input_size)
    return _tensor(builder, name, shape, tflite.TensorType.INT8, buffer, layer.weight_scales, 0)


def _bias_tensor(builder: Any, layer: FullyConnected, name: str, buffer: int) -> int:
    scales = (layer.input_scale * layer.weight_scales.astype(np.float64)).astype(np.float32)
    return _tensor(builder, name, (layer.output_size,), tflite.TensorType.INT32, buffer, scales, 0)


def _tensor(
    builder: Any,
    name: str,
    shape: Sequence[int],
    kind: int,
    buffer: int,
    scales: npt.NDArray[np.float32],
    zero_point: int,
) -> int:
    name_string = builder.CreateString(name)
    shape_vector = _int32s(builder, shape)
    scale_vector = _vector(builder, scales.tolist(), 4, builder.PrependFloat32)
    zero_point_vector = _vector(builder, [zero_point] * scales.size, 8, builder.PrependInt64)
    tflite.QuantizationParametersStart(builder)
    tflite.QuantizationParametersAddScale(builder, scale_vector)
    tflite.QuantizationParametersAddZeroPoint(builder, zero_point_vector)
    quantisation = tflite.QuantizationParametersEnd(builder)
    tflite.TensorStart(builder)
    tflite.TensorAddShape(builder, shape_vector)
    tflite.TensorAddType(builder, kind)
    tflite.TensorAddBuffer(builder, buffer)
    tflite.TensorAddName(builder, name_string)
    tflite.TensorAddQuantization(builder, quantisation)
    return int(tflite.TensorEnd(builder))


def _operator(builder: Any, layer: FullyConnected, inputs: Sequence[int], output: int) -> int:
    tflite.FullyConnectedOptionsStart(builder)
    tflite.FullyConnectedOptionsAddFusedActivationFunction(builder, layer.activation.value)
    options = tflite.FullyConnectedOptionsEnd(builder)
    inputs_vector = _int32s(builder, inputs)
    outputs_vector = _int32s(builder, [output])
    tflite.OperatorStart(builder)
    tflite.OperatorAddOpcodeIndex(builder, 0)
    tflite.OperatorAddInputs(builder, inputs_vector)
    tflite.OperatorAddOutputs(builder, outputs_vector)
    tflite.OperatorAddBuiltinOptionsType(builder, tflite.BuiltinOptions.FullyConnectedOptions)
    tflite.OperatorAddBuiltinOptions(builder, options)
    return int(tflite.OperatorEnd(builder))
