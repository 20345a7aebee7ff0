# SPDX-License-Identifier: Apache-2.0
"""Named arrays, as NPZ and MAT files hold them, become channels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hil.golden.data.recordings import column_names, table
from hil.golden.data.recordings.channel import Channel, Layout, refused
from hil.golden.data.recordings.sample_times import SampleTimes


def channels_of_array(
    file: Path, name: str, array: npt.NDArray[Any], layout: Layout | None, axes: int | None
) -> list[Channel]:
    """The channels of one array, whose longer axis is time unless `layout` says otherwise.

    Raises:
        RecordingError: no real numbers, or no samples × channels.
    """
    if array.dtype.kind not in "iuf":
        raise refused(file, f"an array of {array.dtype}", expected="integers or floats")
    if array.ndim not in (1, 2):
        raise refused(file, f"an array of shape {array.shape}", expected="samples, or samples × channels")
    if array.ndim == 2 and min(array.shape) > 1:
        rows = layout in (Layout.ROWS, Layout.STREAM) or (
            layout is None and min(array.shape) > table.MOST_CHANNELS
        )
        if rows:
            return table.channels_of_rows(file, array.astype(np.float64), layout, axes)
    columns = array if array.ndim == 2 else array[:, np.newaxis]
    if 0 < columns.shape[0] < columns.shape[1]:
        columns = columns.T
    names = [f"{name} {index}" for index in range(1, columns.shape[1] + 1)]
    if name != "channel" and len(names) == 1:
        names = [name]
    return [Channel(each, column, None) for each, column in zip(names, columns.T, strict=True)]


def channels_of_arrays(
    file: Path, arrays: Mapping[str, Any], layout: Layout | None, axes: int | None
) -> list[Channel]:
    """The channels of named arrays; single numbers among them may be the rate, and one array the times.

    Raises:
        RecordingError: no array of numbers among them.
    """
    flat = dict(_flat("", arrays))
    rates = [
        float(array.reshape(-1)[0])
        for name, array in flat.items()
        if array.size == 1 and column_names.names_a_rate(_leaf(name)) and float(array.reshape(-1)[0]) > 0
    ]
    series = {name: array for name, array in flat.items() if array.size > 1}
    times = {name: array for name, array in series.items() if column_names.is_time(_leaf(name))}
    clocks = [
        SampleTimes(_from_zero(array), column_names.time_unit(_leaf(name), None), name)
        for name, array in times.items()
    ]
    channels = [
        channel
        for name, array in series.items()
        if name not in times or len(series) == 1
        for channel in channels_of_array(file, name, array, layout, axes)
    ]
    if not channels:
        raise refused(file, "holds no array of numbers", expected="samples, or samples × channels")
    return [
        Channel(
            channel.name,
            channel.values,
            rates[0] if rates else None,
            None,
            next((clock for clock in clocks if clock.values.shape == channel.values.shape), None),
            channel.notes,
        )
        for channel in channels
    ]


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """The arrays of real numbers in a tree of structures, by dotted name."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            if not str(name).startswith("__"):
                yield from _flat(f"{prefix}.{name}" if prefix else str(name), part)
        return
    array = np.asarray(value)
    if array.dtype.kind in "iuf" and array.size and array.ndim <= 3:
        yield prefix, array


def _leaf(name: str) -> str:
    return name.rsplit(".", 1)[-1]


def _from_zero(array: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    values = array.reshape(-1).astype(np.float64)
    return np.asarray(values - values[0])
