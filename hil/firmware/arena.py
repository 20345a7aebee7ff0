# SPDX-License-Identifier: Apache-2.0
"""RAM that the firmware's interpreter needs for a network, as firmware/engine/network_load.c counts it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from hil.errors import FirmwareBuildError
from hil.golden.spatial import Convolution
from hil.golden.tflite_model import Elementwise, FullyConnected, Model, is_compute

_FACTOR_BYTES = 8
_TABLE_BYTES = 256
_DEFINITION = re.compile(r"^#define NETWORK_ARENA_BYTES (\d+)u$", re.MULTILINE)


def needed_bytes(model: Model) -> int:
    """Bytes of arena: the layers' factors and tables, scratch memory, buffers for what lies between them."""
    constants = scratch = activation = 0
    layers = [operator for operator in model.operators if is_compute(operator)]
    for operator in layers:
        if isinstance(operator, FullyConnected | Convolution):
            constants += _FACTOR_BYTES * operator.weight_scales.size
            scratch = max(scratch, _scratch_bytes(operator))
        elif isinstance(operator, Elementwise) and operator.input is not None and operator.output is not None:
            constants += _TABLE_BYTES
    for operator in layers[:-1]:
        activation = max(activation, operator.output_size * (4 if operator.output is None else 1))
    return constants + scratch + _buffers(model) * _words(activation)


def granted_bytes(config_header: Path) -> int:
    """NETWORK_ARENA_BYTES of firmware/config.h.

    Raises:
        FirmwareBuildError: the header is missing or does not define it.
    """
    found = _DEFINITION.search(config_header.read_text(encoding="utf-8")) if config_header.is_file() else None
    if found is None:
        raise FirmwareBuildError(
            f"no NETWORK_ARENA_BYTES in {config_header}",
            where="firmware",
            operation="read",
            expected="a line `#define NETWORK_ARENA_BYTES <n>u`",
        )
    return int(found.group(1))


def _scratch_bytes(operator: FullyConnected | Convolution) -> int:
    """The widened input; of CONV_2D what the kernel sees at one place, and that widened."""
    if isinstance(operator, FullyConnected):
        return _words(2 * operator.input_size)
    if operator.depthwise:
        return 0
    seen = int(np.prod(operator.window.kernel)) * operator.window.channels
    return _words(2 * seen) + (0 if operator.window.kernel == (1, 1) else _words(seen))


def _buffers(model: Model) -> int:
    """How many values lie in the arena at once: each takes the first buffer that holds nothing still read."""
    values = [0]  # by the tensors of Model.sources: 0 is the input, n what layer n - 1 gives
    reads: list[list[int]] = []
    for position, operator in enumerate(model.operators):
        sources = [values[number] for number in model.reads(position)]
        if is_compute(operator):
            reads.append(sources)
        values.append(len(reads) if is_compute(operator) else sources[0])
    last_reader = {layer + 1: layer for layer in range(len(reads))}
    for layer, sources in enumerate(reads):
        last_reader.update(dict.fromkeys(sources, layer))
    buffers: list[int] = []
    for layer in range(len(reads) - 1):
        busy = {buffers[before] for before in range(layer) if last_reader[before + 1] >= layer}
        buffers.append(next(number for number in range(len(reads)) if number not in busy))
    return max(buffers, default=-1) + 1


def _words(size: int) -> int:
    return (size + 3) & ~3
