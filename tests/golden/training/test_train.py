# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hil.errors import ModelError
from hil.golden.data.dataset import Dataset, Group
from hil.golden.data.synthetic import FleetSize, synthetic
from hil.golden.interpreter import GoldenInterpreter
from hil.golden.training.threshold import read_threshold
from hil.golden.training.train import CARD_FILE, HEADER_FILE, MODEL_FILE, PAGE_FILE, Options, train

SHIPPED = Path(__file__).parents[3] / "firmware" / "model"
SMALL = FleetSize(training=16, threshold=8, test=8, per_fault=2)
FEW = Options(epochs=10)


@pytest.fixture(scope="module")
def fleet() -> Dataset:
    return synthetic(1, SMALL)


def test_the_files_belong_together(fleet: Dataset, tmp_path: Path):
    trained = train(fleet, FEW)
    trained.write(tmp_path / "new" / "folder")
    card = json.loads((tmp_path / "new" / "folder" / CARD_FILE).read_text(encoding="utf-8"))
    content = (tmp_path / "new" / "folder" / MODEL_FILE).read_bytes()
    assert card["model"]["crc32"] == f"{zlib.crc32(content):08x}"
    assert card["model"]["bytes"] == len(content) < 10_000
    assert card["threshold"]["value"] == read_threshold(tmp_path / "new" / "folder" / HEADER_FILE)
    assert card["model"]["multiply_accumulates"] == 32 * 8 + 8 * 8 + 8 * 32
    assert str(card["threshold"]["value"]) in (tmp_path / "new" / "folder" / PAGE_FILE).read_text("utf-8")
    assert [layer.output_size for layer in GoldenInterpreter(content).model.layers] == [8, 8, 32]


TRAIN_SMALL = f"""
import sys
from pathlib import Path
from hil.golden.data.synthetic import FleetSize, synthetic
from hil.golden.training.train import Options, train
train(synthetic(1, {SMALL}), {FEW}).write(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("threads", ["1", "4"])
def test_the_same_seed_gives_the_same_bytes(fleet: Dataset, tmp_path: Path, threads: str):
    train(fleet, FEW).write(tmp_path / "here")
    limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), threads)
    other = tmp_path / "elsewhere"
    subprocess.run([sys.executable, "-c", TRAIN_SMALL, str(other)], check=True, env={**os.environ, **limits})
    for name in (MODEL_FILE, HEADER_FILE, CARD_FILE, PAGE_FILE):
        assert (tmp_path / "here" / name).read_bytes() == (other / name).read_bytes(), name


def test_another_seed_gives_another_network(fleet: Dataset):
    assert train(fleet, Options(epochs=2)).model_bytes != train(fleet, Options(epochs=2, seed=2)).model_bytes


def test_faults_and_test_windows_decide_nothing(fleet: Dataset):
    noise = [Group("noise", np.random.default_rng(1).integers(-128, 128, (200, 32)).astype(np.int8))]
    altered = replace(fleet, faults={"noise": {"as recorded": noise}}, test=noise)
    trained, other = train(fleet, FEW), train(altered, FEW)
    assert (trained.model_bytes, trained.threshold) == (other.model_bytes, other.threshold)
    assert trained.card["detection"] != other.card["detection"]


def test_fewer_false_alarms_cost_a_higher_threshold(fleet: Dataset):
    thresholds = [
        train(fleet, replace(FEW, false_alarms_per_window=rate)).threshold for rate in (1e-3, 1e-5, 1e-7)
    ]
    assert thresholds == sorted(set(thresholds))


def test_weights_may_be_scaled_per_channel(fleet: Dataset):
    model = train(fleet, replace(FEW, per_channel=True)).model
    assert [layer.weight_scales.size for layer in model.layers] == [8, 8, 32]


def test_a_fault_that_the_scores_show_and_the_threshold_misses_is_a_warning(fleet: Dataset):
    def warnings(rate: float) -> list[str]:
        return train(fleet, replace(FEW, false_alarms_per_window=rate)).card["warnings"]  # type: ignore[return-value]

    assert not any("but at this threshold" in warning for warning in warnings(0.05))
    missed = [warning for warning in warnings(1e-30) if "but at this threshold" in warning]
    assert missed
    assert all("AUC 0.99" in warning or "AUC 1.0" in warning for warning in missed)


def test_data_without_faults_say_so(fleet: Dataset):
    trained = train(replace(fleet, faults={}), FEW)
    detection = trained.card["detection"]
    assert isinstance(detection, dict)
    assert detection["by_fault"] == {}


def test_too_little_data_is_one_clear_line(fleet: Dataset):
    with pytest.raises(ModelError, match=r"32 windows of normal running for training; expected at least 200"):
        train(replace(fleet, training=fleet.training[:2]), FEW)


def test_a_folder_that_cannot_be_written_is_an_error(fleet: Dataset, tmp_path: Path):
    (tmp_path / "file").write_text("in the way", "utf-8")
    with pytest.raises(ModelError, match="write the model"):
        train(fleet, Options(epochs=1)).write(tmp_path / "file")


def test_the_shipped_files_belong_together():
    card = json.loads((SHIPPED / CARD_FILE).read_text(encoding="utf-8"))
    content = (SHIPPED / MODEL_FILE).read_bytes()
    assert card["model"]["crc32"] == f"{zlib.crc32(content):08x}"
    assert card["model"]["bytes"] == len(content) < 10_000
    assert card["threshold"]["value"] == read_threshold(SHIPPED / HEADER_FILE)
    assert card["training"]["epochs"] == Options().epochs
    assert card["data"]["fleet"] == FleetSize().__dict__
    first, last = GoldenInterpreter(content).model.layers[0], GoldenInterpreter(content).model.layers[-1]
    assert (first.input_scale, first.input_zero_point) == (0.125, -128)
    assert (last.output_scale, last.output_zero_point) == (0.125, -128)


def test_the_shipped_card_states_what_a_user_may_expect():
    card = json.loads((SHIPPED / CARD_FILE).read_text(encoding="utf-8"))
    moderate = card["detection"]["by_severity"]["moderate"]
    assert moderate["auc"] >= 0.98
    assert moderate["auc_interval"][0] >= 0.98
    assert card["threshold"]["false_alarms_per_week"]["at_most_95_percent"] <= 1.0
    assert card["detection"]["by_severity"]["severe"]["detected"] == 1.0
    assert card["threshold"]["checked_on_test"]["windows_above"] <= 1
