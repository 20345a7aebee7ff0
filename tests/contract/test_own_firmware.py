# SPDX-License-Identifier: Apache-2.0
"""A lab's firmware, right and with planted faults, on the virtual bench: the verdict and the cause."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.own_firmware.sensor import CLAIMS, compile_sensor


@dataclass(frozen=True)
class Fault:
    """What is wrong with a firmware, and the sentence that has to say so."""

    define: str
    test: str
    told: str


FAULTS = {
    "LPMS left at 0": Fault("SLEEP_MODE=0u", "test_it_sleeps", "claims stop2, and the registers say stop0"),
    "hangs in its error handler": Fault("HANGS", "test_it_does_not_crash", "it hangs in Error_Handler"),
    "never sleeps": Fault("NO_SLEEP", "test_it_sleeps", "at none of 40 looks"),
    "wrong baud": Fault("BAUD=38400u", "test_its_console_is_readable", "no text at 115200 baud"),
    "watchdog": Fault("WATCHDOG", "test_nothing_resets_it", "reset by the independent watchdog"),
}


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path, str], None]:
    """Compiles the sensor with a fault."""
    cache = tmp_path_factory.mktemp("zig")
    return lambda elf, define: compile_sensor(elf, define, cache)


def run_in(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rig=sim", *arguments]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=500, check=False)


def measured(project: Path) -> dict[str, float]:
    """The run's measurements by their names."""
    (journal,) = (project / "results").glob("*/journal.jsonl")
    return {
        entry["name"]: entry["value"] for entry in map(json.loads, journal.read_text("utf-8").splitlines())
    }


def test_a_sound_firmware_of_a_lab_passes_and_is_described(
    tmp_path: Path, build: Callable[[Path, str], None]
) -> None:
    build(tmp_path / "sensor.elf", "SOUND")
    (tmp_path / "hil.toml").write_text(CLAIMS, "utf-8")
    run = run_in(tmp_path)
    assert run.returncode == 0, run.stdout
    assert "6 passed, 1 skipped" in run.stdout
    found = measured(tmp_path)
    assert found["current asleep in stop2"] == pytest.approx(1.4e-6, rel=0.5)
    assert found["wake period"] == pytest.approx(0.5, rel=0.03)
    assert found["time awake"] == pytest.approx(0.02, rel=0.1)
    assert found["average current"] < found["peak current"]


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_is_found_and_named(
    fault: Fault, tmp_path: Path, build: Callable[[Path, str], None]
) -> None:
    build(tmp_path / "sensor.elf", fault.define)
    (tmp_path / "hil.toml").write_text(CLAIMS, "utf-8")
    run = run_in(tmp_path, "-k", fault.test)
    assert run.returncode == 1, run.stdout
    assert fault.told in run.stdout
