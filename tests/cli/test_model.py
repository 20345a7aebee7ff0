# SPDX-License-Identifier: Apache-2.0
"""``hil model`` as it is typed."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from hil.golden.data.sensor import Sensor
from hil.golden.data.vibration import vibration
from hil.golden.tflite_model import read_model
from hil.golden.tflite_writer import write_model

MODEL = Path(__file__).parents[2] / "firmware" / "model" / "anomaly.tflite"


def hil_model(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from hil.cli import app; app()", "model", *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120, check=False)


def test_show_prints_what_is_in_a_file() -> None:
    run = hil_model("show", str(MODEL))
    assert (run.returncode, run.stderr) == (0, "")
    for wanted in ("32 → 8", "8 → 8", "8 → 32", "RELU", "0.125, -128", "576 multiply-accumulates"):
        assert wanted in run.stdout
    assert f"{MODEL.stat().st_size} bytes" in run.stdout


def test_show_prints_a_strangers_description_and_obeys_none_of_it(tmp_path: Path) -> None:
    hostile = "\x1b]0;title\x07 [bold]loud[/bold] [/] :skull: \u202ekcab"
    file = tmp_path / "theirs.tflite"
    file.write_bytes(write_model(replace(read_model(MODEL.read_bytes()), description=hostile)))
    run = hil_model("show", str(file))
    assert (run.returncode, run.stderr) == (0, "")
    shown = "".join(run.stdout.split())  # the table's title is folded
    assert r"\x1b]0;title\x07[bold]loud[/bold][/]:skull:\u202ekcab" in shown
    assert not {"\x1b", "\x07", "\u202e"} & set(run.stdout)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"hello", "not a .tflite file"),
        (MODEL.read_bytes()[:700], "damaged or cut off"),
        (None, "No such file or directory"),
    ],
)
def test_show_tells_what_is_wrong_with_a_file_in_one_line(
    tmp_path: Path, content: bytes | None, told: str
) -> None:
    file = tmp_path / "mine.tflite"
    if content is not None:
        file.write_bytes(content)
    run = hil_model("show", str(file))
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith(f"hil: {file}: read: {told}")
    assert run.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--false-alarms", "seldom", "'seldom' is no rate"),
        ("--false-alarms", "5000 per hour", "at most one window in ten"),
        ("--period", "10", "'10' has no unit"),
        ("--data", "syntetic", "syntetic: read: no such folder"),
    ],
)
def test_a_wrong_option_is_one_line(tmp_path: Path, option: str, value: str, told: str) -> None:
    options = {"--data": "synthetic", "--out": str(tmp_path / "out"), option: value}
    run = hil_model("train", *(word for pair in options.items() for word in pair))
    assert run.returncode == 1
    assert told in run.stderr
    assert run.stderr.strip().count("\n") == 0
    assert not (tmp_path / "out").exists()


def record(file: Path, seed: int, duration_s: float, fault: str | None = None) -> None:
    """A machine in g, as a WAV file whose full scale is 4 g."""
    file.parent.mkdir(parents=True, exist_ok=True)
    recorder = Sensor(sensitivity_v_per_g=1.0, bias_v=0.0, low_v=-4.0, high_v=4.0)
    severity = 0.0 if fault is None else 1.0
    values_g = vibration(duration_s, 8_000.0, fault=fault, severity=severity, seed=seed, sensor=recorder)
    wavfile.write(file, 8_000, np.rint(values_g / 4.0 * 32767).astype(np.int16))


def test_a_folder_of_recordings_becomes_a_detector(tmp_path: Path) -> None:
    for seed in range(3):
        record(tmp_path / "lab" / "normal" / f"machine {seed}.wav", seed, 72.0)
        record(tmp_path / "lab" / "bearing" / f"machine {seed}.wav", seed, 5.0, "outer_race")
    out = tmp_path / "out"
    wanted = ["--data", str(tmp_path / "lab"), "--out", str(out), "--false-alarms", "1 per day"]
    run = hil_model("train", *wanted, "--unit", "4 g", "--epochs", "30")
    assert run.returncode == 0, run.stderr
    assert sorted(path.name for path in out.iterdir()) == [
        "MODEL_CARD.md", "anomaly.tflite", "model_card.json", "threshold.h",
    ]  # fmt: skip
    card = json.loads((out / "model_card.json").read_text("utf-8"))
    assert card["detection"]["by_fault"]["bearing"]["as recorded"]["auc"] > 0.99
    # 105 windows cannot show one alarm a day: counting bounds the rate, and a warning says so.
    week = card["threshold"]["false_alarms_per_week"]
    assert week["expected"] <= 7.0 < week["at_most_95_percent"]
    assert "windows do not carry a threshold for 7 false alarms a week" in run.stderr
    assert card["detection"]["by_fault"]["bearing"]["as recorded"]["detected"] > 0.9
    assert "detected, bearing as recorded" in " ".join(run.stdout.split())
    assert "divided in time" in (out / "MODEL_CARD.md").read_text("utf-8")
    assert f"threshold {card['threshold']['value']}" in " ".join(run.stdout.split())

    run = hil_model("train", *wanted)  # a WAV file does not say what its full scale is
    assert run.returncode == 1
    assert "'channel 1' has no unit; try: --unit V" in run.stderr.splitlines()[-1]
    assert "Traceback" not in run.stderr
