# SPDX-License-Identifier: Apache-2.0
"""``hil model`` as it is typed."""

import subprocess
import sys
from pathlib import Path

import pytest

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
        ("--data", "syntetic", "'syntetic'"),
    ],
)
def test_a_wrong_option_is_one_line(tmp_path: Path, option: str, value: str, told: str) -> None:
    options = {"--data": "synthetic", "--out": str(tmp_path / "out"), option: value}
    run = hil_model("train", *(word for pair in options.items() for word in pair))
    assert run.returncode == 1
    assert told in run.stderr
    assert run.stderr.strip().count("\n") == 0
    assert not (tmp_path / "out").exists()
