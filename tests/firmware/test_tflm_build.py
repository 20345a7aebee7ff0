# SPDX-License-Identifier: Apache-2.0
"""The option to link TensorFlow Lite Micro: against a stand-in with the layout and the hazards of a checkout.

No source of the library is part of this project. So this shows that the option finds, compiles, links and
runs what looks like a checkout; it cannot show that a given version of the library does.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from hil.cli.firmware import app
from hil.errors import FirmwareBuildError, ModelError
from hil.firmware.build import MODEL_FILE, build
from hil.firmware.image import Image
from hil.firmware.tflm import inspect
from hil.golden.interpreter import GoldenInterpreter
from tests.firmware.test_firmware_on_twin import Part
from tests.firmware.tflm_checkout import DOWNLOADS, LIBRARIES, make_checkout, needs_gcc

pytestmark = needs_gcc
INPUT_ADDRESS, OUTPUT_ADDRESS = 40, 52


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkout(tmp_path_factory.mktemp("tflm") / "checkout", ("reference", "cmsis_nn"))


@pytest.fixture
def damaged(checkout: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Makes a copy of the checkout that lacks one file or folder."""

    def copy(missing: str) -> Path:
        folder = tmp_path / "copy"
        shutil.copytree(checkout, folder)
        path = folder / missing
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        return folder

    return copy


@pytest.mark.parametrize("kernels", ["reference", "cmsis_nn"])
def test_the_library_runs_behind_the_same_interface(checkout: Path, tmp_path: Path, kernels: str) -> None:
    elf = build("gcc", engine="tflm", tflm_dir=checkout, tflm_kernels=kernels, build_dir=tmp_path / "build")
    part = Part(Image.load(elf))
    mailbox = part.serve()
    inputs = np.arange(-16, 16, dtype=np.int8)
    source, target = (part.read_word(mailbox + offset) for offset in (INPUT_ADDRESS, OUTPUT_ADDRESS))
    for offset, word in enumerate(inputs.view("<u4").tolist()):
        part.write_word(source + 4 * offset, word)
    assert part.command(mailbox, command=1, request=1) == 0
    words = [part.read_word(target + 4 * offset) for offset in range(8)]
    golden = GoldenInterpreter(MODEL_FILE.read_bytes())
    assert np.array(words, dtype="<u4").view(np.int8).tolist() == golden.infer(inputs[None, :])[0].tolist()


