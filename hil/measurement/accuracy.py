# SPDX-License-Identifier: Apache-2.0
"""From an instrument's accuracy table (gain error and offset per range) to the uncertainty of its
readings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.measurement.uncertainty import combine, rectangular


@dataclass(frozen=True)
class RangeAccuracy:
    """One row of an accuracy table: ``±(gain_fraction * reading + offset)`` up to ``full_scale``, in the
    table's unit.
    """

    full_scale: float
    gain_fraction: float
    offset: float
    source: str


def _ascending(ranges: Sequence[RangeAccuracy]) -> list[RangeAccuracy]:
    if not ranges:
        raise ValueError("an accuracy table needs at least one range")
    return sorted(ranges, key=lambda row: row.full_scale)


def range_of(reading: float, ranges: Sequence[RangeAccuracy]) -> RangeAccuracy:
    """Return the smallest range that holds the reading: the one that an auto-ranging instrument uses.

    Raises:
        ValueError: if the table is empty or the reading exceeds its largest range.
    """
    rows = _ascending(ranges)
    for row in rows:
        if abs(reading) <= row.full_scale:
            return row
    raise ValueError(f"a reading of {reading!r} exceeds the largest range, {rows[-1].full_scale!r}")


def of_mean(samples: NDArray[np.float64], ranges: Sequence[RangeAccuracy]) -> float:
    """Return the standard uncertainty that accuracy leaves in the mean of samples taken with seamless
    ranging.

    Inside one range all samples share one gain and one offset error, so averaging does not reduce them.
    Ranges have their own shunts and are taken as independent of each other.

    Raises:
        ValueError: if the table is empty or a sample exceeds its largest range.
    """
    rows = _ascending(ranges)
    magnitude = np.abs(samples)
    range_of(float(magnitude.max()), rows)
    row_of_sample = np.searchsorted([row.full_scale for row in rows], magnitude, side="left")
    total = samples.size
    contributions = []
    for index, row in enumerate(rows):
        in_row = row_of_sample == index
        share_of_mean = float(np.sum(samples, where=in_row)) / total
        share_of_time = float(np.count_nonzero(in_row)) / total
        contributions.append(rectangular(row.gain_fraction * abs(share_of_mean) + row.offset * share_of_time))
    return combine(*contributions)
