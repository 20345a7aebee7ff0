# SPDX-License-Identifier: Apache-2.0
"""WAV files: integers become parts of full scale, which is 1; floats stay as they are."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hil.golden.data.recordings.channel import Channel, not_installed, refused

_DAMAGED = (
    ValueError,
    struct.error,
    EOFError,
    LookupError,
    TypeError,
    ArithmeticError,
    MemoryError,
    NameError,
)
"""What scipy raises for files that are none, as planted damage shows; a NameError for a missing chunk."""


def read_wav(file: Path) -> list[Channel]:
    """The channels of `file`.

    Raises:
        RecordingError: the file is no WAV file, damaged or cut off, or scipy is not installed.
        OSError: the file cannot be read.
    """
    try:
        from scipy.io import wavfile  # of the standard library's wave, which knows no floats, one could not
    except ImportError as error:
        raise not_installed(file, "scipy") from error
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            rate_hz, samples = wavfile.read(file)
        except _DAMAGED as error:
            raise refused(file, f"no WAV file or damaged ({error})") from error
    for warning in told:
        if "Reached EOF" in str(warning.message):
            raise refused(file, f"cut off ({warning.message})")
    parts = _parts_of_full_scale(samples)
    columns = parts.T if parts.ndim == 2 else parts[np.newaxis]
    return [Channel(f"channel {index}", column, float(rate_hz)) for index, column in enumerate(columns, 1)]


def _parts_of_full_scale(samples: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    if samples.dtype.kind == "u":  # 8 bits are stored with an offset
        return (samples.astype(np.float64) - 128.0) / 128.0
    if samples.dtype.kind == "i":  # scipy hands 24 bits over as the upper ones of 32
        return samples.astype(np.float64) / float(2 ** (8 * samples.dtype.itemsize - 1))
    return samples.astype(np.float64)
