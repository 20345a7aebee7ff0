# SPDX-License-Identifier: Apache-2.0
"""A whole network by the numpy reference."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from hil.golden.reference import run_elementwise, run_layer
from hil.golden.spatial import Addition, Convolution, Pool, Softmax
from hil.golden.spatial_reference import run_addition, run_convolution, run_pool, run_softmax
from hil.golden.tflite_model import FullyConnected, Model, Operator


def run_model(model: Model, inputs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Outputs [n, output_size] of `model` for inputs [n, input_size], each int8 or float32."""
    tensors = [inputs]
    for position, operator in enumerate(model.operators):
        tensors.append(_run(operator, *(tensors[number] for number in model.reads(position))))
    return tensors[-1]


def _run(operator: Operator, *inputs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    match operator:
        case FullyConnected():
            return run_layer(operator, inputs[0])
        case Convolution():
            return run_convolution(operator, inputs[0])
        case Pool():
            return run_pool(operator, inputs[0])
        case Addition():
            return run_addition(operator, inputs[0], inputs[1])
        case Softmax():
            return run_softmax(operator, inputs[0])
        case _:
            return run_elementwise(operator, inputs[0])
