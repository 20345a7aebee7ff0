# SPDX-License-Identifier: Apache-2.0
"""Builds an application in the manner of an STM32 HAL project that added the mailbox to its network."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hil.firmware.build import FIRMWARE_DIR, MODEL_FILE
from hil.firmware.mailbox import copy_mailbox
from hil.firmware.tools import tool
from hil.golden.reference import activation_range, multipliers
from hil.golden.tflite_model import FullyConnected, read_model_file

PROJECT = Path(__file__).with_name("hal_project")
MODEL = MODEL_FILE
"""The network that weights.h holds."""


def build_hal_project(folder: Path, toolchain: str) -> Path:
    """Build it with "gcc" or "zig" below ``folder``; the ELF."""
    copy_mailbox(folder / "mailbox")
    (folder / "weights.h").write_text("\n".join(_weights(MODEL)), encoding="ascii")
    build = folder / "build"
    variables = os.environ | {"ZIG_GLOBAL_CACHE_DIR": str(build), "ZIG_LOCAL_CACHE_DIR": str(build)}
    configure = [
        *(tool("cmake"), "-G", "Ninja", "-S", str(PROJECT), "-B", str(build)),
        f"-DCMAKE_TOOLCHAIN_FILE={FIRMWARE_DIR / 'cmake' / f'{toolchain}.cmake'}",
        f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}",
        f"-DHIL_PYTHON={sys.executable}",
        f"-DMAILBOX_DIR={folder / 'mailbox'}",
        f"-DWEIGHTS_DIR={folder}",
    ]
    for command in (configure, [tool("ninja"), "-C", str(build)]):
        done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return build / "hal_project.elf"


def _weights(model_file: Path) -> Iterator[str]:
    """The network's layers as C."""
    layers = read_model_file(model_file).operators
    for number, layer in enumerate(layers):
        assert isinstance(layer, FullyConnected)
        factors = multipliers(layer.input, layer.weight_scales, layer.output, layer.output_size)
        yield _array("int8_t", f"weights_{number}", layer.weights.ravel())
        yield _array("int32_t", f"biases_{number}", layer.bias)
        yield _array("int32_t", f"mantissas_{number}", np.array([mantissa for mantissa, _ in factors]))
        yield _array("int8_t", f"shifts_{number}", np.array([shift for _, shift in factors]))
    yield "static const layer_t layers[] = {"
    for number, layer in enumerate(layers):
        assert isinstance(layer, FullyConnected)
        low, high = activation_range(layer.activation, layer.output)
        arrays = f"weights_{number}, biases_{number}, mantissas_{number}, shifts_{number}"
        sizes = f"{layer.input_size}u, {layer.output_size}u"
        zeros = f"{layer.input_zero_point}, {layer.output_zero_point}"
        yield f"    {{{arrays}, {sizes}, {zeros}, {low}, {high}}},"
    yield "};"
    yield f"#define LAYER_COUNT {len(layers)}u"
    yield ""


def _array(kind: str, name: str, values: np.ndarray) -> str:
    return f"static const {kind} {name}[] = {{{', '.join(str(int(value)) for value in values)}}};"
