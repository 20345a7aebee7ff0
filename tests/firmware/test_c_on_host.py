# SPDX-License-Identifier: Apache-2.0
"""The firmware's pure C under sanitizers on this computer: unit tests, golden results, damaged models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hil.errors import FirmwareBuildError
from hil.firmware.arena import needed_bytes
from hil.firmware.build import MODEL_FILE
from hil.firmware.host import HostPrograms, build_host, fuzz_models
from hil.golden.features import features
from hil.golden.interpreter import GoldenInterpreter
from hil.golden.random_models import random_inputs, random_model
from hil.golden.random_spatial import random_spatial_model
from hil.golden.run_model import run_model
from hil.golden.tflite_model import read_model
from hil.golden.tflite_writer import write_model
from hil.golden.vectors import inference_vectors


def test_unit_tests_pass(host_programs: HostPrograms) -> None:
    assert "100% tests passed" in host_programs.test()


def test_the_firmwares_model_equals_the_golden_interpreter(host_programs: HostPrograms) -> None:
    content = MODEL_FILE.read_bytes()
    inputs = inference_vectors(2000, seed=41)
    np.testing.assert_array_equal(
        host_programs.infer(content, inputs), GoldenInterpreter(content).infer(inputs)
    )


def test_a_million_outputs_of_every_operator_equal_the_reference(host_programs: HostPrograms) -> None:
    """hil.golden.prove, and its test, compare that reference with the runtime."""
    rng = np.random.default_rng(42)
    compared = 0
    while compared < 1_000_000:
        model = random_model(rng) if rng.integers(2) else random_spatial_model(rng)
        inputs = random_inputs(model, rng, 400)
        content = write_model(model)
        np.testing.assert_array_equal(host_programs.infer(content, inputs), run_model(model, inputs))
        compared += len(inputs) * model.output_size


def test_values_that_the_runtime_leaves_undefined(host_programs: HostPrograms) -> None:
    rng = np.random.default_rng(43)
    model = next(found for found in iter(lambda: random_model(rng), None) if found.input_dtype == np.float32)
    wild = np.array([np.nan, np.inf, -np.inf, 3e38, -3e38, 1e-45], dtype=np.float32)
    inputs = rng.choice(wild, (50, model.input_size))
    np.testing.assert_array_equal(host_programs.infer(write_model(model), inputs), run_model(model, inputs))


@pytest.mark.parametrize("segments", [1, 2])
def test_features_equal_the_golden_definition(host_programs: HostPrograms, segments: int) -> None:
    rng = np.random.default_rng(44)
    codes = np.vstack(
        [rng.integers(0, 4096, (40, 1024 * segments)), rng.integers(2040, 2056, (40, 1024 * segments))]
    )
    codes = codes.astype(np.uint16)
    np.testing.assert_array_equal(host_programs.features(codes), features(codes))


def test_needed_arena_is_what_the_build_expects(host_programs: HostPrograms) -> None:
    assert host_programs.load(MODEL_FILE.read_bytes()) == (0, 104)
    rng = np.random.default_rng(45)
    for draw in [random_model, random_spatial_model] * 20:
        model = draw(rng)
        assert host_programs.load(write_model(model)) == (0, needed_bytes(model))
    assert needed_bytes(read_model(MODEL_FILE.read_bytes())) == 104


def test_damaged_and_foreign_models_are_refused_or_run_safely(host_programs: HostPrograms) -> None:
    seed = 1
    counts = host_programs.fuzz(fuzz_models(seed), cases=100_000, seed=seed)
    print(f"seed {seed}: {dict(counts)}")
    assert counts.total() == 100_000
    assert set(range(8)) <= set(counts)  # accepted, and refused for every reason but memory
    assert counts[0] < 50_000


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        pytest.param(
            "engine/flatbuffer.c",
            "file->size - at < size",
            "file->size - at < size - 1u",
            id="one byte too far",
        ),
        pytest.param(
            "engine/network_load.c",
            "weights->data.count != weights->element_count",
            "weights->data.count > weights->element_count",
            id="weights that are not all there",
        ),
    ],
)
def test_a_missing_check_is_found(
    host_programs: HostPrograms,
    tmp_path: Path,
    edited_firmware: Callable[[str, str, str], Path],
    file: str,
    old: str,
    new: str,
) -> None:
    if host_programs.sanitizers == "trap":
        pytest.skip("no compiler with AddressSanitizer is installed")
    broken = build_host(tmp_path / "build", edited_firmware(file, old, new))
    with pytest.raises(FirmwareBuildError, match="AddressSanitizer"):
        broken.fuzz(fuzz_models(1), cases=100_000, seed=1)
