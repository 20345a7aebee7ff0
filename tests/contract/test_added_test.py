# SPDX-License-Identifier: Apache-2.0
"""docs/how_to_add_a_test.md, followed word by word in a folder of its own."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs" / "how_to_add_a_test.md").read_text(encoding="utf-8")
(TEST,) = re.findall(r"```python .*?\n(.*?)```", PAGE, re.DOTALL)
(COMMAND,) = re.findall(r"```sh .*?\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (tmp_path / "test_sleep_current.py").write_text(TEST, encoding="utf-8")
    return tmp_path


def run(desk: Path, command: str = COMMAND) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    return subprocess.run(
        command.split(),
        cwd=desk,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_test_of_the_page_passes(desk: Path) -> None:
    done = run(desk)
    assert done.returncode == 0, done.stdout + done.stderr
    (journal,) = desk.glob("results/*-sim/journal.jsonl")
    (line,) = [
        json.loads(line) for line in journal.read_text("utf-8").splitlines() if "sleep current" in line
    ]
    assert "requirement 12" in json.dumps(line)


def test_it_fails_as_the_page_says(desk: Path) -> None:
    (desk / "test_sleep_current.py").write_text(TEST.replace("5e-6", "5e-9"), encoding="utf-8")
    done = run(desk)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed" in done.stdout


def test_a_rig_without_the_instrument_skips_it(desk: Path) -> None:
    sim = (PROJECT / "rig_configs" / "sim.toml").read_text(encoding="utf-8")
    start, end = sim.index("[power_analyzer]"), sim.index("[daq]")
    (desk / "bare.toml").write_text(sim[:start] + sim[end:], encoding="utf-8")
    done = run(desk, COMMAND.replace("--rig sim", "--rig=bare.toml"))
    assert done.returncode == 5, done.stdout + done.stderr
    assert "1 skipped" in done.stdout
