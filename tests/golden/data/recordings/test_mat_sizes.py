# SPDX-License-Identifier: Apache-2.0
"""MAT files whose lengths name more than there is: refused before anything is reserved for them."""

import struct
import tracemalloc
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from hil.errors import RecordingError
from hil.golden.data.recordings import mat_sizes
from hil.golden.data.recordings.mat_file import read_mat

CELL, DOUBLE = 1, 6


def saved(**options: object) -> bytes:
    file = BytesIO()
    savemat(file, {"x": np.arange(3000.0)}, **options)  # type: ignore[arg-type]
    return file.getvalue()


def element(kind: int, data: bytes) -> bytes:
    return struct.pack("<II", kind, len(data)) + data + bytes(-len(data) % 8)


def array(array_class: int, rows: int) -> bytes:
    """A variable without content, whose dimensions say otherwise."""
    flags = element(6, struct.pack("<II", array_class, 0))
    return element(14, flags + element(5, struct.pack("<ii", rows, 1)) + element(1, b"x"))


def a_long_element() -> bytes:
    return saved()[:128] + struct.pack("<II", 14, 0x7FFF_0000) + saved()[136:]


def many_cells() -> bytes:
    return saved()[:128] + array(CELL, 1 << 28)


def many_numbers() -> bytes:
    return saved()[:128] + array(DOUBLE, 1 << 28)


def a_bomb() -> bytes:
    return saved()[:128] + element(15, zlib.compress(bytes(1 << 22)))


def a_long_array_of_version_4() -> bytes:
    return struct.pack("<5i", 0, 1 << 15, 1 << 15, 0, 2) + b"x\0" + bytes(800)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (a_long_element, "an element of 2147418112 bytes where"),
        (many_cells, "an array of 268435456 entries in 48 bytes"),
        (many_numbers, "an array of 268435456 entries in 48 bytes"),
        (a_bomb, "inflate to more than"),
        (a_long_array_of_version_4, "an array of 32768 x 32768 beyond the end"),
    ],
)
def test_nothing_is_reserved_for_what_is_not_there(
    content: Callable[[], bytes], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mat_sizes, "INFLATED_MOST_BYTES", 1 << 20)
    file = tmp_path / "r.mat"
    file.write_bytes(content())
    tracemalloc.start()
    try:
        with pytest.raises(RecordingError, match=told):
            read_mat(file)
        _, most_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most_bytes < 16 << 20


@pytest.mark.parametrize("options", [{"format": "4"}, {}, {"do_compression": True}])
def test_a_sound_file_is_read(options: dict[str, object], tmp_path: Path) -> None:
    file = tmp_path / "r.mat"
    file.write_bytes(saved(**options))
    (channel,) = read_mat(file)
    assert channel.values.size == 3000
