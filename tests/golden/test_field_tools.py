# SPDX-License-Identifier: Apache-2.0
"""The shipped file in the field's own runtimes: TensorFlow Lite Micro's and LiteRT's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hil.golden.tflite_model import Model, read_model
from hil.golden.tflite_writer import write_model
from hil.golden.vectors import inference_vectors

SHIPPED = (Path(__file__).parents[2] / "firmware" / "model" / "anomaly.tflite").read_bytes()


def per_channel() -> bytes:
    """The shipped network with a scale for each output."""
    from dataclasses import replace

    model = read_model(SHIPPED)
    layers = [
        replace(layer, weight_scales=np.repeat(layer.weight_scales, layer.output_size))
        for layer in model.layers
    ]
    return write_model(Model(tuple(layers), model.description))


def tflite_micro(content: bytes, inputs: np.ndarray) -> np.ndarray:
    runtime = pytest.importorskip("tflite_micro.python.tflite_micro.runtime")
    interpreter = runtime.Interpreter.from_bytes(content)
    assert interpreter.get_input_details(0)["shape"].tolist() == [1, 32]
    outputs = []
    for vector in inputs:
        interpreter.set_input(vector[np.newaxis], 0)
        interpreter.invoke()
        outputs.append(interpreter.get_output(0)[0].copy())
    return np.array(outputs)


def litert(content: bytes, inputs: np.ndarray) -> np.ndarray:
    package = pytest.importorskip("ai_edge_litert.interpreter")
    interpreter = package.Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    (source,), (sink,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert source["shape"].tolist() == sink["shape"].tolist() == [1, 32]
    assert source["dtype"] == sink["dtype"] == np.int8
    assert source["quantization"] == sink["quantization"] == (0.125, -128)
    outputs = []
    for vector in inputs:
        interpreter.set_tensor(source["index"], vector[np.newaxis])
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(sink["index"])[0].copy())
    return np.array(outputs)


@pytest.mark.parametrize("content", [SHIPPED, per_channel()], ids=["per tensor", "per channel"])
def test_both_runtimes_open_it_and_agree(content: bytes):
    inputs = inference_vectors(400, seed=71)
    micro, lite = tflite_micro(content, inputs).astype(int), litert(content, inputs).astype(int)
    # LiteRT rounds once where TFLM rounds twice: a step per layer may differ, and be amplified by the next.
    apart = np.abs(micro - lite)
    assert apart.max() <= 3
    assert (apart == 0).mean() > 0.95
    assert np.ptp(micro, axis=0).min() > 0  # the outputs are no constants
