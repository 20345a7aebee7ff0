# SPDX-License-Identifier: Apache-2.0
"""hil.firmware.build: reproducible, up to date, and clear about what went wrong."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hil.errors import FirmwareBuildError, ModelError
from hil.firmware import build as build_module
from hil.firmware.build import FIRMWARE_DIR, MODEL_FILE, build, mutant_names
from hil.firmware.fit import check_fit
from hil.firmware.tools import tool
from hil.golden.tflite_model import Elementwise, ElementwiseKind, Model, read_model
from hil.golden.tflite_tensors import Quantisation
from hil.golden.tflite_writer import write_model


def test_same_bytes_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another checkout, another build folder, another environment: the image is the same to the byte."""
    copy = tmp_path / "another" / "checkout" / "firmware"
    shutil.copytree(FIRMWARE_DIR, copy)
    here = build(build_dir=tmp_path / "here")
    monkeypatch.setenv("CFLAGS", "-DNDEBUG -O0")
    monkeypatch.setenv("CC", "no-such-compiler")
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    there = build(
        firmware_dir=copy, model=copy / "model" / MODEL_FILE.name, build_dir=tmp_path / "some where" / "else"
    )
    assert here.read_bytes() == there.read_bytes()
    assert str(tmp_path).encode() not in here.read_bytes()


def test_up_to_date_build_runs_no_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elf = build(build_dir=tmp_path)
    written_ns = elf.stat().st_mtime_ns
    monkeypatch.setattr(build_module, "run", None)  # calling it would raise
    assert build(build_dir=tmp_path) == elf
    assert elf.stat().st_mtime_ns == written_ns
    assert sorted(path.name for path in tmp_path.iterdir()) == ["firmware.elf", "inputs.sha256"]


def test_changed_source_and_model_are_built_in(
    tmp_path: Path, edited_firmware: Callable[[str, str, str], Path]
) -> None:
    reference = build().read_bytes()
    edited = edited_firmware("config.h", "WAKE_PERIOD_S 10u", "WAKE_PERIOD_S 11u")
    assert build(firmware_dir=edited, build_dir=tmp_path / "build").read_bytes() != reference

    model = tmp_path / "other.tflite"
    content = bytearray(MODEL_FILE.read_bytes())
    content[-1] ^= 1
    model.write_bytes(content)
    assert bytes(content) in build(model=model, build_dir=tmp_path / "build").read_bytes()


def test_another_register_description_is_built_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elf = build(build_dir=tmp_path)
    info = zipfile.ZipInfo("STM32L4x5.svd")
    info.CRC = 0x1234
    monkeypatch.setattr(zipfile.ZipFile, "getinfo", lambda _self, _name: info)
    monkeypatch.setattr(build_module, "run", lambda *_, **__: pytest.fail("built again"))
    with pytest.raises(pytest.fail.Exception, match="built again"):
        build(build_dir=tmp_path)
    assert elf.is_file()


def test_threshold_beside_the_model_wins(tmp_path: Path) -> None:
    reference = build().read_bytes()
    shutil.copy(MODEL_FILE, tmp_path)
    (tmp_path / "threshold.h").write_text("#define HIL_ANOMALY_THRESHOLD 4242u\n", encoding="ascii")
    assert build(model=tmp_path / MODEL_FILE.name, build_dir=tmp_path / "build").read_bytes() != reference


def test_every_mutant_builds_and_differs() -> None:
    images = {name: build(mutant=name).read_bytes() for name in mutant_names()}
    assert set(images) == {
        *("lpr_set", "dbgmcu_left_set", "no_sleep", "low_clock", "wrong_period"),
        *("counter_lost", "one_copy", "silent", "wrong_seq", "slow_inference", "marker_stuck"),
        *("costly_plan", "wrong_mode", "lazy_console", "lenient_console", "wrong_reference"),
        "ballast",
    }
    assert len({build().read_bytes(), *images.values()}) == len(images) + 1


def test_unknown_mutant_names_the_known_ones() -> None:
    with pytest.raises(FirmwareBuildError, match=r"no mutant 'lazy'; expected one of .*no_sleep"):
        build(mutant="lazy")


def test_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(FirmwareBuildError, match=r"no file .*gone\.tflite"):
        build(model=tmp_path / "gone.tflite")


def test_model_without_room_in_the_arena_is_refused(
    tmp_path: Path, edited_firmware: Callable[[str, str, str], Path]
) -> None:
    small = edited_firmware("config.h", "NETWORK_ARENA_BYTES 8192u", "NETWORK_ARENA_BYTES 100u")
    with pytest.raises(FirmwareBuildError, match=r"needs 104 bytes of arena, NETWORK_ARENA_BYTES grants 100"):
        build(firmware_dir=small, build_dir=tmp_path / "build")


