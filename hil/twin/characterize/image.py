# SPDX-License-Identifier: Apache-2.0
"""Builds the firmware of the characterisation with the pinned compiler, and reads what to load where."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile

from hil.places import build_folder, put_in_place
from hil.twin.errors import TwinError

_SOURCES = Path(__file__).parent / "firmware"
_COMPILER = (
    *("-m", "ziglang", "cc", "-target", "thumb-freestanding-eabi", "-mcpu=cortex_m4"),
    *("-Os", "-std=gnu17", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-fno-sanitize=undefined"),
    # The codes in SRAM are to touch no flash.
    *("-fno-jump-tables", "-fno-tree-vectorize"),
    *("-nostdlib", "-Wl,--entry=Reset_Handler", "-Wl,-z,max-page-size=4096"),
)


@dataclass(frozen=True)
class Segment:
    """Bytes and the address that they are loaded to."""

    address: int
    data: bytes


def build() -> Path:
    """The image, built if its sources or the compiler have changed since it last was.

    Raises:
        TwinError: the compiler is not installed or reports an error.
    """
    if importlib.util.find_spec("ziglang") is None:
        raise TwinError("the compiler 'ziglang' is missing; pip install 'hil-rig[firmware]'")
    digest = hashlib.sha256(importlib.metadata.version("ziglang").encode())
    for text in (*_COMPILER, *(path.read_text("ascii") for path in sorted(_SOURCES.iterdir()))):
        digest.update(text.encode())
    kept = build_folder() / "characterize"
    elf = kept / f"{digest.hexdigest()[:16]}.elf"
    if elf.is_file():
        return elf
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept) as work:
        built = Path(work) / "image.elf"
        command = [sys.executable, *_COMPILER, "-T", str(_SOURCES / "link.ld"), str(_SOURCES / "main.c")]
        caches = {"ZIG_GLOBAL_CACHE_DIR": work, "ZIG_LOCAL_CACHE_DIR": work}
        result = subprocess.run(
            [*command, "-o", str(built)],
            env={**os.environ, **caches},
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if result.returncode != 0:
            raise TwinError(f"the characterisation's firmware does not compile:\n{result.stderr.rstrip()}")
        put_in_place(built, elf)
    return elf


def segments(elf: Path) -> list[Segment]:
    """What the image wants in flash."""
    with elf.open("rb") as file:
        return [
            Segment(segment["p_paddr"], segment.data())
            for segment in ELFFile(file).iter_segments("PT_LOAD")
            if segment["p_filesz"]
        ]
