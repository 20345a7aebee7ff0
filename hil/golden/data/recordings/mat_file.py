# SPDX-License-Identifier: Apache-2.0
"""MATLAB's MAT files of version 4 to 7: arrays by name, alone or in structures."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path

from hil.golden.data.recordings.arrays import channels_of_arrays
from hil.golden.data.recordings.channel import Channel, Layout, not_installed, refused
from hil.golden.data.recordings.mat_sizes import check_sizes

_VERSION_7_3 = 2
"""As scipy counts: an HDF5 file."""

_DAMAGED = (
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    struct.error,
    zlib.error,
    ArithmeticError,
    MemoryError,
    AttributeError,
)
"""What scipy raises for files that are none, as planted damage shows."""


def read_mat(file: Path, layout: Layout | None = None, axes: int | None = None) -> list[Channel]:
    """The channels of `file`: every array of real numbers; ``fs``, ``sr`` or the like states the rate.

    Raises:
        RecordingError: the file is no MAT file, damaged, of version 7.3, holds no array of numbers, or scipy
            is not installed.
        OSError: the file cannot be read.
    """
    try:
        from scipy.io import loadmat
        from scipy.io.matlab import MatReadError, matfile_version
    except ImportError as error:
        raise not_installed(file, "scipy") from error
    try:
        content = file.read_bytes()
        major_version, _ = matfile_version(BytesIO(content))
        if major_version < _VERSION_7_3:
            check_sizes(content, major_version)
        variables = loadmat(BytesIO(content), simplify_cells=True)
    except NotImplementedError as error:
        raise refused(
            file, "a MAT file of version 7.3", expected="version 7", hint="in MATLAB: save(file, '-v7')"
        ) from error
    except (*_DAMAGED, MatReadError) as error:
        raise refused(file, f"no MAT file or damaged ({error})") from error
    return channels_of_arrays(file, variables, layout, axes)
