# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hil.errors import RecordingError
from hil.golden.data.analog_path import AnalogPath, sampled_windows
from hil.golden.data.recordings import ReadOptions, read_recording
from hil.golden.data.recordings.folder import folder_dataset
from hil.golden.data.recordings.unit import Unit
from hil.golden.data.vibration import vibration
from hil.golden.features import features

PIN = ReadOptions(rate_hz=2_000.0, unit=Unit.parse("V"))


def record(file: Path, seed: int, duration_s: float = 4.0, fault: str | None = None) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    np.save(file, vibration(duration_s, 2_000.0, fault=fault, severity=1.0 if fault else 0.0, seed=seed))


def test_many_recordings_are_kept_apart(tmp_path: Path):
    for seed in range(16):
        record(tmp_path / "normal" / f"day {seed}.npy", seed)
    record(tmp_path / "belt" / "a.npy", 99, fault="looseness")
    data = folder_dataset(tmp_path, PIN)
    assert [len(part) for part in (data.training, data.threshold, data.test)] == [8, 4, 4]
    names = [group.name for part in (data.training, data.threshold, data.test) for group in part]
    assert len(set(names)) == 16
    assert list(data.faults) == ["belt"]
    assert data.group_is == "recording"
    assert data.source["recordings"][0]["file"] == "belt/a.npy"
    assert len(data.source["recordings"]) == 17
    # Nothing is lost: four seconds are seven windows.
    assert all(len(group.inputs) == 7 for group in data.training)


def test_few_recordings_are_divided_in_time(tmp_path: Path):
    record(tmp_path / "normal" / "only.npy", 1, duration_s=60.0)
    data = folder_dataset(tmp_path, PIN)
    windows = [
        sum(len(group.inputs) for group in part) for part in (data.training, data.threshold, data.test)
    ]
    assert sum(windows) == int(60.0 / 0.51712)
    assert windows[0] == pytest.approx(2 * windows[1], abs=2)
    assert windows[1] == pytest.approx(windows[2], abs=1)
    assert "divided in time" in data.source["split"]
    assert data.faults == {}


def test_windows_are_cut_from_the_signal_that_can_be_played(tmp_path: Path):
    record(tmp_path / "normal" / "only.npy", 5, duration_s=8.0)
    (tmp_path / "normal" / ".hidden").write_text("ignored", "utf-8")
    data = folder_dataset(tmp_path, PIN, seed=3)
    inputs = np.concatenate(
        [group.inputs for part in (data.training, data.threshold, data.test) for group in part]
    )
    signal = read_recording(tmp_path / "normal" / "only.npy", PIN).signal
    # The draws of the data set's first recording, then windows of that signal: the same.
    rng = np.random.default_rng([3, 32, 0])
    step_s = 0.512 * 1.01
    starts_s = rng.uniform(0.0, 8.0 - 15 * step_s) + step_s * np.arange(15)
    expected = features(sampled_windows(signal, starts_s, rng, AnalogPath()))
    np.testing.assert_array_equal(inputs, expected)


def test_a_wrong_folder_is_one_line(tmp_path: Path):
    with pytest.raises(RecordingError, match="no such folder"):
        folder_dataset(tmp_path / "gone", PIN)
    with pytest.raises(RecordingError, match=r"no recordings in .*normal"):
        folder_dataset(tmp_path, PIN)
    record(tmp_path / "normal" / "a.npy", 1)
    (tmp_path / "normal" / "b.dat").write_text("words and no numbers\n", "utf-8")
    with pytest.raises(RecordingError, match=r"b\.dat: read: no line of numbers"):
        folder_dataset(tmp_path, PIN)


def test_documents_beside_the_recordings_stop_nothing_and_are_told(tmp_path: Path):
    record(tmp_path / "normal" / "monday" / "early" / "a.npy", 1)
    for name in ("README", "normal/readme.txt", "normal/monday/photo.jpg", "labels.csv"):
        (tmp_path / name).write_text("how it was recorded\n", "utf-8")
    source = folder_dataset(tmp_path, PIN).source
    assert [entry["file"] for entry in source["recordings"]] == ["normal/monday/early/a.npy"]
    assert source["notes"] == [
        "README: not read, it lies outside of normal/ and the faults' folders",
        "labels.csv: not read, it lies outside of normal/ and the faults' folders",
        "normal/monday/photo.jpg: not read, a document",
        "normal/readme.txt: not read, a document",
    ]


def test_odd_windows_and_dead_sensors_are_named(tmp_path: Path):
    for seed in range(12):
        record(tmp_path / "normal" / f"{seed:02d}.npy", 4000 + seed)
    odd = np.concatenate(
        [
            vibration(4.0, 2_000.0, seed=4003, fault=fault, severity=1.0 if fault else 0.0)
            for fault in (None, "ball")
        ]
    )
    np.save(tmp_path / "normal" / "03.npy", odd)
    data = folder_dataset(tmp_path, PIN)
    (warning,) = data.source["warnings"]
    assert warning.startswith("normal/03.npy: ")
    assert "windows are unlike all other normal ones: left out" in warning
    groups = {group.name: group for part in (data.training, data.threshold, data.test) for group in part}
    assert len(groups[str(tmp_path / "normal" / "03.npy")].inputs) < 10
    kept = folder_dataset(tmp_path, replace(PIN, keep_outliers=True))
    assert "kept, as stated" in kept.source["warnings"][0]
    np.save(tmp_path / "normal" / "12.npy", np.full(10_000, 1.5))
    with pytest.raises(
        RecordingError, match=r"12\.npy: read: its signal moves by 0.* mV, less .*the sensor was dead"
    ):
        folder_dataset(tmp_path, PIN)
