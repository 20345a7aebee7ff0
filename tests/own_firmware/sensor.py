# SPDX-License-Identifier: Apache-2.0
"""Builds firmware that knows nothing of hil-rig: a lab's sensor, sound or with a planted fault, ..."""

import os
import subprocess
import sys
from pathlib import Path

from hil.firmware.build import FIRMWARE_DIR

SOURCE = Path(__file__).with_name("sensor.c")
EXAMPLES = SOURCE.parents[1] / "twin" / "examples" / "firmware"
TRAPS = SOURCE.parents[1] / "twin" / "traps" / "firmware"


def compile_sensor(elf: Path, define: str, cache: Path) -> None:
    """Compile sensor.c with a macro: "SOUND", or what plants a fault."""
    compile_image(elf, SOURCE, define, cache)


def compile_image(elf: Path, source: Path, define: str, cache: Path, *, floats: bool = False) -> None:
    """Compile a program that is built upon tests/twin/examples/firmware, with a macro, and for the FPU."""
    abi, fpu = ("eabihf", "+vfp4d16sp") if floats else ("eabi", "")
    subprocess.run(
        [
            *(sys.executable, "-m", "ziglang", "cc", "-target", f"thumb-freestanding-{abi}"),
            *(f"-mcpu=cortex_m4{fpu}", "-O1", "-fno-sanitize=undefined", "-Wl,-z,max-page-size=4096"),
            *("-ffreestanding", "-nostdlib", "-fno-inline", "-Wno-unknown-warning-option"),
            *(f"-I{folder}" for folder in (SOURCE.parent, EXAMPLES, TRAPS, FIRMWARE_DIR / "src")),
            *(f"-Wl,-T,{EXAMPLES / 'example.ld'}", "-Wl,--entry=Reset_Handler", f"-D{define}"),
            *(str(EXAMPLES / "startup.c"), str(source), "-o", str(elf)),
        ],
        check=True,
        env=os.environ | {"ZIG_GLOBAL_CACHE_DIR": str(cache), "ZIG_LOCAL_CACHE_DIR": str(cache)},
    )
