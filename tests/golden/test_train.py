# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import pytest

from hil.golden import autoencoder
from hil.golden.interpreter import GoldenInterpreter
from hil.golden.threshold import read_threshold
from hil.golden.train import Setup, train

SHIPPED = Path(__file__).parents[2] / "firmware" / "model"
SMALL = Setup(
    train_machines=12,
    validation_machines=4,
    test_machines=4,
    fault_machines=1,
    windows_per_machine=8,
    epochs=10,
)


def test_training_twice_gives_the_same_bytes(tmp_path: Path):
    for run in ("first", "second"):
        train(SMALL).write(tmp_path / run)
    for name in ("anomaly.tflite", "threshold.h", "model_card.json"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
    assert len(GoldenInterpreter((tmp_path / "first" / "anomaly.tflite").read_bytes()).model.layers) == 3


def test_another_seed_gives_another_model():
    few = Setup(**{**SMALL.__dict__, "epochs": 2})
    assert train(few).model_bytes != train(Setup(**{**few.__dict__, "seed": 2})).model_bytes


def test_the_shipped_files_belong_together():
    card = json.loads((SHIPPED / "model_card.json").read_text(encoding="utf-8"))
    content = (SHIPPED / "anomaly.tflite").read_bytes()
    assert card["model"]["crc32"] == f"{zlib.crc32(content):08x}"
    assert card["model"]["bytes"] == len(content)
    assert card["threshold"]["value"] == read_threshold(SHIPPED / "threshold.h")
    assert card["setup"] == Setup().__dict__
    model = GoldenInterpreter(content).model
    assert [layer.output_size for layer in model.layers] == [8, 8, 32]
    first, last = model.layers[0], model.layers[-1]
    assert (
        (first.input_scale, first.input_zero_point)
        == (last.output_scale, last.output_zero_point)
        == (0.125, -128)
    )


def test_the_shipped_card_states_clear_separation():
    card = json.loads((SHIPPED / "model_card.json").read_text(encoding="utf-8"))
    assert card["normal_test_scores"]["maximum_per_threshold"] < 0.7
    for fault, by_severity in card["faults"].items():
        for severity in ("0.5", "1.0"):
            assert by_severity[severity]["minimum_per_threshold"] > 2.0, (fault, severity)


def test_gradients_match_finite_differences():
    rng = np.random.default_rng(31)
    parameters = [rng.normal(size=shape) for shape in ((4, 3), (3, 4), (3,), (4,))]
    samples = rng.normal(size=(6, 4))

    def loss() -> float:
        output = autoencoder.activations(autoencoder._layers(parameters), samples)[-1]
        return float(((output - samples) ** 2).mean())

    gradients = autoencoder._gradients(autoencoder._layers(parameters), samples)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        index = tuple(0 for _ in parameter.shape)
        kept = parameter[index]
        parameter[index] = kept + 1e-6
        above = loss()
        parameter[index] = kept - 1e-6
        below = loss()
        parameter[index] = kept
        assert gradient[index] == pytest.approx((above - below) / 2e-6, rel=1e-4, abs=1e-8)


def test_training_learns_a_low_dimensional_set():
    rng = np.random.default_rng(32)
    samples = (
        12.0 + np.outer(rng.uniform(-1, 1, 600), rng.normal(size=10)) + 0.01 * rng.normal(size=(600, 10))
    )
    layers = autoencoder.train(samples, (10, 4, 10), epochs=120, seed=1)
    error = autoencoder.activations(layers, samples)[-1] - samples
    assert np.mean(error**2) < 0.05 * np.mean((samples - samples.mean(axis=0)) ** 2)
