# SPDX-License-Identifier: Apache-2.0
"""How the PowerShield writes numbers, and reads them (UM2269 Rev 6, 4.3.1 and 4.4)."""

from __future__ import annotations

import math
import re

import numpy as np
from numpy.typing import NDArray

MANTISSA_MAX = 4095
POWER_MAX = 14
"""Of 16, negative; 15 is reserved for metadata."""

_NUMBER = re.compile(r"(\d{1,9}(?:\.\d{1,9})?) ?(?:([umkM])|([+-]\d{1,2}))?")
_UNITS = {None: 1.0, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6}


def number(text: str) -> float | None:
    """An argument: "3300m", "3300-3", "1k", "100"; None if it is none."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    value = float(match[1])
    return value * 10.0 ** int(match[3]) if match[3] else value * _UNITS[match[2]]


def binary(currents_a: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Samples as words: 4 bits of negative power of 16 and 12 bits of value. Nothing is below zero."""
    positive = np.clip(currents_a, 0.0, MANTISSA_MAX)
    with np.errstate(divide="ignore"):
        fits = np.floor(np.log(MANTISSA_MAX / positive) / math.log(16))
    powers = np.clip(fits, 0, POWER_MAX).astype(np.int64)
    values = np.rint(positive * 16.0**powers).astype(np.int64)
    return (powers << 12 | np.minimum(values, MANTISSA_MAX)).astype(np.uint16)


def decimal(current_a: float) -> str:
    """A sample as text: four digits, the sign and two digits of a power of ten."""
    if current_a <= 0:
        return "0000-10"
    power = math.floor(math.log10(current_a)) - 3
    digits = round(current_a * 10.0**-power)
    if digits > 9999:
        digits, power = digits // 10, power + 1
    return f"{digits:04d}{'-' if power < 0 else '+'}{abs(power):02d}"


def frame(tag: int, content: bytes = b"") -> bytes:
    """A piece of metadata in the binary stream."""
    return bytes((0xF0, tag)) + content + b"\xff\xff"
