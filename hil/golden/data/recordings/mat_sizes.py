# SPDX-License-Identifier: Apache-2.0
"""Whether the lengths in a MAT file are of this file: asked before a reader reserves memory by them.

Each element of version 5 says its length, each array its dimensions, and version 4 has both in one header
(MathWorks, MAT-File Format, chapters 1 and 2). A damaged length may name gigabytes that are not there.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator

from hil.golden.data.recordings.inflation import INFLATED_MOST_BYTES

_DEEPEST = 64
"""Structures inside of structures (assumption)."""
_HEADER_BYTES = 128
_MATRIX, _COMPRESSED = 14, 15
_CELL, _STRUCT, _OBJECT, _SPARSE = 1, 2, 3, 5
_LAST_NUMERIC_CLASS = 15
_ENTRY_BYTES = {_CELL: 8, _STRUCT: 8, _OBJECT: 8}
"""An entry of these is an element, which has a tag of eight bytes; one of other classes has at least one."""
_ITEM_BYTES_4 = (8, 4, 4, 2, 2, 1)
"""Of version 4, by the tens of its type."""


def check_sizes(content: bytes, major_version: int) -> None:
    """Refuse a file whose lengths are beyond it, or that inflates to more than `INFLATED_MOST_BYTES`.

    Args:
        content: the file.
        major_version: 0 for version 4, 1 for 5 to 7, as ``scipy.io.matlab.matfile_version`` says it.

    Raises:
        ValueError: a length is beyond the file.
        struct.error: a header is cut off.
        zlib.error: a compressed variable is damaged.
    """
    if major_version == 0:
        _check_version_4(content)
        return
    order = "<" if content[126:128] == b"IM" else ">"
    left = INFLATED_MOST_BYTES
    for kind, data in _elements(memoryview(content)[_HEADER_BYTES:], order):
        if kind == _COMPRESSED:
            inflated = _inflated(data, left)
            left -= len(inflated)
            for inner, inner_data in _elements(memoryview(inflated), order):
                _check_element(inner, inner_data, order, _DEEPEST)
        else:
            _check_element(kind, data, order, _DEEPEST)


def _elements(data: memoryview, order: str) -> Iterator[tuple[int, memoryview]]:
    """Type and content of each element in turn."""
    position = 0
    while position + 8 <= len(data):
        kind, size = struct.unpack_from(f"{order}II", data, position)
        start = position + 8
        if kind >> 16:  # the short form: up to four bytes in the tag itself
            kind, size, start = kind & 0xFFFF, kind >> 16, position + 4
        if start + size > len(data):
            raise ValueError(f"an element of {size} bytes where {len(data) - start} are left")
        yield kind, data[start : start + size]
        position = max(position + 8, start + size)
        if kind != _COMPRESSED:
            position += -position % 8


def _check_element(kind: int, data: memoryview, order: str, deeper: int) -> None:
    if kind != _MATRIX or not data:
        return
    if deeper == 0:
        raise ValueError(f"structures inside of structures, more than {_DEEPEST} deep")
    parts = _elements(data, order)
    flags, dimensions = next(parts, None), next(parts, None)
    if flags is None or dimensions is None or len(flags[1]) < 4:
        raise ValueError("an array without dimensions")
    array_class = struct.unpack_from(f"{order}I", flags[1])[0] & 0xFF
    if array_class <= _LAST_NUMERIC_CLASS and array_class != _SPARSE:
        sizes = struct.unpack(f"{order}{len(dimensions[1]) // 4}i", dimensions[1])
        entries = math.prod(max(0, size) for size in sizes)
        if entries * _ENTRY_BYTES.get(array_class, 1) > len(data):
            raise ValueError(f"an array of {entries} entries in {len(data)} bytes")
    for inner, inner_data in parts:
        _check_element(inner, inner_data, order, deeper - 1)


def _inflated(data: memoryview, most_bytes: int) -> bytes:
    stream = zlib.decompressobj()
    inflated = stream.decompress(data, most_bytes + 1)
    if len(inflated) > most_bytes:
        raise ValueError(f"its variables inflate to more than {INFLATED_MOST_BYTES} bytes")
    return inflated


def _check_version_4(content: bytes) -> None:
    position = 0
    while position < len(content):
        order = _order_of(content, position)
        kind, rows, columns, imaginary, name_bytes = struct.unpack_from(f"{order}5i", content, position)
        item = _ITEM_BYTES_4[min(kind // 10 % 10, len(_ITEM_BYTES_4) - 1)]
        size = rows * columns * item * (2 if imaginary and kind % 10 != 2 else 1)
        position += 20 + name_bytes + size
        if min(rows, columns, name_bytes) < 0 or position > len(content):
            raise ValueError(f"an array of {rows} x {columns} beyond the end")


def _order_of(content: bytes, position: int) -> str:
    """Version 4 has no mark for it: the type is a number below 5000 in the right order."""
    (kind,) = struct.unpack_from("<i", content, position)
    return "<" if 0 <= kind < 5000 else ">"
