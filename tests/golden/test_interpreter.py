# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib.metadata
from pathlib import Path

import numpy as np
import pytest

from hil.golden.data.faults import FAULTS
from hil.golden.data.windows import machine_windows
from hil.golden.features import features
from hil.golden.interpreter import RUNTIME_VERSION, GoldenInterpreter
from hil.golden.run_model import run_model
from hil.golden.training.threshold import read_threshold
from hil.golden.vectors import inference_vectors

MODEL_FOLDER = Path(__file__).parents[2] / "firmware" / "model"
MODEL_BYTES = (MODEL_FOLDER / "anomaly.tflite").read_bytes()
THRESHOLD = read_threshold(MODEL_FOLDER / "threshold.h")


@pytest.fixture
def without_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a platform the tflite-micro wheel does not exist for."""

    def version(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", version)


def test_numpy_stands_in_where_the_runtime_is_missing(without_runtime: None):
    golden = GoldenInterpreter(MODEL_BYTES)
    assert (golden.name, golden.version) == ("numpy_reference", np.__version__)
    inputs = inference_vectors(40, seed=1)
    assert np.array_equal(golden.infer(inputs), run_model(golden.model, inputs))


def test_another_version_of_the_runtime_is_not_trusted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "0.dev20261008201341")
    assert GoldenInterpreter(MODEL_BYTES).name == "numpy_reference"


def test_the_project_pins_the_runtime_named_here():
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    assert f"tflite-micro=={RUNTIME_VERSION};" in project


def test_score_is_the_squared_distance():
    golden = GoldenInterpreter(MODEL_BYTES)
    inputs = inference_vectors(8, seed=2)
    outputs = golden.infer(inputs)
    expected = [
        sum((int(a) - int(b)) ** 2 for a, b in zip(x, y, strict=True))
        for x, y in zip(inputs, outputs, strict=True)
    ]
    assert golden.score(inputs).tolist() == expected


def test_shipped_model_tells_faults_from_normal_running():
    golden = GoldenInterpreter(MODEL_BYTES)
    # Seeds of no training, threshold or test set.
    normal = golden.score(features(machine_windows(range(900_000, 900_006), 10)))
    assert normal.max() < THRESHOLD
    for fault in FAULTS:
        scores = golden.score(features(machine_windows(range(910_000, 910_002), 10, fault, 1.0)))
        assert scores.min() > THRESHOLD, fault
    dead = np.full((1, 1024), 2048, dtype=np.uint16)
    assert golden.detect(dead, THRESHOLD).tolist() == [True]
    assert not golden.detect(machine_windows([900_001], 4), THRESHOLD).any()


@pytest.mark.parametrize(
    "inputs",
    [np.zeros((1, 32), dtype=np.int16), np.zeros(32, dtype=np.int8), np.zeros((1, 31), dtype=np.int8)],
)
def test_wrong_inputs_are_refused(inputs: np.ndarray):
    with pytest.raises(ValueError, match="int8"):
        GoldenInterpreter(MODEL_BYTES).infer(inputs)


def test_vectors_hold_all_four_kinds():
    vectors = inference_vectors(200, seed=3)
    assert vectors.shape == (200, 32)
    assert vectors.dtype == np.int8
    assert vectors[0::4].std() > 60
    assert vectors[1::4].max() <= -125
    assert set(np.unique(vectors[2::4]).tolist()) == {-128, -1, 0, 1, 127}
    golden = GoldenInterpreter(MODEL_BYTES)
    scores = golden.score(vectors[3::4])
    kinds = 1 + len(FAULTS)
    assert scores[0::kinds].max() < THRESHOLD < min(scores[kind::kinds].min() for kind in range(1, kinds))
    assert np.array_equal(vectors, inference_vectors(200, seed=3))
    assert not np.array_equal(vectors, inference_vectors(200, seed=4))
    assert inference_vectors(3, seed=1).shape == (3, 32)
