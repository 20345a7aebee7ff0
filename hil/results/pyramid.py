# SPDX-License-Identifier: Apache-2.0
"""Least, greatest and mean of ever longer buckets of samples, built while the samples come."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

FIRST_BUCKET = 256
"""Samples of a bucket of the first level: its summary adds 12 bytes to their 1024."""
FACTOR = 16
"""Buckets of one level that make one of the next. A plot of W columns reads less than 16 W buckets."""
BLOCK = 4096
"""Buckets that are written at once."""

Buckets = NDArray[np.float32]
"""Of shape (3, buckets): least, greatest, mean."""


def bucket_samples(level: int) -> int:
    """How many samples a bucket of that level holds; level 0 is the samples themselves."""
    return 1 if level == 0 else FIRST_BUCKET * FACTOR ** (level - 1)


def of_samples(samples: NDArray[np.float32]) -> Buckets:
    """Summarise samples, ``FIRST_BUCKET`` at a time; the last bucket may hold fewer."""
    whole = samples.size // FIRST_BUCKET * FIRST_BUCKET
    rows = samples[:whole].reshape(-1, FIRST_BUCKET)
    parts = [np.stack((rows.min(1), rows.max(1), rows.mean(1, dtype=np.float64).astype(np.float32)))]
    rest = samples[whole:]
    if rest.size:
        parts.append(np.array([[rest.min()], [rest.max()], [rest.mean(dtype=np.float64)]], np.float32))
    return np.concatenate(parts, axis=1)


def of_buckets(buckets: Buckets, weights: NDArray[np.float64] | None = None) -> Buckets:
    """Summarise buckets, ``FACTOR`` at a time.

    Args:
        buckets: of one level.
        weights: samples in each, where they differ; then the last group may have fewer than ``FACTOR``.
    """
    if weights is None:
        rows = buckets.reshape(3, -1, FACTOR)
        mean = rows[2].mean(1, dtype=np.float64).astype(np.float32)
        return np.stack((rows[0].min(1), rows[1].max(1), mean))
    begins = np.arange(0, buckets.shape[1], FACTOR)
    total = np.add.reduceat(buckets[2] * weights, begins) / np.add.reduceat(weights, begins)
    least = np.minimum.reduceat(buckets[0], begins)
    return np.stack((least, np.maximum.reduceat(buckets[1], begins), total.astype(np.float32)))


class Pyramid:
    """Takes samples, gives blocks of buckets away as they are full, and holds at most a block of each level."""

    def __init__(self) -> None:
        self._samples = np.empty(0, np.float32)
        self._total = 0
        self._pending: list[list[Buckets]] = []
        self._given: list[int] = []

    def add(self, samples: NDArray[np.float32]) -> Iterator[tuple[int, int, Buckets]]:
        """Take samples; yield level, number of the first bucket, and the buckets of each block that is full."""
        self._total += samples.size
        if self._samples.size:
            samples = np.concatenate((self._samples, samples))
        whole = samples.size // FIRST_BUCKET * FIRST_BUCKET
        self._samples = samples[whole:].copy()
        if whole:
            yield from self._take(1, of_samples(samples[:whole]))

    def finish(self) -> Iterator[tuple[int, int, Buckets]]:
        """Yield what is left of each level. A last bucket is of the samples that there are."""
        level, rest = 1, of_samples(self._samples) if self._samples.size else _NONE
        while True:
            left = np.concatenate((*self._of(level), rest), axis=1)
            first = self._given[level - 1]
            if left.shape[1]:
                yield level, first, left
            if first + left.shape[1] <= BLOCK:
                return
            own = bucket_samples(level)
            weights = np.full(left.shape[1], float(own))
            if weights.size:
                weights[-1] = self._total - (first + weights.size - 1) * own
            rest = of_buckets(left, weights) if weights.size else _NONE
            level += 1

    def _take(self, level: int, buckets: Buckets) -> Iterator[tuple[int, int, Buckets]]:
        pending = self._of(level)
        pending.append(buckets)
        if sum(part.shape[1] for part in pending) < BLOCK:
            return
        joined = np.concatenate(pending, axis=1)
        full = joined.shape[1] // BLOCK * BLOCK
        pending[:] = [joined[:, full:].copy()]
        for begin in range(0, full, BLOCK):
            block = joined[:, begin : begin + BLOCK]
            yield level, self._given[level - 1], block
            self._given[level - 1] += BLOCK
            yield from self._take(level + 1, of_buckets(block))

    def _of(self, level: int) -> list[Buckets]:
        while len(self._pending) < level:
            self._pending.append([])
            self._given.append(0)
        return self._pending[level - 1]


_NONE: Buckets = np.empty((3, 0), np.float32)
