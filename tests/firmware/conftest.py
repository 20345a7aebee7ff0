# SPDX-License-Identifier: Apache-2.0
"""The firmware's hardware-independent sources as a library of this computer, and copies of all to edit."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hil.firmware.build import FIRMWARE_DIR
from hil.firmware.generated import generate
from hil.firmware.host import HostPrograms, build_host

PURE_SOURCES = ("crc", "features", "memory")


@pytest.fixture(scope="session")
def pure_firmware(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The pure sources, compiled for this computer by the compiler that builds the firmware."""
    folder = tmp_path_factory.mktemp("pure_firmware")
    library = folder / "pure_firmware.so"
    environment = os.environ | {"ZIG_GLOBAL_CACHE_DIR": str(folder), "ZIG_LOCAL_CACHE_DIR": str(folder)}
    generate(folder)
    sources = [str(FIRMWARE_DIR / "src" / f"{name}.c") for name in PURE_SOURCES]
    sources += [str(path) for path in sorted((FIRMWARE_DIR / "engine").glob("*.c"))]
    includes = [
        f"-I{path}" for path in (*(FIRMWARE_DIR / name for name in ("", "src", "engine", "model")), folder)
    ]
    flags = ["-O2", "-ffreestanding", "-nostdlib", "-ffp-contract=off", "-fno-sanitize=undefined"]
    command = [sys.executable, "-m", "ziglang", "cc", "-shared", "-fPIC", *flags, *includes]
    subprocess.run(
        [*command, *sources, str(folder / "tables.c"), "-o", str(library)], check=True, env=environment
    )
    return ctypes.CDLL(str(library))


@pytest.fixture(scope="session")
def host_programs() -> HostPrograms:
    """The pure sources as programs, under sanitizers."""
    return build_host()


@pytest.fixture
def edited_firmware(tmp_path: Path) -> Callable[[str, str, str], Path]:
    """Makes a copy of the firmware's sources in which one text of one file is replaced."""

    def edit(file: str, old: str, new: str) -> Path:
        folder = tmp_path / "edited" / "firmware"
        shutil.copytree(FIRMWARE_DIR, folder)
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
        return folder

    return edit
