# SPDX-License-Identifier: Apache-2.0
"""Builds the programs in `programs/` with the firmware's own compiler, options, link script and sources."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from hil.firmware.build import FIRMWARE_DIR, MODEL_FILE
from hil.firmware.generated import generate
from hil.firmware.image import Image

PROGRAMS_DIR = Path(__file__).parent / "programs"
PROGRAMS = ("bubble_sort", "fir_filter", "detector")
WAITS = (
    *("systick_flag", "systick_value", "cycle_counter", "timer_count", "timer_flag", "pin"),
    *("pin_by_function", "rtc_seconds", "flag_with_time_out", "interrupts_alone", "rtc_subseconds"),
    "counted_rounds",
)
"""The loops of `programs/wait.c`, in the order of their numbers there."""

_FIRMWARE_SOURCES = ("clock.c", "features.c", "memory.c", "model.S")
_OPTIONS = (
    *("-target", "thumb-freestanding-eabihf", "-mcpu=cortex_m4+vfp4d16sp", "-O2", "-std=c11"),
    *("-ffreestanding", "-ffunction-sections", "-fdata-sections", "-fno-sanitize=undefined", "-nostdlib"),
    *(
        "-fno-builtin",
        "-Wl,--entry=Reset_Handler",
        "-Wl,-z,max-page-size=4096",
        "-Wl,--gc-sections",
        "-Wl,-u,hil_model",
    ),
)


def build_wait(name: str) -> Image:
    """Build one of `WAITS`; raises as `build` does."""
    return build("wait", f"-DWAIT={WAITS.index(name)}")


def build(name: str, *options: str) -> Image:
    """Build one of `PROGRAMS`; raises CalledProcessError, whose output is the compiler's own."""
    with tempfile.TemporaryDirectory(prefix="hil-benchmark-") as folder:
        work = Path(folder)
        elf = work / f"{name}.elf"
        environment = os.environ | {"ZIG_GLOBAL_CACHE_DIR": folder, "ZIG_LOCAL_CACHE_DIR": folder}
        shutil.copy(MODEL_FILE, work / "hil_model.tflite")
        generate(work)
        sources = [PROGRAMS_DIR / "main.c", PROGRAMS_DIR / f"{name}.c", work / "tables.c"]
        sources += [FIRMWARE_DIR / "src" / source for source in _FIRMWARE_SOURCES]
        sources += sorted((FIRMWARE_DIR / "engine").glob("*.[cS]"))
        includes = [
            FIRMWARE_DIR,
            FIRMWARE_DIR / "src",
            FIRMWARE_DIR / "engine",
            FIRMWARE_DIR / "model",
            PROGRAMS_DIR,
            work,
        ]
        command = [sys.executable, "-m", "ziglang", "cc", *_OPTIONS, *options]
        command += [f"-I{folder}" for folder in includes]
        command += [f"-Wl,-T,{FIRMWARE_DIR / 'stm32l476rg.ld'}", *map(str, sources), "-o", str(elf)]
        subprocess.run(command, check=True, env=environment)
        return Image.load(elf)