@pytest.mark.parametrize(
    ("inputs", "outputs", "complaint"),
    [
        (640, 32, "has 640 inputs; this firmware computes 32 features"),
        (32, 4, "has 4 outputs; this firmware"),
    ],
)
def test_a_network_of_another_length_is_refused(
    tmp_path: Path, inputs: int, outputs: int, complaint: str
) -> None:
    layer = read_model(MODEL_FILE.read_bytes()).layers[0]
    layer = replace(
        layer,
        weights=np.ones((outputs, inputs), dtype=np.int8),
        bias=np.zeros(outputs, dtype=np.int32),
        weight_scales=np.full(1, 0.01, dtype=np.float32),
    )
    model = tmp_path / "long.tflite"
    model.write_bytes(write_model(Model((layer,))))
    with pytest.raises(FirmwareBuildError, match=complaint) as caught:
        build(model=model, build_dir=tmp_path / "build")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "build").exists()


def _of_relus(size: int, count: int = 1, *, from_float: bool = False) -> Model:
    """A chain of RELUs, which asks for nothing but what a case is about."""
    quantisation = Quantisation(0.1, 0)
    relu = Elementwise(ElementwiseKind.RELU, size, quantisation, quantisation)
    first = (Elementwise(ElementwiseKind.QUANTIZE, size, None, quantisation),) if from_float else ()
    return Model((*first, *(relu,) * count))


UNFIT = {
    "float32": (write_model(_of_relus(32, from_float=True)), "its input is FLOAT32", "quantise input and"),
    "deep": (write_model(_of_relus(32, 17)), "has 17 layers, NETWORK_MAX_LAYERS grants 16", "raise it in"),
    "big": (MODEL_FILE.read_bytes() + bytes(1 << 20), "takes 1050768 bytes of flash", "a smaller network"),
    "cut": (MODEL_FILE.read_bytes()[:400], "damaged or cut off at 400 bytes", "an intact file"),
    "foreign": (b"not a network", "not a .tflite file", "identifier TFL3"),
}


@pytest.mark.parametrize("case", UNFIT)
def test_a_network_that_does_not_fit_is_refused_in_one_line(tmp_path: Path, case: str) -> None:
    content, complaint, advice = UNFIT[case]
    model = tmp_path / "unfit.tflite"
    model.write_bytes(content)
    with pytest.raises((FirmwareBuildError, ModelError)) as caught:
        build(model=model, build_dir=tmp_path / "build")
    line = str(caught.value)
    assert "\n" not in line
    assert str(model) in line
    assert complaint in line
    assert advice in line
    assert not (tmp_path / "build").exists()


@pytest.mark.parametrize(("engine", "room"), [("builtin", 1015808), ("tflm", 851968)])
def test_an_engine_leaves_a_network_what_its_own_budget_leaves(
    tmp_path: Path, engine: str, room: int
) -> None:
    """1 MB, less the 32 KB or 192 KB that the link script grants the firmware with that engine."""
    model = tmp_path / "wide.tflite"
    for beyond in (0, 1):
        model.write_bytes(MODEL_FILE.read_bytes().ljust(room + beyond, b"\0"))
        with pytest.raises(FirmwareBuildError, match=f"room for {room}") if beyond else nullcontext():
            check_fit(model, FIRMWARE_DIR, engine, "adc")


def test_cmake_refuses_it_too(tmp_path: Path) -> None:
    content, complaint, _ = UNFIT["float32"]
    model = tmp_path / "unfit.tflite"
    model.write_bytes(content)
    command = [tool("cmake"), "-G", "Ninja", "-S", str(FIRMWARE_DIR), "-B", str(tmp_path / "build")]
    command += [f"-DHIL_MODEL={model}", f"-DHIL_PYTHON={sys.executable}"]
    command += [f"-DCMAKE_TOOLCHAIN_FILE={FIRMWARE_DIR / 'cmake' / 'zig.cmake'}"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode != 0
    assert complaint in next(line for line in found.stderr.splitlines() if str(model) in line)
    assert "HIL_MODEL does not fit" in found.stderr


def test_compiler_error_is_passed_on(
    tmp_path: Path, edited_firmware: Callable[[str, str, str], Path]
) -> None:
    edited = edited_firmware("src/main.c", "int main(void)", "int main(woid)")
    with pytest.raises(FirmwareBuildError, match=r"(?s)compile: .*main\.c:\d+.*woid"):
        build(firmware_dir=edited, build_dir=tmp_path / "build")
    assert not (tmp_path / "build" / "firmware.elf").exists()


def test_warnings_are_errors(tmp_path: Path, edited_firmware: Callable[[str, str, str], Path]) -> None:
    edited = edited_firmware("src/main.c", "int main(void)\n{", "int main(void)\n{\n    int unused;")
    with pytest.raises(FirmwareBuildError, match="unused-variable"):
        build(firmware_dir=edited, build_dir=tmp_path / "build")


def test_absent_gcc_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    with pytest.raises(
        FirmwareBuildError, match=r"arm-none-eabi-gcc is not on the search path.*Debian: gcc-arm"
    ):
        build(toolchain="gcc", build_dir=tmp_path)
