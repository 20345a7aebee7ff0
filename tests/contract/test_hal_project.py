# SPDX-License-Identifier: Apache-2.0
"""A HAL-like project with the mailbox and a network that hil-rig did not write, through the generic suite."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hil.firmware.image import Image
from tests.firmware.tflm_checkout import needs_gcc
from tests.own_firmware.hal_project import MODEL, build_hal_project


@pytest.mark.short_form(1)
@pytest.mark.parametrize("toolchain", ["zig", pytest.param("gcc", marks=needs_gcc)])
def test_its_network_is_tested_like_ours(tmp_path: Path, toolchain: str) -> None:
    elf = build_hal_project(tmp_path / "firmware", toolchain)
    mailbox = ""
    if toolchain == "gcc":  # without symbols its owner says where the mailbox is
        mailbox = f'mailbox = "0x{Image.load(elf).symbol("hil_mailbox"):08X}"\n'
        subprocess.run(["arm-none-eabi-strip", elf], check=True)
        assert Image.load(elf).symbols == {}
    project = tmp_path / "project"
    project.mkdir()
    (project / "hil.toml").write_text(
        f'[firmware]\nimage = "{elf}"\nmodel = "{MODEL}"\nconsole = "none"\nsleep = "stop2"\n'
        f'wake_period = "1 s"\n{mailbox}',
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rig=sim"]
    run = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=900, check=False)
    assert run.returncode == 0, run.stdout
    (journal,) = (project / "results").glob("*/journal.jsonl")
    found = {
        entry["name"]: entry["value"] for entry in map(json.loads, journal.read_text("utf-8").splitlines())
    }
    assert found["vectors whose output differs"] == 0
    assert 5_000 < found["cycles per inference, the most"] < 100_000
