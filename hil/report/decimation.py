# SPDX-License-Identifier: Apache-2.0
"""Fewer points for a stepped line without losing a peak or changing how long it lasts."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

_KEPT_PER_BUCKET = 4
"""Its two extremes, and the samples that begin after its largest rise and its largest fall."""
_ENDS = 2


def bucket_samples(samples: int, at_most: int) -> int:
    """Return how many samples share a bucket where so many are drawn with ``at_most`` points; 1: all are."""
    return 1 if samples <= at_most else -(-samples // _buckets(at_most))


def step_indices(values: NDArray[np.float64], at_most: int) -> NDArray[np.intp]:
    """Return ascending indices of at most ``at_most`` samples, to be drawn as steps each lasting to the next.

    Averaging or striding would hide a 100 µs inference in 10 s of sleep; the extremes of each bucket do not.
    Extremes alone would draw it as wide as a bucket: the bucket's largest rise and fall bound it. A lone
    pulse in a bucket is thus drawn as long as it lasts.

    Raises:
        ValueError: if ``at_most`` is below 6 (first, last and one bucket's four samples).
    """
    if at_most < _ENDS + _KEPT_PER_BUCKET:
        raise ValueError(f"a plot needs at least {_ENDS + _KEPT_PER_BUCKET} points, got {at_most}")
    if values.size <= at_most:
        return np.arange(values.size)
    edges = np.linspace(0, values.size, _buckets(at_most) + 1).astype(np.intp)
    steps = np.diff(values, prepend=values[:1])
    kept = {0, values.size - 1}
    for first, last in itertools.pairwise(edges):
        for of in (values[first:last], steps[first:last]):
            kept.add(int(first + of.argmin()))
            kept.add(int(first + of.argmax()))
    return np.array(sorted(kept), dtype=np.intp)


def _buckets(at_most: int) -> int:
    return (at_most - _ENDS) // _KEPT_PER_BUCKET
