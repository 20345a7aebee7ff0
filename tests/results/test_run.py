# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path

import pytest

from hil.errors import ResultsError
from hil.results import run


def test_a_new_run_is_described_at_once(tmp_path: Path) -> None:
    folder = run.create(tmp_path / "results", "sim")
    described = json.loads((folder.path / "run.json").read_text("utf-8"))
    assert folder.path.name.endswith("Z-sim")
    assert described["rig"] == "sim"
    assert described["started_utc"].endswith("+00:00")


def test_two_runs_in_one_second_have_two_folders(tmp_path: Path) -> None:
    paths = {run.create(tmp_path, "sim").path for _ in range(3)}
    assert len(paths) == 3


def test_a_description_is_read_back(tmp_path: Path) -> None:
    folder = run.create(tmp_path, "sim")
    folder.description.instruments["daq"] = "NI USB-6363 (µ)"
    folder.description.seed = 7
    folder.write_description()
    assert run.load(folder.path).description == folder.description
    assert [path.name for path in folder.path.iterdir() if path.suffix == ".new"] == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file")
    with pytest.raises(ResultsError, match="name a writable folder with --results"):
        run.create(tmp_path / "results", "sim")


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"expected a readable run\.json"):
        run.load(tmp_path)


def test_a_disk_that_is_full_leaves_no_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_target: Path, _text: str) -> None:
        raise ResultsError("No space left on device")

    monkeypatch.setattr(run, "replace_file", full)
    with pytest.raises(ResultsError, match="No space left"):
        run.create(tmp_path, "sim")
    assert list(tmp_path.iterdir()) == []


def test_a_field_of_a_later_version_stays(tmp_path: Path) -> None:
    path = run.create(tmp_path, "sim").path
    described = json.loads((path / "run.json").read_text("utf-8"))
    (path / "run.json").write_text(json.dumps(described | {"moon_phase": "full"}), "utf-8")
    loaded = run.load(path)
    loaded.description.verdict = "pass"
    loaded.write_description()
    assert json.loads((path / "run.json").read_text("utf-8")) == described | {
        "verdict": "pass",
        "moon_phase": "full",
    }
