# SPDX-License-Identifier: Apache-2.0
"""Builds the reference firmware with CMake and Ninja, from the environment's own pinned packages.

The image depends on the sources, the model, the options and the compiler's version, and on nothing else: not
on where the checkout is, when it is built or what the caller's environment says. A build whose inputs have
not changed since the last one is not run again.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import re
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hil import boards
from hil.boards import REFERENCE, Board
from hil.errors import FirmwareBuildError
from hil.firmware.fit import check_fit
from hil.firmware.tflm import Checkout, Library, inspect
from hil.firmware.tools import environment, run, tool
from hil.places import build_folder, put_in_place, shipped

Toolchain = Literal["zig", "gcc"]
Engine = Literal["builtin", "tflm"]
Sensor = Literal["adc", "lsm6dsl", "none"]

FIRMWARE_DIR = shipped("firmware")
MODEL_FILE = FIRMWARE_DIR / "model" / "anomaly.tflite"

_ELF_NAME = "firmware.elf"
_STAMP_NAME = "inputs.sha256"


@dataclass(frozen=True)
class _Tflm:
    checkout: Checkout
    library: Library


@dataclass(frozen=True)
class _Choices:
    toolchain: Toolchain
    model_file: Path
    mutant: str | None
    engine: Engine
    tflm: _Tflm | None
    sensor: Sensor
    board: str
    svd: str


def mutant_names(firmware_dir: Path = FIRMWARE_DIR) -> tuple[str, ...]:
    """Names of the planted faults that `build(mutant=...)` knows, as `src/mutant.h` defines them.

    Raises:
        FirmwareBuildError: there are no firmware sources.
    """
    header = firmware_dir / "src" / "mutant.h"
    _require(header)
    conditions = re.findall(
        r"^#(?:ifdef |elif defined\()MUTANT_([A-Z_]+)", header.read_text(encoding="ascii"), re.M
    )
    return tuple(name.lower() for name in conditions)


def board_names(firmware_dir: Path = FIRMWARE_DIR) -> tuple[str, ...]:
    """The boards that the firmware can be built for: the headers of its folder ``boards``."""
    return tuple(sorted(path.stem for path in (firmware_dir / "boards").glob("*.h")))


def build(
    toolchain: Toolchain = "zig",
    model: Path | None = None,
    mutant: str | None = None,
    build_dir: Path | None = None,
    firmware_dir: Path = FIRMWARE_DIR,
    engine: Engine = "builtin",
    tflm_dir: Path | None = None,
    tflm_kernels: str | None = None,
    sensor: Sensor = "adc",
    board: str = REFERENCE,
    svd: str | None = None,
) -> Path:
    """Build the firmware, or find it up to date.

    Args:
        toolchain: "zig" (the clang of the pinned `ziglang` package) or "gcc" (arm-none-eabi-gcc on the path).
        model: the .tflite file to link, default `firmware/model/anomaly.tflite`. A `threshold.h` beside it is
            used instead of the firmware's own.
        mutant: name of a planted fault (`firmware/src/mutant.h`), for tests that must notice it.
        build_dir: default `build/firmware/<toolchain>[-<board>][-<mutant>][-<model's hash>]` in the project.
        firmware_dir: the firmware's sources.
        engine: "builtin", the interpreter of `firmware/engine`, or "tflm", the user's TensorFlow Lite Micro
            library, which needs the toolchain "gcc".
        tflm_dir: where that library and its headers are, as `hil.firmware.tflm` finds them.
        tflm_kernels: "reference" or "cmsis_nn", where the folder has a library of both.
        sensor: "adc" (an analog sensor), "lsm6dsl" (an accelerometer on I2C), or "none": the network's input
            is a tensor of any length that comes through the mailbox.
        board: name of the header in `firmware/boards` that says which pins are in use.
        svd: pyOCD's register description of the part, default that of the board of hil-rig with this header.

    Returns:
        The path of the ELF image.

    Raises:
        ModelError: the model's file is no network that the engine runs.
        FirmwareBuildError: the network does not fit, or a tool or source is missing or reported an error; the
            message then holds its own words.
    """
    model_file = (MODEL_FILE if model is None else model).resolve()
    _require(firmware_dir / "CMakeLists.txt")
    _require(model_file, hint="name a .tflite file")
    if mutant is not None and mutant not in mutant_names(firmware_dir):
        raise FirmwareBuildError(
            f"no mutant {mutant!r}",
            where="firmware",
            operation="build",
            expected=f"one of {', '.join(mutant_names(firmware_dir))}",
        )
    if board not in board_names(firmware_dir):
        raise FirmwareBuildError(
            f"the firmware knows no board {board!r}",
            where="firmware",
            operation="build",
            expected=f"one of {', '.join(board_names(firmware_dir))}",
        )
    tflm = _find_tflm(toolchain, tflm_dir, tflm_kernels) if engine == "tflm" else None
    choices = _Choices(toolchain, model_file, mutant, engine, tflm, sensor, board, svd or _svd(board))
    check_fit(model_file, firmware_dir, engine, sensor)
    if build_dir is None:
        build_dir = _default_build_dir(choices, model_is_default=model is None)
    inputs = _hash_inputs(choices, firmware_dir)
    elf = build_dir / _ELF_NAME
    stamp = build_dir / _STAMP_NAME
    if elf.is_file() and stamp.is_file() and stamp.read_text(encoding="ascii") == inputs:
        return elf

    # From nothing every time, beside the result: it takes a second, no file of an older compiler or option
    # can survive, and two processes that build the same image do not meet.
    build_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="work-", dir=build_dir) as work:
        work_dir = Path(work)
        variables = environment(work_dir)
        run(
            "configure",
            _configure_command(choices, firmware_dir, work_dir),
            variables,
        )
        run("compile", [tool("ninja"), "-C", str(work_dir)], variables)
        stamp.unlink(missing_ok=True)
        put_in_place(work_dir / _ELF_NAME, elf)
        stamp.write_text(inputs, encoding="ascii")
    return elf


def _find_tflm(toolchain: Toolchain, folder: Path | None, kernels: str | None) -> _Tflm:
    if toolchain != "gcc":
        raise FirmwareBuildError(
            f"engine 'tflm' cannot be built with toolchain {toolchain!r}",
            where="firmware",
            operation="build",
            expected="toolchain 'gcc': the library is linked with its C++ run-time",
        )
    if folder is None:
        raise FirmwareBuildError(
            "engine 'tflm' needs a TensorFlow Lite Micro library",
            where="firmware",
            operation="build",
            hint="--tflm-dir DIR; `hil firmware tflm check DIR` says what is missing there",
        )
    checkout = inspect(folder.resolve())
    return _Tflm(checkout, checkout.library(kernels))


def _require(path: Path, hint: str = "build from a full checkout") -> None:
    if not path.is_file():
        raise FirmwareBuildError(f"there is no file {path}", where="firmware", operation="build", hint=hint)


def _default_build_dir(choices: _Choices, *, model_is_default: bool) -> Path:
    name: str = choices.toolchain
    if choices.board != REFERENCE:
        name += f"-{choices.board}"
    if choices.tflm is not None:
        name += f"-{choices.engine}-{choices.tflm.library.kernels}"
    if choices.mutant is not None:
        name += f"-{choices.mutant}"
    if choices.sensor != "adc":
        name += f"-{choices.sensor}"
    if not model_is_default:
        name += f"-{hashlib.sha256(choices.model_file.read_bytes()).hexdigest()[:12]}"
    return build_folder() / "firmware" / name


def _configure_command(choices: _Choices, firmware_dir: Path, work_dir: Path) -> list[str]:
    toolchain = choices.toolchain
    if toolchain == "gcc" and shutil.which("arm-none-eabi-gcc") is None:
        raise FirmwareBuildError(
            "arm-none-eabi-gcc is not on the search path",
            where="firmware",
            operation="configure",
            hint="install the GNU Arm toolchain (Debian: gcc-arm-none-eabi), or use toolchain 'zig'",
        )
    if toolchain == "zig" and importlib.util.find_spec("ziglang") is None:
        raise FirmwareBuildError(
            "the ziglang package is not installed",
            where="firmware",
            operation="configure",
            hint="pip install 'hil-rig[firmware]'",
        )
    return [
        tool("cmake"),
        *("-G", "Ninja", "-S", str(firmware_dir), "-B", str(work_dir)),
        f"-DCMAKE_TOOLCHAIN_FILE={(firmware_dir / 'cmake' / f'{toolchain}.cmake').as_posix()}",
        f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}",
        f"-DHIL_PYTHON={Path(sys.executable).as_posix()}",
        f"-DHIL_SVD={choices.svd}",
        f"-DHIL_MODEL={choices.model_file.as_posix()}",
        f"-DENGINE={choices.engine}",
        *_tflm_options(choices.tflm),
        f"-DSENSOR={choices.sensor}",
        f"-DBOARD={choices.board}",
        f"-DMUTANT={choices.mutant or ''}",
    ]


def _tflm_options(tflm: _Tflm | None) -> list[str]:
    if tflm is None:
        return []
    folders = ";".join(folder.as_posix() for folder in tflm.checkout.include_folders)
    return [f"-DTFLM_LIBRARY={tflm.library.path.as_posix()}", f"-DTFLM_INCLUDE={folders}"]


def _hash_inputs(choices: _Choices, firmware_dir: Path) -> str:
    digest = hashlib.sha256()
    for name, content in _inputs(choices, firmware_dir):
        data = content.encode() if isinstance(content, str) else content
        digest.update(f"{name}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()


def _inputs(choices: _Choices, firmware_dir: Path) -> Iterator[tuple[str, str | bytes]]:
    yield "toolchain", choices.toolchain
    yield "compiler", _compiler_identity(choices.toolchain)
    yield "engine", choices.engine
    if choices.tflm is not None:
        yield from _tflm_inputs(choices.tflm)
    yield "registers", _register_description(choices.svd)
    yield "sensor", choices.sensor
    yield "board", choices.board
    yield "mutant", choices.mutant or ""
    yield "model", choices.model_file.read_bytes()
    threshold = choices.model_file.with_name("threshold.h")
    yield "threshold", threshold.read_bytes() if threshold.is_file() else b""
    for path in sorted(firmware_dir.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(firmware_dir).as_posix(), path.read_bytes()


def _tflm_inputs(tflm: _Tflm) -> Iterator[tuple[str, str]]:
    """Thousands of files: told apart by what a change of theirs changes."""
    paths = {tflm.library.path}
    for folder in tflm.checkout.include_folders:
        for top in ("tensorflow", "signal", "flatbuffers", "fixedpoint", "ruy"):
            paths.update((folder / top).rglob("*.h"))
    for path in sorted(paths):
        status = path.stat()
        yield str(path), f"{status.st_size} {status.st_mtime_ns}"


def _svd(firmware_board: str) -> str:
    """PyOCD's register description of the part under a header of firmware/boards."""
    known = [Board.load(name) for name in boards.names()]
    for board in known:
        if board.firmware == firmware_board:
            return board.part.svd
    raise FirmwareBuildError(
        f"no board of hil-rig has the header {firmware_board}.h, so that the part's registers are not known",
        where="firmware",
        operation="build",
        expected=f"one of {', '.join(board.firmware for board in known)}",
        hint=f"use a rig file whose board says firmware = {firmware_board!r}: a run on it builds the image",
    )


def _register_description(svd: str) -> str:
    """What tells one register description from another: `tools/registers.py` reads pyOCD's SVD file."""
    pyocd = importlib.util.find_spec("pyocd")
    if pyocd is None or not pyocd.submodule_search_locations:
        return ""
    archive = Path(pyocd.submodule_search_locations[0], "debug", "svd", "svd_data.zip")
    try:
        with zipfile.ZipFile(archive) as files:
            return f"{files.getinfo(svd).CRC:08x}"
    except (OSError, KeyError):
        return ""  # the tool will say what is wrong


def _compiler_identity(toolchain: Toolchain) -> str:
    """What tells one compiler from another without starting it."""
    if toolchain == "zig":
        return (
            importlib.metadata.version("ziglang") if importlib.util.find_spec("ziglang") is not None else ""
        )
    path = shutil.which("arm-none-eabi-gcc")
    if path is None:
        return ""
    status = Path(path).resolve().stat()
    return f"{Path(path).resolve()} {status.st_size} {status.st_mtime_ns}"
