# SPDX-License-Identifier: Apache-2.0
"""The firmware's interpreter against TensorFlow Lite Micro, bit for bit, and on damaged files."""

from __future__ import annotations

import ctypes
import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from hil.firmware.build import MODEL_FILE
from hil.firmware.protocol import errors
from hil.golden.interpreter import GoldenInterpreter
from hil.golden.tflite_model import FullyConnected, Model, read_model
from hil.golden.tflite_tensors import Activation
from hil.golden.tflite_writer import write_model
from hil.golden.vectors import inference_vectors

NETWORK_BYTES = 64 * 1024
"""More than sizeof(network_t) on any host."""


class Network:
    """A loaded network_t."""

    def __init__(self, library: ctypes.CDLL, content: bytes) -> None:
        self._library = library
        self._file = np.frombuffer(content, dtype=np.uint8).copy()  # the network points into it
        self._memory = ctypes.create_string_buffer(NETWORK_BYTES)
        self.error = int(
            library.network_load(self._memory, self._file.ctypes.data_as(ctypes.c_void_p), len(content))
        )

    @property
    def input_size(self) -> int:
        """First word of the struct."""
        return int.from_bytes(self._memory.raw[0:4], "little")

    @property
    def output_size(self) -> int:
        """Second word of the struct."""
        return int.from_bytes(self._memory.raw[4:8], "little")

    def infer(self, inputs: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
        """Outputs for each row of inputs."""
        assert self.error == 0
        assert inputs.shape[1] == self.input_size
        outputs = np.empty((len(inputs), self.output_size), dtype=np.int8)
        for row, vector in enumerate(np.ascontiguousarray(inputs)):
            self._library.network_invoke(
                self._memory,
                vector.ctypes.data_as(ctypes.c_void_p),
                outputs[row].ctypes.data_as(ctypes.c_void_p),
            )
        return outputs


def error_code(name: str) -> int:
    """The number of an error that C calls ``name``."""
    return errors()[name.removeprefix("ERROR_")][0]


def random_layers(rng: np.random.Generator) -> Model:
    """One to four layers of odd sizes, per tensor or per channel, any activation, scales over decades."""
    sizes = rng.integers(1, 48, rng.integers(2, 6)).tolist()
    scale, zero_point = float(np.float32(10 ** rng.uniform(-3, 0))), int(rng.integers(-128, 128))
    layers = []
    for inputs, outputs in itertools.pairwise(sizes):
        scale_count = outputs if rng.integers(2) else 1
        output_scale = float(np.float32(scale * 10 ** rng.uniform(-1, 1)))
        output_zero_point = int(rng.integers(-128, 128))
        layers.append(
            FullyConnected(
                weights=rng.integers(-127, 128, (outputs, inputs)).astype(np.int8),
                bias=rng.integers(-5000, 5000, outputs).astype(np.int32),
                weight_scales=(10 ** rng.uniform(-3, -1, scale_count)).astype(np.float32),
                input_scale=scale,
                input_zero_point=zero_point,
                output_scale=output_scale,
                output_zero_point=output_zero_point,
                activation=list(Activation)[rng.integers(3)],
            )
        )
        scale, zero_point = output_scale, output_zero_point
    return Model(tuple(layers))


def inputs_for(model: Model, rng: np.random.Generator, count: int) -> npt.NDArray[np.int8]:
    """Half uniform, half near the zero point: uniform ones alone hide wrong multipliers."""
    near = rng.normal(model.layers[0].input_zero_point, 4.0, (count, model.input_size))
    uniform = rng.integers(-128, 128, (count, model.input_size))
    return np.vstack([np.clip(near, -128, 127), uniform]).astype(np.int8)


def test_the_firmwares_model_is_bit_exact(pure_firmware: ctypes.CDLL) -> None:
    content = MODEL_FILE.read_bytes()
    vectors = inference_vectors(1000, seed=7)
    rng = np.random.default_rng(8)
    inputs = np.vstack([vectors, inputs_for(read_model(content), rng, 500)])
    np.testing.assert_array_equal(
        Network(pure_firmware, content).infer(inputs), GoldenInterpreter(content).infer(inputs)
    )


@pytest.mark.parametrize("seed", range(40))
def test_random_models_are_bit_exact(pure_firmware: ctypes.CDLL, seed: int) -> None:
    rng = np.random.default_rng(seed)
    model = random_layers(rng)
    content = write_model(model)
    inputs = inputs_for(model, rng, 50)
    np.testing.assert_array_equal(
        Network(pure_firmware, content).infer(inputs), GoldenInterpreter(content).infer(inputs)
    )


def layer_model(**changes: Any) -> Model:
    """A small sound model with something changed in its only layer."""
    layer = FullyConnected(
        weights=np.ones((2, 3), dtype=np.int8),
        bias=np.zeros(2, dtype=np.int32),
        weight_scales=np.array([0.5], dtype=np.float32),
        input_scale=0.125,
        input_zero_point=0,
        output_scale=0.125,
        output_zero_point=0,
        activation=Activation.NONE,
    )
    return Model((replace(layer, **changes),))


@pytest.mark.parametrize(
    ("model", "error"),
    [
        pytest.param(
            layer_model(weight_scales=np.array([0.5, 0.0], dtype=np.float32)), "QUANTISATION", id="scale 0"
        ),
        pytest.param(
            layer_model(weight_scales=np.full(3, 0.5, dtype=np.float32)),
            "QUANTISATION",
            id="3 scales, 2 rows",
        ),
        pytest.param(layer_model(input_zero_point=300), "QUANTISATION", id="zero point beyond int8"),
        pytest.param(Model(layer_model().layers * 17), "SHAPE", id="layers that do not fit each other"),
        pytest.param(
            Model(
                layer_model(weights=np.ones((3, 3), dtype=np.int8), bias=np.zeros(3, dtype=np.int32)).layers
                * 17
            ),
            "MEMORY",
            id="too many layers",
        ),
        pytest.param(
            layer_model(
                weights=np.ones((2000, 3), dtype=np.int8),
                bias=np.zeros(2000, dtype=np.int32),
                weight_scales=np.full(2000, 0.5, dtype=np.float32),
            ),
            "MEMORY",
            id="too many factors",
        ),
    ],
)
def test_unusable_models_are_refused(pure_firmware: ctypes.CDLL, model: Model, error: str) -> None:
    assert Network(pure_firmware, write_model(model)).error == error_code(f"ERROR_MODEL_{error}")


def test_other_operators_are_refused(pure_firmware: ctypes.CDLL) -> None:
    content = bytearray(MODEL_FILE.read_bytes())
    fully_connected, transpose_conv = 9, 67  # schema.fbs, BuiltinOperator
    codes = [i for i in range(len(content)) if content[i] == fully_connected]
    errors = set()
    for position in codes:
        damaged = bytearray(content)
        damaged[position] = transpose_conv
        errors.add(Network(pure_firmware, bytes(damaged)).error)
    assert error_code("ERROR_MODEL_OPERATOR") in errors


def test_foreign_files_are_refused(pure_firmware: ctypes.CDLL) -> None:
    wanted = error_code("ERROR_MODEL_IDENTIFIER")
    for content in (
        b"",
        b"\x7fELF",
        bytes(2000),
        b"\xff" * 2000,
        MODEL_FILE.read_bytes().replace(b"TFL3", b"TFL2"),
    ):
        assert Network(pure_firmware, content).error == wanted


def test_damaged_files_never_crash_or_hang(pure_firmware: ctypes.CDLL) -> None:
    """Truncated and overwritten at random: a code comes back, or the network still runs."""
    rng = np.random.default_rng(11)
    sound = MODEL_FILE.read_bytes()
    inputs = inputs_for(read_model(sound), rng, 2)
    refused = 0
    for round_number in range(1500):
        damaged = bytearray(sound)
        for _ in range(rng.integers(1, 9)):
            damaged[rng.integers(len(damaged))] = rng.integers(256)
        if round_number % 3 == 0:
            del damaged[rng.integers(len(damaged)) :]
        network = Network(pure_firmware, bytes(damaged))
        if network.error != 0:
            refused += 1
        elif network.input_size == inputs.shape[1]:
            network.infer(inputs)
    assert 0 < refused < 1500
