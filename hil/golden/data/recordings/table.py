# SPDX-License-Identifier: Apache-2.0
"""A table of numbers without names becomes channels: its columns, or stretches one in a row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from hil.golden.data.recordings.channel import Channel, Layout, refused

MOST_CHANNELS = 16
"""Columns above which a nameless table holds a stretch in each row (a choice: recorders have fewer)."""


def is_of_rows(shape: tuple[int, ...], layout: Layout | None) -> bool:
    """Whether a nameless table of `shape` holds samples along its rows."""
    return layout in (Layout.ROWS, Layout.STREAM) or (layout is None and shape[1] > MOST_CHANNELS)


def channels_of_rows(
    file: Path, table: npt.NDArray[np.float64], layout: Layout | None, axes: int | None
) -> list[Channel]:
    """The channels of a table with samples along its rows, `axes` of them interleaved."""
    rows, width = table.shape
    notes: tuple[str, ...] = ()
    if layout is None:
        notes = (f"{rows} rows of {width} numbers without names: each row read as a stretch of its own",)
    if axes is not None and width % axes:
        raise refused(file, f"rows of {width} numbers", expected=f"a multiple of the {axes} stated axes")
    parts = table.reshape(rows, -1, axes or 1)
    channels = []
    for index in range(parts.shape[2]):
        values = parts[:, :, index]
        joined = values.reshape(-1) if layout is Layout.STREAM else values
        channels.append(Channel(f"axis {index + 1}" if axes else "rows", joined, None, None, None, notes))
    return channels
