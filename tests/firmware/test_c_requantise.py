# SPDX-License-Identifier: Apache-2.0
"""firmware/src/requantise.c: its integer arithmetic against the double arithmetic it replaces."""

from __future__ import annotations

import ctypes
import struct

import numpy as np
import pytest

from hil.golden.reference import quantize_multiplier

ONE = 0x3F800000
"""1.0 as float32 bits."""


def prepare(library: ctypes.CDLL, *scale_bits: int) -> tuple[int, int] | None:
    """(multiplier, shift) of input * weight / output scale, None if refused."""
    function = ctypes.CFUNCTYPE(
        ctypes.c_bool, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint32
    )(("requantise_prepare", library))
    factor = (ctypes.c_int32 * 2)()
    return (factor[0], factor[1]) if function(factor, *scale_bits) else None


def value(bits: int) -> float:
    """The float32 of these bits."""
    return float(struct.unpack("<f", struct.pack("<I", bits))[0])


def expected(*scale_bits: int) -> tuple[int, int]:
    """The same from this computer's doubles."""
    input_scale, weight_scale, output_scale = map(value, scale_bits)
    return quantize_multiplier(input_scale * weight_scale / output_scale)


def test_multipliers_equal_double_arithmetic(pure_firmware: ctypes.CDLL) -> None:
    rng = np.random.default_rng(3)
    exponents = rng.integers(127 - 12, 127 + 6, (20_000, 3))
    mantissas = rng.integers(0, 1 << 23, (20_000, 3))
    for scales in (exponents << 23 | mantissas).tolist():
        assert prepare(pure_firmware, *scales) == expected(*scales), [hex(bits) for bits in scales]


def test_ratios_on_rounding_boundaries(pure_firmware: ctypes.CDLL) -> None:
    """Powers of two, all-ones mantissas and quotients one unit from 1, where carries happen."""
    edges = [ONE, ONE + 1, ONE - 1, 0x3F7FFFFF, 0x3FFFFFFF, 0x3F000000, 0x3F800003, 0x3FAAAAAB]
    for scales in ((a, b, c) for a in edges for b in edges for c in edges):
        assert prepare(pure_firmware, *scales) == expected(*scales), [hex(bits) for bits in scales]


def test_tiny_factor_vanishes(pure_firmware: ctypes.CDLL) -> None:
    tiny = (127 - 20) << 23
    assert prepare(pure_firmware, tiny, tiny, ONE) == (0, 0)
    assert prepare(pure_firmware, tiny, tiny, ONE) == expected(tiny, tiny, ONE)


@pytest.mark.parametrize(
    "scales",
    [
        pytest.param((0, ONE, ONE), id="zero"),
        pytest.param((ONE, 0x80000000 | ONE, ONE), id="negative"),
        pytest.param((ONE, ONE, 0x7F800000), id="infinite"),
        pytest.param((0x7FC00000, ONE, ONE), id="nan"),
        pytest.param((ONE, ONE, 1), id="denormal"),
        pytest.param(((127 + 20) << 23, (127 + 20) << 23, ONE), id="factor too large"),
    ],
)
def test_unusable_scales_are_refused(pure_firmware: ctypes.CDLL, scales: tuple[int, int, int]) -> None:
    assert prepare(pure_firmware, *scales) is None


def test_requantise_rounds_twice(pure_firmware: ctypes.CDLL) -> None:
    """1/4 as 1/2 (halves up), then 1/2 (halves away from zero); once, 0.25 and 1.25 would be 0 and 1."""

    class Factor(ctypes.Structure):
        _fields_ = (("multiplier", ctypes.c_int32), ("shift", ctypes.c_int32))

    requantise = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_int32, Factor)(("requantise", pure_firmware))
    quarter = Factor(1 << 30, -1)
    assert [requantise(number, quarter) for number in (1, 5, -1, -5, 3, -3)] == [1, 2, 0, -1, 1, -1]
