# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/stimuli.md run as they stand there, and what must not be done is refused in a line."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.own_firmware.sensor import SOURCE, compile_image

PAGE = Path(__file__).parents[2] / "docs" / "stimuli.md"
WRONG = """
import pytest
from hil.errors import DeviceError, DeviceTimeoutError, SafetyError, StateError

def test_beyond_the_wire(signal):
    with pytest.raises(SafetyError, match="Dev1/ao0"):
        signal.hold("3.3 V")

def test_beyond_the_board(power):
    with pytest.raises(SafetyError, match="0 V to 3.6 V, the board's"):
        power.dip("5 V", duration="10 ms")

def test_a_lamp_that_is_not_pressed(current):
    with pytest.raises(DeviceError, match="µA at most within 200 ms"):
        current.rises_above("500 uA", within="200 ms")

def test_a_lamp_that_is_kept_on(button, current):
    button.press()
    with pytest.raises(DeviceError, match="it still draws|it was above 2 uA"):
        current.settles_below("2 uA", within="300 ms")

def test_what_nobody_says(device, uart):
    with pytest.raises(StateError, match="not connected"):
        uart.expect("x", within="1 s")
    device.reset()
    with pytest.raises(DeviceTimeoutError, match="it said .*lamp ready"):
        uart.expect("lamp broken", within="1 s")

def test_what_is_not_wired(contacts):
    contacts["contact_1"].press()
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What pytest prints of the page's examples and of the wrong ones, in a lab's folder."""
    project = tmp_path_factory.mktemp("lamp")
    compile_image(project / "lamp.elf", SOURCE.with_name("button_lamp.c"), "SOUND", project / "zig")
    (project / "hil.toml").write_text('[firmware]\nimage = "lamp.elf"\n', "utf-8")
    examples = re.findall(r"```python run-by: \S+\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (project / "test_examples.py").write_text("\n\n".join(examples), "utf-8")
    (project / "test_wrong.py").write_text(WRONG, "utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-v",
        "-rs",
        "--rig=sim",
        "test_examples.py",
    ]
    done = subprocess.run(
        [*command, "test_wrong.py"], cwd=project, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_examples_of_the_page_pass(run: str) -> None:
    examples = re.findall(r"^def (test_\w+)", PAGE.read_text("utf-8"), re.MULTILINE)
    verdicts = {name: re.search(rf"{name} (\w+)", run) for name in examples}
    assert {name: found and found[1] for name, found in verdicts.items()} == {
        **dict.fromkeys(examples, "PASSED"),
        "test_it_sleeps_in_the_heat": "SKIPPED",
    }


def test_what_a_bench_lacks_is_named_with_how_to_add_it(run: str) -> None:
    assert "has no chamber, and hil-rig no driver for one" in run
    assert 'contact_1 = { pin = "PC2", terminal = "Dev1/port0/line1"' in run


def test_what_must_not_be_done_is_refused(run: str) -> None:
    assert "5 passed" not in run
    assert len(re.findall(r"test_wrong.py::\w+ PASSED", run)) == 5
