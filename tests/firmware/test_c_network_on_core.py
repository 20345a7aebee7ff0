# SPDX-License-Identifier: Apache-2.0
"""The interpreter as the part runs it, with DSP instructions and assembly: exact, within its cycle budget."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from hil.firmware.build import MODEL_FILE
from hil.golden.interpreter import GoldenInterpreter
from hil.golden.tflite_model import FullyConnected, Model
from hil.golden.tflite_tensors import Activation
from hil.golden.tflite_writer import write_model
from hil.golden.vectors import inference_vectors
from tests.firmware.core_program import (
    FOUR_WAIT_STATES_CACHED,
    NO_WAIT_STATES,
    TOOLCHAINS,
    CoreProgram,
    build_program,
)
from tests.firmware.networks import AD01_SIZES


def random_stack(sizes: tuple[int, ...], seed: int, *, per_channel: bool = False) -> bytes:
    """Fully connected layers of these sizes, as a .tflite file; outputs spread over int8."""
    rng = np.random.default_rng(seed)
    scale, zero_point = 0.1, 3
    layers = []
    for inputs, outputs in itertools.pairwise(sizes):
        factor = 1.0 / (40.0 * np.sqrt(inputs))  # of the accumulator's standard deviation to about 40 steps
        layers.append(
            FullyConnected(
                weights=rng.integers(-127, 128, (outputs, inputs)).astype(np.int8),
                bias=rng.integers(-3000, 3000, outputs).astype(np.int32),
                weight_scales=(factor * rng.uniform(0.5, 1.5, outputs if per_channel else 1)).astype(
                    np.float32
                ),
                input_scale=float(np.float32(scale)),
                input_zero_point=zero_point,
                output_scale=float(np.float32(scale)),
                output_zero_point=int(rng.integers(-100, 100)),
                activation=[Activation.NONE, Activation.RELU][len(layers) % 2],
            )
        )
        zero_point = layers[-1].output_zero_point
    return write_model(Model(tuple(layers)))


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_the_firmwares_model_is_exact_and_under_5000_cycles(
    tmp_path: Path, toolchain: Literal["zig", "gcc"]
) -> None:
    content = MODEL_FILE.read_bytes()
    program = CoreProgram(build_program(toolchain, "inference", tmp_path, content))
    assert program.error == 0
    inputs = inference_vectors(1600, seed=31)
    outputs, cycles = program.run(inputs, 32)
    np.testing.assert_array_equal(outputs, GoldenInterpreter(content).infer(inputs))
    assert outputs.size >= 50_000  # 100,000 over the two toolchains
    assert cycles < 5000
    _, cycles_at_80_mhz = program.run(inputs[:4], 32, FOUR_WAIT_STATES_CACHED)
    assert cycles_at_80_mhz < 5000


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_ad01_is_exact_and_at_most_2_cycles_per_product(
    tmp_path: Path, toolchain: Literal["zig", "gcc"]
) -> None:
    content = random_stack(AD01_SIZES, seed=32)
    products = sum(inputs * outputs for inputs, outputs in itertools.pairwise(AD01_SIZES))
    assert products == 264_192
    program = CoreProgram(build_program(toolchain, "inference", tmp_path, content))
    assert program.error == 0
    rng = np.random.default_rng(33)
    inputs = np.vstack([rng.integers(-128, 128, (16, 640)), rng.integers(0, 7, (16, 640))]).astype(np.int8)
    outputs, cycles = program.run(inputs, 640, NO_WAIT_STATES)
    np.testing.assert_array_equal(outputs, GoldenInterpreter(content).infer(inputs))
    assert outputs.std() > 20  # outputs that are all at a limit would prove little
    assert cycles / products <= 2.0
    _, cycles_at_80_mhz = program.run(inputs[:1], 640, FOUR_WAIT_STATES_CACHED)
    assert cycles_at_80_mhz / products <= 2.5  # weights in flash: four wait states for each eight of them


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
@pytest.mark.parametrize("sizes", [(37, 21, 3), (4, 4), (1, 17, 6), (35, 36, 50, 2), (9, 150, 2)])
def test_odd_sizes_are_exact(
    tmp_path: Path, toolchain: Literal["zig", "gcc"], sizes: tuple[int, ...]
) -> None:
    """Rows that begin at any address, rests of rows, and of blocks of rows."""
    content = random_stack(sizes, seed=34, per_channel=True)
    program = CoreProgram(build_program(toolchain, "inference", tmp_path, content))
    assert program.error == 0
    inputs = np.random.default_rng(35).integers(-128, 128, (60, sizes[0])).astype(np.int8)
    outputs, _ = program.run(inputs, sizes[-1])
    np.testing.assert_array_equal(outputs, GoldenInterpreter(content).infer(inputs))
