# SPDX-License-Identifier: Apache-2.0
"""Post-training quantisation of a float network to int8 FULLY_CONNECTED layers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hil.golden.features import INPUT_SCALE, INPUT_ZERO_POINT
from hil.golden.tflite_model import FullyConnected, Model
from hil.golden.tflite_tensors import Activation
from hil.golden.training.autoencoder import Array, Dense, activations


def quantize(
    layers: list[Dense], calibration: Array, description: str, *, per_channel: bool = False
) -> Model:
    """The int8 model of `layers`.

    Input and output carry features, so their quantisation is fixed to the features' (scale 0.125, zero point
    -128). Hidden tensors take the range [0, maximum] seen on `calibration` [n, inputs]; weights are symmetric
    in -127..127 with one scale per tensor, or one per output if `per_channel`; biases have scale
    input_scale * weight_scale.
    """
    tensors = activations(layers, calibration)
    scale, zero_point = INPUT_SCALE, INPUT_ZERO_POINT
    quantised = []
    for position, layer in enumerate(layers):
        if layer.relu:
            # A layer that is never active still needs a scale.
            output_scale = _float32(max(float(tensors[position + 1].max()), 1e-3) / 255.0)
            output_zero_point = -128
        else:
            output_scale, output_zero_point = INPUT_SCALE, INPUT_ZERO_POINT
        largest = np.abs(layer.weights).max(axis=0 if per_channel else None, keepdims=True)
        # Weights that are all 0 still need a scale, on which their bias fits.
        largest = np.where(largest > 0.0, largest, float(largest.max()) or 1.0)
        weight_scales = (largest.reshape(-1) / 127.0).astype(np.float32)
        exact_scales = weight_scales.astype(np.float64)
        quantised.append(
            FullyConnected(
                weights=_round((layer.weights / exact_scales).T, -127, 127).astype(np.int8),
                bias=_round(layer.bias / (scale * exact_scales), -(2**31), 2**31 - 1).astype(np.int32),
                weight_scales=weight_scales,
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
