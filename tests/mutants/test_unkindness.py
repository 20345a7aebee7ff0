# SPDX-License-Identifier: Apache-2.0
"""Every unkindness of a real bench is caught where the controller's mend against it is taken out.

A row plants one unkindness on the virtual bench and takes one mend out of the controller. The run must then
end with what catches it: a test of the device that fails, or an error of the bench that says why. With the
mend in place the same unkindness passes: `pytest --rig sim-unkind` has them all at once.
"""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from hil.firmware.build import build

REPOSITORY = Path(__file__).resolve().parents[2]
SIM = REPOSITORY / "rig_configs" / "sim.toml"

BENCH_ERROR = 10
BOOT = "test_boot.py::test_boot_record_names_the_released_model"
SUPPLY = "test_boot.py::test_supply_voltage_at_the_board"
SEQUENCE = "test_console.py::test_records_arrive_complete_and_in_sequence"
AVERAGE = "test_duty_cycle.py::test_average_current"
COIN_CELL = "test_duty_cycle.py::test_battery_life[cr2032_panasonic]"
INFO = "test_commands.py::test_the_device_says_what_it_is"
MODE = "test_low_power_modes.py::test_current_in_mode[stop2]"


@dataclass(frozen=True)
class Row:
    """An unkindness, the mend against it, and what catches it without the mend."""

    unkindness: dict[str, str]
    """Keys of [twin] and their TOML values."""
    mend: str
    """A name of tests/mutants/unmended.py."""
    test: str
    caught_by: str
    """A pattern of what the run says then."""
    status: int = BENCH_ERROR


ROWS = [
    Row({"output_on": '"50 ms"'}, "VDD is waited for", BOOT, r"VDD is [0-2]\.\d+ V; expected 3 V"),
    Row(
        {"output_off": '"25 ms"', "supply_capacitance": '"5 uF"'},
        "VDD is waited for until it is gone",
        MODE,
        r"VDD is still [0-3]\.\d+ V with the supply off",
    ),
    Row(
        {"relay_operate": '"3 ms"', "relay_bounce": '"1 ms"'},
        "the relay settles",
        BOOT,
        r"Target not detected|no ACK",
    ),
    Row(
        {"stray_bytes": "true"},
        "stray bytes are no lines",
        SEQUENCE,
        r"lines of garbage is [1-9], outside the limit of exactly 0",
        pytest.ExitCode.TESTS_FAILED,
    ),
    Row(
        {"unparked_leak": '"40 uA"'},
        "lines open before the supply goes off",
        MODE,
        r"the ST-LINK's transmit line drove pin PA3 to 3\.30 V with VDD at",
    ),
    Row(
        {"sensor_noise": '"0.3 mV"'},
        "pins go to 0 V before the supply goes off",
        SEQUENCE + "|" + MODE,
        r"Dev1/ao0 drove pin PA0 to [0-3]\.\d+ V with VDD at|VDD is still [0-3]\.\d+ V with the supply off",
    ),
]
"""The sibling of a FIFO that is overwritten is in tests/instruments/test_n6705c_measuring.py, that of slow
calls in tests/pytest_plugin/test_acquisitions.py: neither can happen in a run on this bench."""


def rig_file(folder: Path, unkindness: dict[str, str]) -> Path:
    """The virtual bench's configuration with an unkindness planted in it."""
    planted = "".join(f"{key} = {value}\n" for key, value in unkindness.items())
    path = folder / "rig.toml"
    text = SIM.read_text("utf-8")
    assert text.count("\n[twin]\n") == 1
    path.write_text(text.replace("\n[twin]\n", f"\n[twin]\n{planted}"), "utf-8")
    return path


def run(folder: Path, unkindness: dict[str, str], mend: str, *tests: str) -> subprocess.CompletedProcess[str]:
    """Those tests on a bench with the unkindness, by a controller without the mend."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "tests.mutants.unmended"]
    command += [f"--rig={rig_file(folder, unkindness)}", f"--firmware={build()}"]
    command += [f"--results={folder / 'results'}", *(f"tests/hil/{test}" for test in tests)]
    return subprocess.run(
        command,
        cwd=REPOSITORY,
        env={**os.environ, "HIL_UNMENDED": mend},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.mark.short_form(4)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.mend)
def test_an_unkindness_is_caught_without_its_mend(row: Row, tmp_path: Path) -> None:
    ended = run(tmp_path, row.unkindness, row.mend, *row.test.split("|"))
    said = ended.stdout + ended.stderr
    assert re.search(row.caught_by, said), said
    assert ended.returncode == row.status, said


@pytest.mark.parametrize("mend", ["nothing", "a reversed ammeter is refused"])
def test_a_reversed_ammeter_is_named_before_its_currents_are_judged(mend: str, tmp_path: Path) -> None:
    ended = run(tmp_path, {"ammeter": '"reversed"'}, mend, AVERAGE)
    named = "reversed ammeter" in ended.stdout
    assert named is (mend == "nothing"), ended.stdout
    assert ended.returncode == (BENCH_ERROR if named else pytest.ExitCode.TESTS_FAILED), ended.stdout


def results(folder: Path) -> dict[str, tuple[float, float]]:
    """Value and expanded uncertainty by name, from the journal of the one run in a folder."""
    (journal,) = (folder / "results").glob("*/journal.jsonl")
    lines = [json.loads(line) for line in journal.read_text("utf-8").splitlines()]
    return {line["name"]: (line["value"], line["expanded_uncertainty"]) for line in lines}


@pytest.mark.parametrize("mend", ["nothing", "loads are subtracted"])
def test_average_and_battery_life_are_the_same_whatever_the_wires_draw(mend: str, tmp_path: Path) -> None:
    """The least pull-downs that NI allows, against none: the part alone is measured, or it is not."""
    found = {}
    for pull_down in ("20 kohm", "1e9 Mohm"):
        folder = tmp_path / pull_down.replace(" ", "_")
        folder.mkdir()
        ended = run(folder, {"input_pull_down": f'"{pull_down}"'}, mend, AVERAGE, COIN_CELL)
        assert ended.returncode == 0, ended.stdout
        found[pull_down] = results(folder)
    (with_wires, with_u), (without, without_u) = (each["average current"] for each in found.values())
    open_relative = (with_u**2 + without_u**2) ** 0.5 / without
    # The current's uncertainty is in the drawn lives, and not beside them.
    for name in ("average current", "battery life on a CR2032 coin cell, reached by 95 %"):
        (with_wires, _), (without, _) = (each[name] for each in found.values())
        agree = abs(with_wires - without) <= open_relative * without
        assert agree is (mend == "nothing"), (name, with_wires, without)
