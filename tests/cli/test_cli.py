# SPDX-License-Identifier: Apache-2.0
"""The command as it is typed: what is printed, and the exit status."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

MODEL = Path(__file__).parents[2] / "firmware" / "model" / "anomaly.tflite"
SIM_RIG = Path(__file__).parents[2] / "rig_configs" / "sim.toml"


def hil(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from hil.cli import app; app()", *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", cwd=cwd, timeout=60, check=False)


@pytest.mark.parametrize(
    ("content", "told"), [(b"hello", "not a .tflite file"), (MODEL.read_bytes()[:500], "damaged or cut off")]
)
def test_a_file_that_is_no_network_is_not_built_in(tmp_path: Path, content: bytes, told: str) -> None:
    model = tmp_path / "mine.tflite"
    model.write_bytes(content)
    run = hil("firmware", "build", "--model", str(model))
    assert run.returncode == 1
    assert run.stderr.startswith(f"hil: {model}: read: {told}")
    assert run.stderr.count("\n") == 1


def test_a_wrong_rig_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "bench.toml").write_text("nam = 'x'\n", "utf-8")
    run = hil("rig", "check", "bench.toml", cwd=tmp_path)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith("hil: bench.toml:1: nam: unknown key 'nam'")
    assert run.stderr.count("\n") == 1


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "ascii"])
def test_a_console_without_all_characters_gets_replacements(encoding: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": "20", "NO_COLOR": "1"}
    command = [sys.executable, "-c", "from hil.cli import app; app()", "rig", "check", str(SIM_RIG)]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    assert b"\x1b" not in done.stdout
