# SPDX-License-Identifier: Apache-2.0
"""Values of a rig file's tables, as the virtual bench reads them: quantities, switches and choices."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping
from typing import Any

import pint

from hil.twin.errors import BenchConfigError

_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(\S.*)")
_UNIT = re.compile(r"[A-Za-zµμ°Ω]+(?:(?:\s*[*/]\s*|\s+)[A-Za-zµμ°Ω]+)*|%")
"""pint evaluates expressions; words, "*" and "/" are all that a unit needs."""


def quantity(table: Mapping[str, Any], key: str, unit: str, default: str, where: str) -> float:
    """The quantity ``table[key]`` in ``unit``, or the default one.

    Raises:
        BenchConfigError: it is no number with a unit of that dimension. The message begins with ``where``.
    """
    text = table.get(key, default)
    match = _QUANTITY.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None or _UNIT.fullmatch(match[2]) is None:
        raise BenchConfigError(
            f'{where} {key}: expected a number with a unit such as "{default}", not {text!r}'
        )
    try:
        value = float(_units().Quantity(float(match[1]), _units().Unit(match[2])).to(unit).magnitude)
    except (pint.PintError, ValueError) as error:
        raise BenchConfigError(f'{where} {key}: {error}; expected a value such as "{default}"') from error
    if not math.isfinite(value):
        raise BenchConfigError(f'{where} {key}: {text!r} is too large; expected a value such as "{default}"')
    return float(f"{value:.15g}")


def switch(table: Mapping[str, Any], key: str, default: bool, where: str) -> bool:
    """The truth value ``table[key]``. Raises BenchConfigError for anything but true and false."""
    value = table.get(key, default)
    if type(value) is not bool:
        raise BenchConfigError(f"{where} {key}: expected true or false, not {value!r}")
    return value


def choice(table: Mapping[str, Any], key: str, choices: tuple[str, ...], where: str) -> str:
    """The word ``table[key]``, the first of ``choices`` without one. Raises BenchConfigError for another."""
    value = table.get(key, choices[0])
    if value not in choices:
        words = ", ".join(f'"{word}"' for word in choices)
        raise BenchConfigError(f"{where} {key}: expected one of {words}, not {value!r}")
    return str(value)


@functools.cache
def _units() -> pint.UnitRegistry[Any]:
    registry: pint.UnitRegistry[Any] = pint.UnitRegistry()
    registry.define("LSB = [converter_step]")
    return registry
