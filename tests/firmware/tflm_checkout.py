# SPDX-License-Identifier: Apache-2.0
"""A stand-in for a checkout of TensorFlow Lite Micro: its layout, its header names, its hazards, our engine.

Its headers include newlib's and each other across the folders of third parties. Its library refers to
newlib's system calls and takes more flash than the firmware's own engine may. Its arithmetic is that of
`firmware/engine`, so its answers are right. No source of the real library is part of this project.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hil.firmware.build import FIRMWARE_DIR
from hil.firmware.generated import generate

STAND_IN = Path(__file__).parent / "tflm_stand_in"
GENERATED = "gen/cortex_m_generic_cortex-m4+fp_default_{kernels}gcc/lib/libtensorflow-microlite.a"
LIBRARIES = {"reference": GENERATED.format(kernels=""), "cmsis_nn": GENERATED.format(kernels="cmsis_nn_")}
DOWNLOADS = Path("tensorflow/lite/micro/tools/make/downloads")
BULK_BYTES = 64 * 1024
"""Flash beyond the firmware's own budget; the real one takes about as much."""

needs_gcc = pytest.mark.skipif(
    shutil.which("arm-none-eabi-g++") is None, reason="arm-none-eabi-g++ is not installed"
)

_ARCHITECTURE = (
    "-mcpu=cortex-m4",
    "-mthumb",
    "-mfpu=fpv4-sp-d16",
    "-Os",
    "-ffunction-sections",
    "-fdata-sections",
)


def make_checkout(folder: Path, kernels: tuple[str, ...] = ("reference",), float_abi: str = "hard") -> Path:
    """A checkout in ``folder`` in which the library was built with these kinds of kernels."""
    shutil.copytree(STAND_IN / "checkout", folder)
    work = folder.with_name(f"{folder.name}-objects")
    work.mkdir()
    options = [*_ARCHITECTURE, f"-mfloat-abi={float_abi}"]
    engine = _engine_object(work, options)
    for kind in kernels:
        library = folder / LIBRARIES[kind]
        library.parent.mkdir(parents=True)
        api = work / f"{kind}.o"
        headers = [
            folder,
            *(folder / DOWNLOADS / name for name in ("flatbuffers/include", "gemmlowp", "ruy")),
        ]
        flags = [
            "-std=c++17",
            "-fno-rtti",
            "-fno-exceptions",
            "-fno-threadsafe-statics",
            "-DTF_LITE_STATIC_MEMORY",
        ]
        flags += ["-DSTAND_IN_CMSIS_NN"] if kind == "cmsis_nn" else []
        includes = [f"-I{header}" for header in headers]
        _run("arm-none-eabi-g++", *options, *flags, *includes, "-c", STAND_IN / "library.cc", "-o", api)
        _run("arm-none-eabi-ar", "rcs", library, api, engine)
    return folder


def _engine_object(work: Path, options: list[str]) -> Path:
    """The firmware's engine as one object, whose names nothing else sees."""
    generate(work)
    includes = [f"-I{FIRMWARE_DIR / name}" for name in ("", "src", "engine", "model")]
    flags = ["-ffreestanding", "-ffp-contract=off", f"-DSTAND_IN_BULK_BYTES={BULK_BYTES}", f"-I{work}"]
    sources = [STAND_IN / "engine.c", *sorted((FIRMWARE_DIR / "engine").glob("*.[cS]"))]
    joined, hidden = work / "joined.o", work / "engine.o"
    _run("arm-none-eabi-gcc", *options, *flags, *includes, "-r", *sources, "-nostdlib", "-o", joined)
    keep = [f"--keep-global-symbol={name}" for name in ("stand_in_load", "stand_in_invoke")]
    _run("arm-none-eabi-objcopy", *keep, joined, hidden)
    return hidden


def _run(*command: str | Path) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{sys.platform}: {done.stderr}"
