# SPDX-License-Identifier: Apache-2.0
"""Post-training quantisation of a float network to int8 FULLY_CONNECTED layers, per tensor."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hil.golden.autoencoder import Array, Dense, activations
from hil.golden.features import INPUT_SCALE, INPUT_ZERO_POINT
from hil.golden.tflite_model import Activation, FullyConnected, Model


def quantize(layers: list[Dense], calibration: Array, description: str) -> Model:
    """The int8 model of `layers`.

    Input and output carry features, so their quantisation is fixed to the features' (scale 0.125, zero point
    -128). Hidden tensors take the range [0, maximum] seen on `calibration` [n, inputs]; weights are symmetric
    with one scale per tensor, in -127..127; biases have scale input_scale * weight_scale.
    """
    tensors = activations(layers, calibration)
    scale, zero_point = INPUT_SCALE, INPUT_ZERO_POINT
    quantised = []
    for position, layer in enumerate(layers):
        if layer.relu:
            output_scale = _float32(float(tensors[position + 1].max()) / 255.0)
            output_zero_point = -128
        else:
            output_scale, output_zero_point = INPUT_SCALE, INPUT_ZERO_POINT
        weight_scale = _float32(float(np.abs(layer.weights).max()) / 127.0)
        quantised.append(
            FullyConnected(
                weights=_round(layer.weights.T / weight_scale, -127, 127).astype(np.int8),
                bias=_round(layer.bias / (scale * weight_scale), -(2**31), 2**31 - 1).astype(np.int32),
                weight_scales=np.array([weight_scale], dtype=np.float32),
                input_scale=scale,
                input_zero_point=zero_point,
                output_scale=output_scale,
                output_zero_point=output_zero_point,
                activation=Activation.RELU if layer.relu else Activation.NONE,
            )
        )
        scale, zero_point = output_scale, output_zero_point
    return Model(tuple(quantised), description)


def _float32(value: float) -> float:
    return float(np.float32(value))


def _round(values: Array, low: int, high: int) -> npt.NDArray[np.float64]:
    return np.clip(np.rint(values), low, high)
