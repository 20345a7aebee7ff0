# SPDX-License-Identifier: Apache-2.0
"""Compiles the firmware with all traps, and chooses one of its entries."""

import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from hil.firmware.build import FIRMWARE_DIR
from hil.firmware.image import Image

SOURCES = Path(__file__).with_name("firmware")


def compile_traps(folder: Path, more: Iterable[Path] = ()) -> Image:
    """Compile all traps, and ``more`` sources with entries, by the pinned compiler into ``folder``."""
    elf = folder / "traps.elf"
    environment = os.environ | {"ZIG_GLOBAL_CACHE_DIR": str(folder), "ZIG_LOCAL_CACHE_DIR": str(folder)}
    target = ("-target", "thumb-freestanding-eabihf", "-mcpu=cortex_m4+vfp4d16sp")
    flags = ("-O2", "-ffreestanding", "-nostdlib", "-fno-sanitize=undefined", "-Wall", "-Wextra", "-Werror")
    link = (f"-Wl,-T,{SOURCES / 'traps.ld'}", "-Wl,--entry=Reset_Handler", "-Wl,-z,max-page-size=4096")
    includes = (f"-I{SOURCES}", f"-I{FIRMWARE_DIR / 'src'}")
    command = [sys.executable, "-m", "ziglang", "cc", *target, *flags, *includes]
    sources = [str(path) for path in (*sorted(SOURCES.glob("*.c")), *more)]
    subprocess.run([*command, *sources, *link, "-o", str(elf)], check=True, env=environment)
    return Image.load(elf)


def with_entry(image: Image, name: str) -> Image:
    """The image that runs one entry, as a file of its own would be."""
    at, to = image.symbol("entry"), (image.symbol(name) | 1).to_bytes(4, "little")
    segments = tuple(
        replace(part, data=part.data[: at - part.address] + to + part.data[at - part.address + 4 :])
        if part.address <= at < part.address + len(part.data)
        else part
        for part in image.segments
    )
    return replace(image, segments=segments, sha256=sha256(f"{image.sha256} {name}".encode()).hexdigest())
