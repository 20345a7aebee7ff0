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
    sums, counts = _by_range(samples, rows)
    return _combined(rows, sums / samples.size, counts / samples.size)


def of_difference(
    first: NDArray[np.float64], second: NDArray[np.float64], ranges: Sequence[RangeAccuracy]
) -> float:
    """Return the standard uncertainty that accuracy leaves in ``sum(first) - sum(second)``.

    Both were taken with the same instrument, whose gain and offset of a range do not change meanwhile: what
    both have in common in a range cancels, and only the difference counts.

    Raises:
        ValueError: if the table is empty or a sample exceeds its largest range.
    """
    rows = _ascending(ranges)
    first_sums, first_counts = _by_range(first, rows)
    second_sums, second_counts = _by_range(second, rows)
    return _combined(rows, first_sums - second_sums, first_counts - second_counts)


def _by_range(
    samples: NDArray[np.float64], rows: Sequence[RangeAccuracy]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum and number of the samples that each range took."""
    magnitude = np.abs(samples)
    range_of(float(magnitude.max()), rows)
    row_of_sample = np.searchsorted([row.full_scale for row in rows], magnitude, side="left")
    sums = np.bincount(row_of_sample, weights=samples, minlength=len(rows))
    counts = np.bincount(row_of_sample, minlength=len(rows)).astype(np.float64)
    return sums.astype(np.float64), counts


def _combined(rows: Sequence[RangeAccuracy], sums: NDArray[np.float64], counts: NDArray[np.float64]) -> float:
    return combine(
        *(
            rectangular(row.gain_fraction * abs(float(total)) + row.offset * abs(float(count)))
            for row, total, count in zip(rows, sums, counts, strict=True)
        )
    )
