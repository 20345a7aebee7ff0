# SPDX-License-Identifier: Apache-2.0
"""RAM that the firmware's interpreter needs for a network, as firmware/engine/network_load.c counts it."""

from __future__ import annotations

import re
from pathlib import Path

from hil.errors import FirmwareBuildError
from hil.golden.tflite_model import Elementwise, ElementwiseKind, FullyConnected, Model

_FACTOR_BYTES = 8
_TABLE_BYTES = 256
_DEFINITION = re.compile(r"^#define NETWORK_ARENA_BYTES (\d+)u$", re.MULTILINE)


def needed_bytes(model: Model) -> int:
    """Bytes of arena: factors of the layers, tables, the widened input, and two activations."""
    constants = scratch = activation = 0
    for position, operator in enumerate(model.operators):
        if isinstance(operator, FullyConnected):
            constants += _FACTOR_BYTES * operator.weight_scales.size
            scratch = max(scratch, _words(2 * operator.input_size))
        elif _is_table(operator):
            constants += _TABLE_BYTES
        following = model.operators[position + 1 :]
        if not _is_reshape(operator) and not all(map(_is_reshape, following)):
            activation = max(activation, operator.output_size * (4 if operator.output is None else 1))
    return constants + scratch + 2 * _words(activation)


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


def _is_reshape(operator: object) -> bool:
    return isinstance(operator, Elementwise) and operator.kind is ElementwiseKind.RESHAPE


def _is_table(operator: Elementwise) -> bool:
    return not _is_reshape(operator) and operator.input is not None and operator.output is not None


def _words(size: int) -> int:
    return (size + 3) & ~3
