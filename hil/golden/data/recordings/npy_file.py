# SPDX-License-Identifier: Apache-2.0
"""NumPy's own files: one array (NPY), or several by name (NPZ)."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from pathlib import Path

import numpy as np

from hil.golden.data.recordings.arrays import channels_of_array, channels_of_arrays
from hil.golden.data.recordings.channel import Channel, Layout, refused
from hil.golden.data.recordings.inflation import INFLATED_MOST_BYTES

_DAMAGED = (
    ValueError,
    EOFError,
    SyntaxError,
    tokenize.TokenError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
    KeyError,
    NotImplementedError,
)


def read_npy(file: Path, layout: Layout | None = None, axes: int | None = None) -> list[Channel]:
    """The channels of `file`; an NPY file states no rate, an NPZ file may (``fs``).

    Raises:
        RecordingError: the file is no NPY or NPZ file, damaged, or holds no array of real numbers.
        OSError: the file cannot be read.
    """
    try:
        loaded = np.load(file, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return channels_of_array(file, "channel", loaded, layout, axes)
        with loaded:
            inflated = sum(member.file_size for member in loaded.zip.infolist())
            if inflated > INFLATED_MOST_BYTES:
                raise ValueError(f"its arrays inflate to {inflated} bytes, more than {INFLATED_MOST_BYTES}")
            arrays = {name: loaded[name] for name in loaded.files}
    except _DAMAGED as error:
        told = str(error).splitlines()
        raise refused(
            file, f"no NPY or NPZ file or damaged ({told[0] if told else type(error).__name__})"
        ) from error
    return channels_of_arrays(file, arrays, layout, axes)
