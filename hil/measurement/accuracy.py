# SPDX-License-Identifier: Apache-2.0
"""From an instrument's accuracy table (gain error and offset per range) to the uncertainty of its
readings.

A seamlessly ranging ammeter chooses the range of every raw sample, 5.12 µs long in an N6781A. A logged sample
is the mean of many raw ones. Where a burst is shorter than a logged sample, the mean lies in one range and
the burst was measured in a larger one, with that range's errors. What the log leaves open is bounded: a mean
``m`` cannot have spent more than ``m / F`` of its time above a full scale ``F``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.measurement.budget import Budget, Term, rectangle


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


def of_mean(
    samples_a: NDArray[np.float64], ranges: Sequence[RangeAccuracy], largest_a: float = math.inf
) -> Budget:
    """Return what accuracy leaves open in the mean of logged samples, in amperes.

    Inside one range all samples share one gain and one offset error, so averaging does not reduce them.
    Ranges have their own shunts and are taken as independent of each other, as are gain and offset.

    Args:
        samples_a: logged samples, in amperes, each the mean of raw ones.
        ranges: what the ammeter chooses from; with one range, that in which it was told to stay.
        largest_a: the most that can flow, in amperes: the supply's current limit.

    Raises:
        ValueError: if the table is empty or a sample exceeds its largest range.
    """
    rows = _ascending(ranges)
    charges, times = _most_by_range(samples_a, rows, largest_a)
    return _budget(rows, charges / samples_a.size, times / samples_a.size)


def of_difference(
    first_a: NDArray[np.float64],
    second_a: NDArray[np.float64],
    ranges: Sequence[RangeAccuracy],
    largest_a: float = math.inf,
) -> Budget:
    """Return what accuracy leaves open in ``sum(first_a) - sum(second_a)``, in amperes.

    Both were taken with the same instrument, whose gain and offset of a range do not change meanwhile: what
    both have in common in a range cancels, and only the difference counts. Bursts that a logged sample hides
    are taken to be as frequent in both.

    Raises:
        ValueError: if the table is empty or a sample exceeds its largest range.
    """
    rows = _ascending(ranges)
    first, second = (_most_by_range(samples_a, rows, largest_a) for samples_a in (first_a, second_a))
    return _budget(rows, first[0] - second[0], first[1] - second[1])


def _most_by_range(
    samples_a: NDArray[np.float64], rows: Sequence[RangeAccuracy], largest_a: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For each range, the most that it can have measured of the samples: their sum, and their number."""
    magnitude = np.abs(samples_a)
    range_of(float(magnitude.max()), rows)
    own = np.searchsorted([row.full_scale for row in rows], magnitude, side="left")
    charges, times = np.zeros(len(rows)), np.zeros(len(rows))
    for number in range(len(rows)):
        inside = own == number
        charges[number] = samples_a[inside].sum()
        times[number] = np.count_nonzero(inside)
        below_a = rows[number - 1].full_scale if number else math.inf
        if below_a < largest_a:
            hidden = samples_a[own < number]
            charges[number] += hidden.sum()
            times[number] += np.abs(hidden).sum() / below_a
    return charges, times


def _budget(
    rows: Sequence[RangeAccuracy], charges: NDArray[np.float64], times: NDArray[np.float64]
) -> Budget:
    terms: list[Term] = []
    for row, charge, time in zip(rows, charges.tolist(), times.tolist(), strict=True):
        name = f"ammeter, {row.full_scale:g} A range"
        if charge:
            terms.append(rectangle(f"{name}, gain", row.gain_fraction, "", row.source, charge))
        if time:
            terms.append(rectangle(f"{name}, offset", row.offset, "A", row.source, time))
    return Budget.of(*terms)
