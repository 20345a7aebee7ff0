# SPDX-License-Identifier: Apache-2.0
"""Cut a noisy piecewise-constant signal where its mean changes, by what the noise allows to be told apart.

Binary segmentation with the CUSUM statistic: a stretch is cut where the means of its two sides differ most,
as long as the difference is larger than what white noise of the stretch's own deviation gives by chance. The
threshold, C sigma sqrt(2 log n), is that of P. Fryzlewicz, "Wild binary segmentation for multiple
change-point detection", The Annals of Statistics 42(6), 2014. The deviation is estimated from first
differences, and for every stretch anew, since an instrument's noise depends on its range and so on the level.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

THRESHOLD_CONSTANT = 1.3
"""C of the threshold: what the author's own implementation (R package wbs, th.const) takes."""
SAME_LEVEL = 0.02
"""Assumption: neighbours whose medians differ by no more belong to one level. A real plateau drifts and
ripples; two clocks or modes of a microcontroller are farther apart."""
ROUNDING = 1e-6
"""Least deviation taken for noise, relative to the level: a signal without any would be cut at its last
digit."""
LONE_SAMPLES = 2
"""Levels of fewer samples are edges that fell inside a sample; they go to the nearer neighbour."""

_MEDIAN_OF_DIFFERENCES = 0.6745 * math.sqrt(2.0)
"""Median of |difference of two samples| of unit deviation: that of |normal| times the root of two."""


@dataclass(frozen=True)
class Level:
    """Samples ``first`` to ``last`` (exclusive) around one value."""

    first: int
    last: int
    median: float

    @property
    def samples(self) -> int:
        """How many samples it has."""
        return self.last - self.first


def noise(signal: NDArray[np.float64]) -> float:
    """Standard deviation of white noise on a signal whose level changes rarely, from its median step."""
    if signal.size < 2:
        return 0.0
    return float(np.median(np.abs(np.diff(signal)))) / _MEDIAN_OF_DIFFERENCES


def levels(signal: NDArray[np.float64]) -> list[Level]:
    """Return the levels of a signal in order, without gaps. Short ones in between are kept.

    Raises:
        ValueError: for an empty signal.
    """
    if signal.size == 0:
        raise ValueError("an empty signal has no levels")
    return _joined(signal, _without_lone(signal, _bounds(signal)))


def alike(first: float, second: float) -> bool:
    """Whether two levels are one and the same, see :data:`SAME_LEVEL`."""
    return abs(first - second) <= SAME_LEVEL * max(abs(first), abs(second))


def _bounds(signal: NDArray[np.float64]) -> list[int]:
    """Indices at which a level begins, and the end."""
    sums = np.concatenate([[0.0], np.cumsum(signal)])
    found = [0, signal.size]
    todo = [(0, signal.size)]
    while todo:
        first, last = todo.pop()
        cut = _cut(signal, sums, first, last)
        if cut is not None:
            found.append(cut)
            todo += [(first, cut), (cut, last)]
    return sorted(found)


def _cut(signal: NDArray[np.float64], sums: NDArray[np.float64], first: int, last: int) -> int | None:
    """Where the stretch is to be cut, if anywhere."""
    count = last - first
    if count < 2:
        return None
    before = np.arange(1, count, dtype=np.float64)
    from_mean = sums[first + 1 : last] - sums[first] - before * ((sums[last] - sums[first]) / count)
    statistic = np.abs(from_mean) * np.sqrt(count / (before * (count - before)))
    best = int(statistic.argmax())
    stretch = signal[first:last]
    deviation = max(noise(stretch), ROUNDING * float(np.abs(stretch).max()))
    if statistic[best] <= THRESHOLD_CONSTANT * deviation * math.sqrt(2.0 * math.log(count)):
        return None
    return first + best + 1


def _without_lone(signal: NDArray[np.float64], bounds: list[int]) -> list[int]:
    """Bounds without levels that are shorter than what the sample period resolves."""
    kept = list(bounds)
    index = 0
    while index + 1 < len(kept) and len(kept) > 2:
        first, last = kept[index], kept[index + 1]
        if last - first >= LONE_SAMPLES:
            index += 1
        elif index == 0:
            del kept[1]
        elif last == kept[-1]:
            del kept[index]
        else:
            value = signal[first]
            before = np.median(signal[kept[index - 1] : first])
            after = np.median(signal[last : kept[index + 2]])
            # A sample that an edge cut in two is the mean of both sides: it belongs where most of it lies.
            del kept[index if abs(value - before) <= abs(value - after) else index + 1]
    return kept


def _joined(signal: NDArray[np.float64], bounds: list[int]) -> list[Level]:
    """Levels from bounds, neighbours that are one level joined."""
    found: list[Level] = []
    for first, last in itertools.pairwise(bounds):
        median = float(np.median(signal[first:last]))
        if found and alike(found[-1].median, median):
            first = found.pop().first
            median = float(np.median(signal[first:last]))
        found.append(Level(first, last, median))
    return found
