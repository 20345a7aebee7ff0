# SPDX-License-Identifier: Apache-2.0
"""firmware/src/crc.c against a published check value and zlib."""

from __future__ import annotations

import ctypes
import zlib

import numpy as np
import pytest


def test_crc16_is_ccitt_false(pure_firmware: ctypes.CDLL) -> None:
    crc16 = ctypes.CFUNCTYPE(ctypes.c_uint16, ctypes.c_char_p, ctypes.c_size_t)(
        ("crc16_ccitt", pure_firmware)
    )
    assert crc16(b"123456789", 9) == 0x29B1  # the catalogue's check value of CRC-16/CCITT-FALSE
    assert crc16(b"", 0) == 0xFFFF


@pytest.mark.parametrize("size", [0, 1, 3, 16, 1000])
def test_crc32_equals_zlib(pure_firmware: ctypes.CDLL, size: int) -> None:
    crc32 = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_char_p, ctypes.c_size_t)(("crc32_ieee", pure_firmware))
    data = np.random.default_rng(32).bytes(size)
    assert crc32(data, size) == zlib.crc32(data)
