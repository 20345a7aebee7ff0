# SPDX-License-Identifier: Apache-2.0
"""Parts of the firmware on the emulated core: a small program around each, built as the firmware is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pytest

from hil.firmware.build import FIRMWARE_DIR
from hil.firmware.generated import generate
from hil.firmware.image import Image
from hil.firmware.model_facts import facts_header
from hil.golden.tflite_model import read_model
from tests.twin.bare_part import BarePart

NO_WAIT_STATES = 0
FOUR_WAIT_STATES_CACHED = 0x704  # RM0351, FLASH_ACR: LATENCY = 4, PRFTEN, ICEN, DCEN: as at 80 MHz

TOOLCHAINS = [
    "zig",
    pytest.param(
        "gcc",
        marks=pytest.mark.skipif(
            shutil.which("arm-none-eabi-gcc") is None, reason="arm-none-eabi-gcc is not installed"
        ),
    ),
]

_ARENA_BYTES = 32768
_CAPACITY = 20480
_FLASH_ACR, _COUNT, _ERROR, _CYCLES, _INPUT, _OUTPUT = 0, 4, 8, 12, 16, 16 + _CAPACITY
_COMPILERS = {
    "zig": (
        *(sys.executable, "-m", "ziglang", "cc", "-target", "thumb-freestanding-eabihf"),
        *(
            "-mcpu=cortex_m4+vfp4d16sp",
            "-fno-sanitize=undefined",
            "-fomit-frame-pointer",
            "-Wl,-z,max-page-size=4096",
        ),
    ),
    "gcc": (
        *("arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"),
        "-lgcc",
    ),
}
_OPTIONS = (
    *("-O2", "-std=c11", "-ffreestanding", "-nostdlib", "-ffp-contract=off", "-ffunction-sections"),
    *("-fno-builtin", "-Wl,--entry=Reset_Handler", "-Wl,--gc-sections", "-Wl,-u,hil_model"),
    f"-DNETWORK_ARENA_BYTES={_ARENA_BYTES}u",
)


def build_program(
    toolchain: Literal["zig", "gcc"],
    program: Literal["inference", "features"],
    folder: Path,
    model: bytes = b"",
    firmware_dir: Path = FIRMWARE_DIR,
) -> Image:
    """`programs/<program>.c` around the firmware's sources and `model`, in `folder`."""
    (folder / "hil_model.tflite").write_bytes(model)
    elf = folder / f"{program}.elf"
    programs = Path(__file__).parent / "programs"
    generate(folder, firmware_dir)
    if model:  # as the firmware's build does
        (folder / "model_facts.h").write_text(facts_header(read_model(model)), encoding="ascii")
    sources = [programs / "main.c", programs / f"{program}.c", folder / "tables.c"]
    sources += sorted((firmware_dir / "engine").glob("*.[cS]"))
    sources += [firmware_dir / "src" / name for name in ("features.c", "memory.c", "model.S")]
    includes = [programs, *(firmware_dir / name for name in ("", "src", "engine", "model")), folder]
    compiler = _COMPILERS[toolchain]
    command = [*compiler, *_OPTIONS, *(f"-I{include}" for include in includes), *map(str, sources)]
    command += [f"-Wl,-T,{programs / 'link.ld'}", "-o", str(elf)]
    environment = os.environ | {"ZIG_GLOBAL_CACHE_DIR": str(folder), "ZIG_LOCAL_CACHE_DIR": str(folder)}
    subprocess.run(command, check=True, env=environment)
    return Image.load(elf)


class CoreProgram:
    """The program, running on a part of its own."""

    def __init__(self, image: Image) -> None:
        self._exchange = image.symbol("exchange")
        self._part = BarePart(image)
        self._part.mcu.set_supply_voltage(3.0)
        self._part.advance(0.5)
        self.error = self._read(_ERROR)

    def _read(self, offset: int) -> int:
        return self._part.read_word(self._exchange + offset)

    def run(
        self, inputs: npt.NDArray[Any], output_size: int, flash_acr: int = NO_WAIT_STATES
    ) -> tuple[npt.NDArray[np.int8], int]:
        """Outputs, int8, for each row of inputs, and the cycles of the last one."""
        batch = _CAPACITY // max(inputs.shape[1] * inputs.itemsize, output_size)
        outputs = []
        for start in range(0, len(inputs), batch):
            rows = np.ascontiguousarray(inputs[start : start + batch])
            words = np.frombuffer(rows.tobytes() + bytes(-rows.nbytes % 4), dtype="<u4").tolist()
            for position, word in enumerate(words):
                self._part.write_word(self._exchange + _INPUT + 4 * position, word)
            self._part.write_word(self._exchange + _FLASH_ACR, flash_acr)
            self._part.write_word(self._exchange + _COUNT, len(rows))
            while self._read(_COUNT) != 0:
                self._part.advance(0.05)
            size = len(rows) * output_size
            answer = [self._read(_OUTPUT + offset) for offset in range(0, size, 4)]
            outputs.append(np.array(answer, dtype="<u4").view(np.int8)[:size].reshape(-1, output_size))
        return np.concatenate(outputs), self._read(_CYCLES)
