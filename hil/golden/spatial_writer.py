# SPDX-License-Identifier: Apache-2.0
"""Writes the options of convolutions, pools, ADD and SOFTMAX into a .tflite file."""

from __future__ import annotations

from typing import Any

import tflite

from hil.golden.spatial import Addition, Convolution, Pool, SpatialOperator, Window


def spatial_options(builder: Any, operator: SpatialOperator) -> tuple[int, int]:
    """(type, table) of the operator's options."""
    match operator:
        case Convolution() if operator.depthwise:
            return _convolution(builder, operator, "DepthwiseConv2DOptions")
        case Convolution():
            return _convolution(builder, operator, "Conv2DOptions")
        case Pool():
            tflite.Pool2DOptionsStart(builder)
            _add_window(builder, operator.window, "Pool2DOptions")
            tflite.Pool2DOptionsAddFilterHeight(builder, operator.window.kernel[0])
            tflite.Pool2DOptionsAddFilterWidth(builder, operator.window.kernel[1])
            tflite.Pool2DOptionsAddFusedActivationFunction(builder, operator.activation.value)
            return tflite.BuiltinOptions.Pool2DOptions, int(tflite.Pool2DOptionsEnd(builder))
        case Addition():
            tflite.AddOptionsStart(builder)
            tflite.AddOptionsAddFusedActivationFunction(builder, operator.activation.value)
            return tflite.BuiltinOptions.AddOptions, int(tflite.AddOptionsEnd(builder))
        case _:
            tflite.SoftmaxOptionsStart(builder)
            tflite.SoftmaxOptionsAddBeta(builder, operator.beta)
            return tflite.BuiltinOptions.SoftmaxOptions, int(tflite.SoftmaxOptionsEnd(builder))


def _convolution(builder: Any, operator: Convolution, kind: str) -> tuple[int, int]:
    window = operator.window
    getattr(tflite, f"{kind}Start")(builder)
    _add_window(builder, window, kind)
    getattr(tflite, f"{kind}AddDilationHFactor")(builder, window.dilation[0])
    getattr(tflite, f"{kind}AddDilationWFactor")(builder, window.dilation[1])
    getattr(tflite, f"{kind}AddFusedActivationFunction")(builder, operator.activation.value)
    if operator.depthwise:
        tflite.DepthwiseConv2DOptionsAddDepthMultiplier(builder, operator.outputs // window.channels)
    return getattr(tflite.BuiltinOptions, kind), int(getattr(tflite, f"{kind}End")(builder))


def _add_window(builder: Any, window: Window, kind: str) -> None:
    padding = tflite.Padding.SAME if window.same else tflite.Padding.VALID
    getattr(tflite, f"{kind}AddPadding")(builder, padding)
    getattr(tflite, f"{kind}AddStrideH")(builder, window.stride[0])
    getattr(tflite, f"{kind}AddStrideW")(builder, window.stride[1])
