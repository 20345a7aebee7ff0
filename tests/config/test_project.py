# SPDX-License-Identifier: Apache-2.0
"""A project's own file: what it says of the firmware, and errors that name the key."""

from pathlib import Path

import pytest

from hil.config.project import PROJECT_FILE, load_project
from hil.errors import ConfigError

WHOLE = """
[firmware]
image = "build/sensor.elf"
console = "text"
sleep = "stop2"
wake_period = "500 ms"
"""


def write(folder: Path, text: str) -> Path:
    (folder / PROJECT_FILE).write_text(text, "utf-8")
    return folder


def test_a_project_without_the_file_says_nothing(tmp_path: Path) -> None:
    firmware = load_project(tmp_path).firmware
    assert (firmware.image, firmware.console, firmware.sleep, firmware.wake_period_s) == (None,) * 4


def test_what_it_says_is_read_with_units_and_paths_from_its_folder(tmp_path: Path) -> None:
    firmware = load_project(write(tmp_path, WHOLE)).firmware
    assert firmware.image == tmp_path / "build" / "sensor.elf"
    assert (firmware.console, firmware.sleep, firmware.wake_period_s) == ("text", "stop2", 0.5)


def test_a_banner_is_text_and_requirements_have_units(tmp_path: Path) -> None:
    project = load_project(
        write(
            tmp_path,
            "[firmware]\nbanner = 'ready'\n[requirements]\nsleep_current = '2 uA'\nflash_bytes = 4096",
        )
    )
    assert (project.firmware.console, project.firmware.baud) == ("text", None)
    assert project.requirements.sleep_current_a == pytest.approx(2e-6)
    assert (project.requirements.flash_bytes, project.requirements.time_awake_s) == (4096, None)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[firmware]\nconsol = 'text'", "firmware.consol"),
        ("[firmware]\nconsole = 'morse'", "firmware.console"),
        ("[firmware]\nwake_period = 2", "firmware.wake_period"),
        ("[firmware", "cannot be read"),
        ("[firmwares]", "firmwares"),
        ("[firmware]\nbanner = '('", "firmware.banner"),
        ("[firmware]\nbaud = 0", "firmware.baud"),
        ("[firmware]\nmailbox = '0x20 00'", "firmware.mailbox"),
        ("[firmware]\nmailbox = 536870912", "firmware.mailbox"),
        ("[requirements]\nsleep_current = 2", "requirements.sleep_current"),
        ("[requirements]\naverage = '2 uA'", r"\[requirements\] with sleep_current, average_current"),
    ],
)
def test_a_wrong_file_is_refused_by_its_key(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        load_project(write(tmp_path, text))
