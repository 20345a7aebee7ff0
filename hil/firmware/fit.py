# SPDX-License-Identifier: Apache-2.0
"""Whether a network fits the firmware that is to be built around it: asked before anything is compiled.

`hil firmware build` asks it first, and CMake asks it too, through firmware/tools/model.py. Each refusal is
one line.
"""

from __future__ import annotations

import re
from pathlib import Path

from hil.errors import FirmwareBuildError, ModelError
from hil.firmware.arena import granted_bytes, needed_bytes
from hil.golden.features import BAND_COUNT
from hil.golden.tflite_model import Model, is_compute, read_model
from hil.golden.tflite_tensors import read_interface

_ENGINE = r'(?:if|elseif)\(ENGINE STREQUAL "{}"\)'
_BUDGET = r"(?:(?!ENGINE STREQUAL).)*?set\({}_budget_bytes (\d+)\)"
"""What the firmware takes with an engine and without the model, at most: firmware/CMakeLists.txt grants it,
and firmware/stm32l476rg.ld asserts it."""
_FLASH = re.compile(r"FLASH \(rx\)\s*: ORIGIN = 0x[0-9A-Fa-f]+, LENGTH = (\d+)K")
_STACK = re.compile(r"stack_size_min = (\d+)K")
_RAM = re.compile(r"SRAM1 \(rwx\)\s*: ORIGIN = 0x[0-9A-Fa-f]+, LENGTH = (\d+)K")
_MAX_LAYERS = re.compile(r"^#define NETWORK_MAX_LAYERS (\d+)u$", re.MULTILINE)


def check_fit(model_file: Path, firmware_dir: Path, engine: str, sensor: str) -> Model | None:
    """Refuse a network that the firmware cannot run, cannot feed, or has no room for.

    Args:
        model_file: the .tflite file.
        firmware_dir: the firmware's sources, which say how much room there is.
        engine: "builtin", whose operators and memory are known, or "tflm", whose library decides about both.
        sensor: "none" for a firmware that takes tensors of the network's length; any other computes features.

    Returns:
        The network; None for "tflm" if the engine of ours would not run it.

    Raises:
        ModelError: the file is no network that the engine runs. The message names the operator.
        FirmwareBuildError: it is one, and does not fit.
    """
    content = _content(model_file)
    try:
        model = read_model(content) if engine == "builtin" else _read_if_known(content)
        _check_ends(content, model_file, sensor)
    except ModelError as error:
        error.where = str(model_file)
        raise
    _check_flash(content, model_file, firmware_dir, engine)
    if model is not None and engine == "builtin":
        _check_layers(model, model_file, firmware_dir)
        if sensor == "none":
            _check_ram(model, model_file, firmware_dir)
        else:
            _check_arena(model, model_file, firmware_dir)
    if engine != "builtin" and sensor == "none":
        raise _refusal("a firmware without a sensor has the engine of this project", "engine builtin")
    return model


def _read_if_known(content: bytes) -> Model | None:
    try:
        return read_model(content)
    except ModelError:
        return None  # another engine may run what ours does not


def _content(model_file: Path) -> bytes:
    try:
        return model_file.read_bytes()
    except OSError as error:
        raise ModelError(
            f"cannot be read: {error.strerror or error}", where=str(model_file), operation="read"
        ) from error


def _check_ends(content: bytes, model_file: Path, sensor: str) -> None:
    """With a sensor the firmware feeds int8 features, and compares as many int8 outputs with them."""
    for end in read_interface(content):
        if end.type_name != "INT8":
            raise _refusal(
                f"{model_file}: its {end.name} is {end.type_name}",
                "INT8",
                "quantise input and output to int8",
            )
        if end.size != BAND_COUNT and sensor != "none":
            raise _refusal(
                f"{model_file} has {end.size} {end.name}s; this firmware computes {BAND_COUNT} features "
                "and compares as many outputs with them",
                f"a network from {BAND_COUNT} values to {BAND_COUNT}",
                "a firmware that takes tensors instead is built with --sensor none",
            )


def _budget_bytes(memory: str, engine: str, firmware_dir: Path) -> int:
    """What firmware/CMakeLists.txt grants the firmware with this engine of "flash" or "ram"."""
    pattern = re.compile(_ENGINE.format(engine) + _BUDGET.format(memory), re.DOTALL)
    return _number(pattern, firmware_dir / "CMakeLists.txt", f"set({memory}_budget_bytes …) for {engine}")


def _check_flash(content: bytes, model_file: Path, firmware_dir: Path, engine: str) -> None:
    script = firmware_dir / "stm32l476rg.ld"
    room = _number(_FLASH, script, "FLASH (rx) : ORIGIN = …, LENGTH = …K") * 1024
    room -= _budget_bytes("flash", engine, firmware_dir)
    if len(content) > room:
        raise _refusal(
            f"{model_file} takes {len(content)} bytes of flash; beside the firmware there is room for {room}",
            "a smaller network",
        )


def _check_layers(model: Model, model_file: Path, firmware_dir: Path) -> None:
    header = firmware_dir / "config.h"
    granted = _number(_MAX_LAYERS, header, "#define NETWORK_MAX_LAYERS <n>u")
    layers = sum(is_compute(operator) for operator in model.operators)
    if layers > granted:
        raise _refusal(
            f"{model_file} has {layers} layers, NETWORK_MAX_LAYERS grants {granted}",
            hint=f"raise it in {header}",
        )


def _check_arena(model: Model, model_file: Path, firmware_dir: Path) -> None:
    needed = needed_bytes(model)
    header = firmware_dir / "config.h"
    granted = granted_bytes(header)
    if needed > granted:
        raise _refusal(
            f"{model_file} needs {needed} bytes of arena, NETWORK_ARENA_BYTES grants {granted}",
            hint=f"raise it in {header}",
        )


def _check_ram(model: Model, model_file: Path, firmware_dir: Path) -> None:
    script = firmware_dir / "stm32l476rg.ld"
    room = _number(_RAM, script, "SRAM1 (rwx) : ORIGIN = …, LENGTH = …K") * 1024
    room -= _number(_STACK, script, "stack_size_min = …K") * 1024
    room -= _budget_bytes("ram", "builtin", firmware_dir)
    needed = needed_bytes(model) + model.input_size + model.output_size
    if needed > room:
        raise _refusal(
            f"{model_file} needs {needed} bytes of RAM for arena and tensors; "
            f"beside the firmware there is room for {room}",
            "a smaller network",
        )


def _number(pattern: re.Pattern[str], file: Path, wanted: str) -> int:
    found = pattern.search(file.read_text(encoding="utf-8")) if file.is_file() else None
    if found is None:
        raise _refusal(f"{file} does not say what room there is", f"a line `{wanted}`")
    return int(found.group(1))


def _refusal(message: str, expected: str = "", hint: str = "") -> FirmwareBuildError:
    return FirmwareBuildError(message, where="firmware", operation="build", expected=expected, hint=hint)
