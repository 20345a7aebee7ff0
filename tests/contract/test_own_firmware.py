# SPDX-License-Identifier: Apache-2.0
"""Strangers' firmware, right and with planted faults, on the virtual bench: the verdict and the cause."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.own_firmware.sensor import compile_image
from tests.own_firmware.strangers import STRANGERS, Stranger


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiler's."""
    return tmp_path_factory.mktemp("zig")


def run_in(
    project: Path, stranger: Stranger, cache: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Build it in a folder that has nothing else, and test it there."""
    compile_image(project / "firmware.elf", stranger.path, stranger.define, cache, floats=stranger.floats)
    (project / "hil.toml").write_text(f'[firmware]\nimage = "firmware.elf"\n{stranger.claims}', "utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rig=sim", *arguments]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=900, check=False)


def measured(project: Path) -> dict[str, float]:
    """The run's measurements by their names."""
    (journal,) = (project / "results").glob("*/journal.jsonl")
    return {
        entry["name"]: entry["value"] for entry in map(json.loads, journal.read_text("utf-8").splitlines())
    }


def test_a_sound_firmware_of_a_lab_passes_and_is_described(tmp_path: Path, cache: Path) -> None:
    run = run_in(tmp_path, STRANGERS["Stop 2 by the RTC, a banner"], cache)
    assert run.returncode == 0, run.stdout
    found = measured(tmp_path)
    assert found["current asleep in stop2"] == pytest.approx(1.4e-6, rel=0.5)
    assert found["wake period"] == pytest.approx(0.5, rel=0.03)
    assert found["time awake"] == pytest.approx(0.02, rel=0.1)
    assert found["average current"] < found["peak current"]


@pytest.mark.short_form(4)
@pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS)
def test_each_gets_its_verdict(stranger: Stranger, tmp_path: Path, cache: Path) -> None:
    run = run_in(tmp_path, stranger, cache)
    assert run.returncode == (0 if stranger.sound else 1), run.stdout
    for sentence in stranger.said:
        assert sentence in run.stdout
    assert set(stranger.measured) <= set(measured(tmp_path))
