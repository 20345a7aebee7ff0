# SPDX-License-Identifier: Apache-2.0
"""The option to link TensorFlow Lite Micro: against a stand-in that has its API's shape.

No source of the library is part of this project, so this shows that the option configures, compiles, links
and runs behind the interface; it cannot show that a given version of the library does.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from hil.errors import FirmwareBuildError, ModelError
from hil.firmware.build import MODEL_FILE, build
from hil.firmware.image import Image
from tests.firmware.test_firmware_on_twin import Part

STAND_IN = Path(__file__).parent / "tflm_stand_in"
MAILBOX_INPUT, MAILBOX_OUTPUT = 44, 108
needs_gcc = pytest.mark.skipif(
    shutil.which("arm-none-eabi-g++") is None, reason="arm-none-eabi-g++ is not installed"
)


@pytest.fixture
def tflm_dir(tmp_path: Path) -> Path:
    """A folder as a user has it: headers in include/, the static library in lib/."""
    folder = tmp_path / "tflm"
    shutil.copytree(STAND_IN / "include", folder / "include")
    (folder / "lib").mkdir()
    options = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16", "-std=c++17", "-Os"]
    options += ["-fno-rtti", "-fno-exceptions", "-fno-threadsafe-statics"]
    library_object = tmp_path / "library.o"
    options += [f"-I{folder / 'include'}", "-c", str(STAND_IN / "library.cc"), "-o", str(library_object)]
    subprocess.run(["arm-none-eabi-g++", *options], check=True)
    library = folder / "lib" / "libtensorflow-microlite.a"
    subprocess.run(["arm-none-eabi-ar", "rcs", str(library), str(library_object)], check=True)
    return folder


@needs_gcc
def test_the_library_runs_behind_the_same_interface(tflm_dir: Path, tmp_path: Path) -> None:
    elf = build("gcc", engine="tflm", tflm_dir=tflm_dir, build_dir=tmp_path / "build")
    part = Part(Image.load(elf))
    mailbox = part.serve()
    inputs = np.arange(-16, 16, dtype=np.int8)
    for offset, word in enumerate(inputs.view("<u4").tolist()):
        part.write_word(mailbox + MAILBOX_INPUT + 4 * offset, word)
    assert part.command(mailbox, command=1, request=1) == 0
    words = [part.read_word(mailbox + MAILBOX_OUTPUT + 4 * offset) for offset in range(8)]
    assert np.array(words, dtype="<u4").view(np.int8).tolist() == (inputs + 1).tolist()


@needs_gcc
def test_a_damaged_model_is_refused(tflm_dir: Path, tmp_path: Path) -> None:
    model = tmp_path / "damaged.tflite"
    model.write_bytes(MODEL_FILE.read_bytes()[:400])
    with pytest.raises(ModelError, match="damaged or cut off at 400 bytes"):
        build("gcc", model=model, engine="tflm", tflm_dir=tflm_dir, build_dir=tmp_path / "build")


@needs_gcc
@pytest.mark.parametrize(
    ("missing", "complaint"),
    [
        ("include/tensorflow", "has no tensorflow/lite/micro/micro_interpreter.h"),
        ("include/flatbuffers", "has no flatbuffers/flatbuffers.h"),
        ("lib", "has 0 libraries"),
    ],
)
def test_what_is_missing_is_named(tflm_dir: Path, tmp_path: Path, missing: str, complaint: str) -> None:
    shutil.rmtree(tflm_dir / missing)
    with pytest.raises(FirmwareBuildError) as caught:
        build("gcc", engine="tflm", tflm_dir=tflm_dir, build_dir=tmp_path / "build")
    assert complaint in " ".join(str(caught.value).split())


@needs_gcc
def test_no_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(FirmwareBuildError, match="ENGINE=tflm needs TFLM_DIR"):
        build("gcc", engine="tflm", build_dir=tmp_path / "build")


def test_zig_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FirmwareBuildError, match="needs the GNU toolchain"):
        build("zig", engine="tflm", tflm_dir=tmp_path, build_dir=tmp_path / "build")
