# SPDX-License-Identifier: Apache-2.0
"""Reads convolutions, pools, additions and SOFTMAX from a .tflite file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tflite

from hil.golden.spatial import (
    MAX_EXTENT,
    SOFTMAX_MAX_DEPTH,
    SOFTMAX_MAX_STEP,
    SOFTMAX_MIN_STEP,
    SOFTMAX_OUTPUT,
    Addition,
    Convolution,
    Pool,
    Softmax,
    SpatialOperator,
    Window,
)
from hil.golden.tflite_tensors import (
    Activation,
    Quantisation,
    activation_quantisation,
    constant,
    element_count,
    model_error,
    quantisation_of,
    shape_of,
    type_name,
)


def _convolution(root: Any, graph: Any, operator: Any, where: str) -> Convolution:
    options = _options(operator, "Conv2DOptions", where)
    image, source, target = _ends(graph, operator, where, (2, 3))
    weights_tensor = graph.Tensors(operator.Inputs(1))
    shape = shape_of(weights_tensor)
    if len(shape) != 4 or shape[3] != image[2]:
        raise model_error(f"{where} has weights of shape {shape}", f"[outputs, height, width, {image[2]}]")
    window = _window(image, (shape[1], shape[2]), options, _dilation(options), where)
    return _weighted(root, graph, operator, where, window, source, target, options, shape[0])


def _depthwise(root: Any, graph: Any, operator: Any, where: str) -> Convolution:
    options = _options(operator, "DepthwiseConv2DOptions", where)
    image, source, target = _ends(graph, operator, where, (2, 3))
    shape = shape_of(graph.Tensors(operator.Inputs(1)))
    if len(shape) != 4 or shape[0] != 1 or shape[3] != image[2] * options.DepthMultiplier():
        raise model_error(
            f"{where} has weights of shape {shape} and depth multiplier {options.DepthMultiplier()}",
            f"[1, height, width, {image[2]} times the multiplier]",
        )
    window = _window(image, (shape[1], shape[2]), options, _dilation(options), where)
    return _weighted(root, graph, operator, where, window, source, target, options, shape[3], depthwise=True)


def _weighted(
    root: Any,
    graph: Any,
    operator: Any,
    where: str,
    window: Window,
    source: Quantisation,
    target: Quantisation,
    options: Any,
    outputs: int,
    *,
    depthwise: bool = False,
) -> Convolution:
    weights_tensor = graph.Tensors(operator.Inputs(1))
    scales, zero_points = quantisation_of(weights_tensor, outputs, 3 if depthwise else 0)
    if np.any(zero_points != 0):
        raise model_error(f"{where} has asymmetric weights", "weights with zero point 0")
    bias = np.zeros(outputs, dtype=np.int32)
    if operator.InputsLength() == 3 and operator.Inputs(2) >= 0:
        tensor = graph.Tensors(operator.Inputs(2))
        bias = constant(root, tensor, tflite.TensorType.INT32, np.dtype("<i4"), (outputs,))
    shape = shape_of(weights_tensor)
    found = Convolution(
        window=window,
        weights=constant(root, weights_tensor, tflite.TensorType.INT8, np.dtype("i1"), shape),
        bias=bias,
        weight_scales=scales,
        input=source,
        output=target,
        activation=_activation(options, where),
        depthwise=depthwise,
    )
    _require_output(graph, operator, found.output_shape, where)
    return found


def _average_pool(root: Any, graph: Any, operator: Any, where: str) -> Pool:
    return _pool(graph, operator, where, average=True)


def _max_pool(root: Any, graph: Any, operator: Any, where: str) -> Pool:
    return _pool(graph, operator, where, average=False)


def _pool(graph: Any, operator: Any, where: str, *, average: bool) -> Pool:
    options = _options(operator, "Pool2DOptions", where)
    image, source, target = _ends(graph, operator, where, (1,))
    if source != target:
        raise model_error(f"{where} has {source} before and {target} after", "the same quantisation")
    window = _window(image, (options.FilterHeight(), options.FilterWidth()), options, (1, 1), where)
    found = Pool(window, average, source, _activation(options, where))
    _require_output(graph, operator, found.output_shape, where)
    return found


def _addition(root: Any, graph: Any, operator: Any, where: str) -> Addition:
    options = _options(operator, "AddOptions", where)
    if operator.InputsLength() != 2:
        raise model_error(f"{where} has {operator.InputsLength()} inputs", "two")
    tensors = [
        graph.Tensors(index) for index in (operator.Inputs(0), operator.Inputs(1), operator.Outputs(0))
    ]
    shapes = [shape_of(tensor) for tensor in tensors]
    if len(set(shapes)) != 1:
        raise model_error(f"{where} adds {shapes[0]} and {shapes[1]} to {shapes[2]}", "the same shape thrice")
    first, second, output = (_int8(tensor, where) for tensor in tensors)
    step = 2.0 * max(first.scale, second.scale) / (2.0**20 * output.scale)
    if step >= 1.0:
        raise model_error(
            f"{where} has an output's scale of {output.scale}", "one not so far below the inputs'"
        )
    return Addition(element_count(tensors[0]), first, second, output, _activation(options, where))


def _softmax(root: Any, graph: Any, operator: Any, where: str) -> Softmax:
    options = _options(operator, "SoftmaxOptions", where)
    if operator.InputsLength() != 1:
        raise model_error(f"{where} has {operator.InputsLength()} inputs", "one")
    before, after = graph.Tensors(operator.Inputs(0)), graph.Tensors(operator.Outputs(0))
    source, target = _int8(before, where), _int8(after, where)
    shape = shape_of(before)
    if not shape or shape != shape_of(after) or not 1 <= shape[-1] <= SOFTMAX_MAX_DEPTH:
        raise model_error(
            f"{where} takes {shape} to {shape_of(after)}",
            f"the same shape, and at most {SOFTMAX_MAX_DEPTH} along the last axis",
        )
    if target != SOFTMAX_OUTPUT:
        raise model_error(f"the output of {where} has {target}", f"{SOFTMAX_OUTPUT}")
    beta = float(options.Beta())
    if not SOFTMAX_MIN_STEP < beta * source.scale < SOFTMAX_MAX_STEP or not 1e-30 < beta < 1e30:
        raise model_error(
            f"{where} has a scale of {source.scale} and a beta of {beta}",
            f"a product between {SOFTMAX_MIN_STEP:g} and {SOFTMAX_MAX_STEP:g}",
        )
    return Softmax(element_count(before) // shape[-1], shape[-1], source, beta)


SPATIAL_READERS: dict[int, Callable[[Any, Any, Any, str], SpatialOperator]] = {
    tflite.BuiltinOperator.CONV_2D: _convolution,
    tflite.BuiltinOperator.DEPTHWISE_CONV_2D: _depthwise,
    tflite.BuiltinOperator.AVERAGE_POOL_2D: _average_pool,
    tflite.BuiltinOperator.MAX_POOL_2D: _max_pool,
    tflite.BuiltinOperator.ADD: _addition,
    tflite.BuiltinOperator.SOFTMAX: _softmax,
}
"""By the schema's BuiltinOperator. Each takes the file's root, its graph, the operator, its name."""


def _options(operator: Any, kind: str, where: str) -> Any:
    if operator.BuiltinOptionsType() != getattr(tflite.BuiltinOptions, kind):
        raise model_error(f"{where} has foreign options", kind)
    options = getattr(tflite, kind)()
    table = operator.BuiltinOptions()
    options.Init(table.Bytes, table.Pos)
    return options


def _ends(
    graph: Any, operator: Any, where: str, input_counts: tuple[int, ...]
) -> tuple[tuple[int, int, int], Quantisation, Quantisation]:
    """(height, width, channels) of the image, and both quantisations."""
    if operator.InputsLength() not in input_counts:
        raise model_error(f"{where} has {operator.InputsLength()} inputs", f"{input_counts[-1]}")
    before, after = graph.Tensors(operator.Inputs(0)), graph.Tensors(operator.Outputs(0))
    source, target = _int8(before, where), _int8(after, where)
    shape = shape_of(before)
    if len(shape) != 4 or shape[0] != 1 or min(shape) < 1:
        raise model_error(f"{where} takes a tensor of shape {shape}", "[1, height, width, channels]")
    return (shape[1], shape[2], shape[3]), source, target


def _int8(tensor: Any, where: str) -> Quantisation:
    found = activation_quantisation(tensor)
    if found is None:
        raise model_error(
            f"{where} has an activation of type {type_name(tensor)}",
            "INT8; quantise input and output to int8",
        )
    return found


def _dilation(options: Any) -> tuple[int, int]:
    return options.DilationHFactor(), options.DilationWFactor()


def _window(
    image: tuple[int, int, int], kernel: tuple[int, int], options: Any, dilation: tuple[int, int], where: str
) -> Window:
    stride = (options.StrideH(), options.StrideW())
    numbers = (*kernel, *stride, *dilation)
    if min(numbers) < 1 or max(*numbers, *image) > MAX_EXTENT:
        raise model_error(
            f"{where} has kernel {kernel}, stride {stride}, dilation {dilation}, image {image}",
            f"each from 1 to {MAX_EXTENT}",
        )
    if options.Padding() not in (tflite.Padding.SAME, tflite.Padding.VALID):
        raise model_error(f"{where} has padding {options.Padding()}", "SAME or VALID")
    window = Window(*image, kernel, stride, dilation, same=options.Padding() == tflite.Padding.SAME)
    if min(window.output) < 1 or max(window.extent) > MAX_EXTENT:
        raise model_error(f"{where} has a kernel of {kernel} on an image of {image}", "one that fits")
    return window


def _activation(options: Any, where: str) -> Activation:
    found = options.FusedActivationFunction()
    if found not in [known.value for known in Activation]:
        raise model_error(f"{where} has activation {found}", "NONE, RELU, RELU6, RELU_N1_TO_1")
    return Activation(found)


def _require_output(graph: Any, operator: Any, shape: tuple[int, ...], where: str) -> None:
    found = shape_of(graph.Tensors(operator.Outputs(0)))
    if found != shape:
        raise model_error(f"{where} has an output of shape {found}", f"{shape}")
