# SPDX-License-Identifier: Apache-2.0
"""NumPy's own files: one array, whose longer axis is time."""

from __future__ import annotations

import tokenize
from pathlib import Path

import numpy as np

from hil.golden.data.recordings.channel import Channel, refused


def read_npy(file: Path) -> list[Channel]:
    """The channels of `file`; it states no rate.

    Raises:
        RecordingError: the file is no NPY file, damaged, or holds no array of real numbers.
        OSError: the file cannot be read.
    """
    try:
        array = np.load(file, allow_pickle=False)
    except (ValueError, EOFError, SyntaxError, tokenize.TokenError, MemoryError) as error:
        raise refused(file, f"no NPY file or damaged ({str(error).splitlines()[0]})") from error
    if not isinstance(array, np.ndarray):
        raise refused(file, "an archive of several arrays", expected="one array, saved with numpy.save")
    if array.dtype.kind not in "iuf":
        raise refused(file, f"an array of {array.dtype}", expected="integers or floats")
    if array.ndim not in (1, 2):
        raise refused(file, f"an array of shape {array.shape}", expected="samples, or samples × channels")
    columns = array if array.ndim == 2 else array[:, np.newaxis]
    if 0 < columns.shape[0] < columns.shape[1]:
        columns = columns.T
    return [Channel(f"channel {index}", column, None) for index, column in enumerate(columns.T, 1)]
