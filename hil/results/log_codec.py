# SPDX-License-Identifier: Apache-2.0
"""Rows of float32 in few bytes: the upper halves of the numbers deflated, the lower halves as they are.

Neighbouring readings of one level share sign, exponent and the leading digits; what follows is the noise of the
instrument, which nothing makes shorter. Every zlib reads the deflated half, a browser's own too. ISA-L writes
it at the speed of a disk.
"""

from __future__ import annotations

import struct

import numpy as np
from isal import igzip_lib, isal_zlib
from numpy.typing import NDArray

_LEVEL = 1
_RAW = -15
"""As zlib names deflate without head and checksum, which a log has of its own."""
_SIZE = struct.Struct("<I")


def pack(values: NDArray[np.float32]) -> bytes:
    """Return the bytes of ``values``: the length of the deflated upper halves, these, then the lower halves."""
    halves = np.ascontiguousarray(values, "<f4").view("<u2").reshape(-1, 2)
    upper = igzip_lib.compress(
        halves[:, 1].tobytes(), _LEVEL, igzip_lib.COMP_DEFLATE, igzip_lib.MEM_LEVEL_LARGE
    )
    return b"".join((_SIZE.pack(len(upper)), upper, halves[:, 0].tobytes()))


def unpack(data: bytes | memoryview, count: int) -> NDArray[np.float32]:
    """Return the ``count`` numbers that :func:`pack` has made into ``data``.

    Raises:
        ValueError: they are not in it.
    """
    try:
        (length,) = _SIZE.unpack_from(data)
        begin = _SIZE.size + length
        if len(data) != begin + 2 * count:
            raise ValueError(f"{len(data)} bytes hold no {count} numbers")
        inflater = isal_zlib.decompressobj(_RAW)  # never more than asked for, whatever a damaged file says
        upper = inflater.decompress(data[_SIZE.size : begin], 2 * count + 1)
        halves = np.empty((count, 2), "<u2")
        halves[:, 1] = np.frombuffer(upper, "<u2")
        halves[:, 0] = np.frombuffer(data, "<u2", count, begin)
    except (struct.error, isal_zlib.IsalError) as error:  # type: ignore[misc] # its stub names an instance
        raise ValueError(str(error)) from error
    return halves.view("<f4").ravel()
