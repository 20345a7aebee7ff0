# SPDX-License-Identifier: Apache-2.0
"""Convolutions, pools, ADD and SOFTMAX as the part runs them: exact, and beside what others published."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from hil.golden.interpreter import GoldenInterpreter
from hil.golden.random_models import random_inputs
from hil.golden.random_spatial import random_spatial_model
from hil.golden.tflite_writer import write_model
from tests.firmware.core_program import (
    FOUR_WAIT_STATES_CACHED,
    TOOLCHAINS,
    CoreProgram,
    build_program,
)
from tests.firmware.networks import convolutional_autoencoder, ds_cnn

DS_CNN_PRODUCTS = 2_656_768
CMSIS_NN_CYCLES = 120e6 / 10.018
"""DS-CNN by CMSIS-NN on a Cortex-M4: 10.018 inferences a second, the slowest of five windows, by a
NUCLEO-L4R5ZI at 120 MHz (MLPerf Tiny v1.0: github.com/mlcommons/tiny_results_v1.0,
closed/OctoML/results/microtvm_cmsis_nn/NUCLEO_L4R5ZI/kws/performance/results.txt)."""


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_a_convolutional_autoencoder_is_exact(tmp_path: Path, toolchain: Literal["zig", "gcc"]) -> None:
    model = convolutional_autoencoder(seed=41)
    content = write_model(model)
    program = CoreProgram(build_program(toolchain, "inference", tmp_path, content))
    assert program.error == 0
    inputs = random_inputs(model, np.random.default_rng(42), 262)
    outputs, _ = program.run(inputs, model.output_size)
    np.testing.assert_array_equal(outputs, GoldenInterpreter(content).infer(inputs))
    assert outputs.size >= 50_000  # 100,000 over the two toolchains
    assert outputs.std() > 20


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_ds_cnn_is_exact_and_no_slower_than_cmsis_nn(
    tmp_path: Path, toolchain: Literal["zig", "gcc"]
) -> None:
    model = ds_cnn(seed=43)
    assert model.products == DS_CNN_PRODUCTS
    content = write_model(model)
    program = CoreProgram(build_program(toolchain, "inference", tmp_path, content))
    assert program.error == 0
    inputs = random_inputs(model, np.random.default_rng(44), 1)
    outputs, cycles = program.run(inputs, model.output_size, FOUR_WAIT_STATES_CACHED)
    np.testing.assert_array_equal(outputs, GoldenInterpreter(content).infer(inputs))
    print(f"{cycles} cycles, {cycles / DS_CNN_PRODUCTS:.2f} a product; CMSIS-NN {CMSIS_NN_CYCLES:.0f}")
    assert cycles <= CMSIS_NN_CYCLES


@pytest.mark.short_form(2)
@pytest.mark.parametrize("seed", range(40))
def test_random_networks_are_exact(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng([45, seed])
    model = random_spatial_model(rng)
    content = write_model(model)
    program = CoreProgram(build_program("zig", "inference", tmp_path, content))
    assert program.error == 0
    inputs = random_inputs(model, rng, 40)
    outputs, _ = program.run(inputs, model.output_size)
    np.testing.assert_array_equal(outputs, GoldenInterpreter(content).infer(inputs))