def test_files_in_include_and_lib_will_do(checkout: Path, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    for name in ("tensorflow", "signal"):
        shutil.copytree(checkout / name, folder / "include" / name, ignore=shutil.ignore_patterns("tools"))
    for name in ("flatbuffers/include", "gemmlowp", "ruy"):
        shutil.copytree(checkout / DOWNLOADS / name, folder / "include", dirs_exist_ok=True)
    (folder / "lib").mkdir()
    shutil.copy(checkout / LIBRARIES["reference"], folder / "lib")
    assert build("gcc", engine="tflm", tflm_dir=folder, build_dir=tmp_path / "build").is_file()


def test_a_damaged_model_is_refused(checkout: Path, tmp_path: Path) -> None:
    model = tmp_path / "damaged.tflite"
    model.write_bytes(MODEL_FILE.read_bytes()[:400])
    with pytest.raises(ModelError, match="damaged or cut off at 400 bytes"):
        build(
            "gcc",
            model=model,
            engine="tflm",
            tflm_dir=checkout,
            tflm_kernels="reference",
            build_dir=tmp_path / "build",
        )


@pytest.mark.parametrize(
    ("missing", "complaint", "command"),
    [
        (
            "tensorflow/lite/micro/micro_interpreter.h",
            "no tensorflow/lite/micro/micro_interpreter.h",
            "git -C",
        ),
        ("signal", "no signal/micro/kernels/rfft.h", "git -C"),
        (f"{DOWNLOADS}/flatbuffers", "no flatbuffers/flatbuffers.h", "third_party_downloads"),
        (f"{DOWNLOADS}/gemmlowp", "no fixedpoint/fixedpoint.h", "third_party_downloads"),
        (f"{DOWNLOADS}/ruy", "no ruy/profiler/instrumentation.h", "third_party_downloads"),
        ("gen", "no libtensorflow-microlite.a", "TARGET_TOOLCHAIN_ROOT="),
    ],
)
def test_what_is_missing_is_named_with_its_command(
    damaged: Callable[[str], Path], tmp_path: Path, missing: str, complaint: str, command: str
) -> None:
    folder = damaged(missing)
    with pytest.raises(FirmwareBuildError) as caught:
        build("gcc", engine="tflm", tflm_dir=folder, build_dir=tmp_path / "build")
    assert complaint in caught.value.message
    assert command in caught.value.hint
    checked = CliRunner().invoke(app, ["tflm", "check", str(folder)])
    assert checked.exit_code == 1
    assert complaint in checked.output
    assert command in checked.output


def test_a_sound_checkout_is_shown(checkout: Path) -> None:
    checked = CliRunner().invoke(app, ["tflm", "check", str(checkout)])
    assert checked.exit_code == 0, checked.output
    assert "missing" not in checked.output
    for kernels, library in LIBRARIES.items():
        assert f"library, {kernels} kernels: {checkout / library}" in checked.output


def test_the_kernels_have_to_be_named_where_there_are_both(checkout: Path) -> None:
    with pytest.raises(FirmwareBuildError, match="has 2 libraries that fit") as caught:
        build("gcc", engine="tflm", tflm_dir=checkout)
    assert caught.value.hint == "--tflm-kernels reference or cmsis_nn"


def test_kernels_that_were_not_built(damaged: Callable[[str], Path]) -> None:
    folder = damaged(LIBRARIES["cmsis_nn"])
    with pytest.raises(
        FirmwareBuildError, match="has no library with cmsis_nn kernels, only with reference"
    ) as caught:
        build("gcc", engine="tflm", tflm_dir=folder, tflm_kernels="cmsis_nn")
    assert "OPTIMIZED_KERNEL_DIR=cmsis_nn" in caught.value.hint


def test_a_library_for_soft_float_is_refused(tmp_path: Path) -> None:
    folder = make_checkout(tmp_path / "checkout", float_abi="soft")
    with pytest.raises(FirmwareBuildError, match="built for floats in integer registers") as caught:
        build("gcc", engine="tflm", tflm_dir=folder)
    assert "TARGET_ARCH=cortex-m4+fp" in caught.value.hint


def test_what_is_no_archive_is_refused(damaged: Callable[[str], Path]) -> None:
    folder = damaged(LIBRARIES["cmsis_nn"])
    (folder / LIBRARIES["reference"]).write_bytes(b"no archive")
    with pytest.raises(FirmwareBuildError, match="is no static library for Arm: it is no archive"):
        build("gcc", engine="tflm", tflm_dir=folder)


def test_another_release_of_flatbuffers_is_refused(damaged: Callable[[str], Path]) -> None:
    folder = damaged(LIBRARIES["cmsis_nn"])
    base = folder / DOWNLOADS / "flatbuffers/include/flatbuffers/base.h"
    base.write_text(base.read_text().replace("MINOR 9", "MINOR 12"))
    with pytest.raises(FirmwareBuildError, match=r"is 25\.12\.23, the schema wants 25\.9\.23"):
        build("gcc", engine="tflm", tflm_dir=folder)


def test_the_budget_is_the_engines(checkout: Path, tmp_path: Path) -> None:
    """The stand-in takes more flash than the firmware's own engine may, and less than this one may."""
    elf = build(
        "gcc", engine="tflm", tflm_dir=checkout, tflm_kernels="reference", build_dir=tmp_path / "build"
    )
    image = Image.load(elf)
    assert 32 * 1024 < image.size_bytes - MODEL_FILE.stat().st_size < image.symbol("flash_budget")
    assert Image.load(build("gcc")).symbol("flash_budget") == 32 * 1024


def test_no_folder_is_said() -> None:
    with pytest.raises(FirmwareBuildError, match="needs a TensorFlow Lite Micro library"):
        build("gcc", engine="tflm")
    with pytest.raises(FirmwareBuildError, match="is no folder"):
        inspect(Path("none"))


def test_zig_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        FirmwareBuildError, match="cannot be built with toolchain 'zig'; expected toolchain 'gcc'"
    ):
        build("zig", engine="tflm", tflm_dir=tmp_path)
