# SPDX-License-Identifier: Apache-2.0
"""The phases of a current that lies on a disk, with the method of :mod:`hil.measurement.phases`.

The log is read three times, a chunk after the other: for its extremes and noise, for the histogram of its
logarithm, and for its phases. At no time is more in memory than a chunk and one awake stretch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hil.errors import MeasurementError
from hil.measurement.levels import noise
from hil.measurement.phases import (
    HISTOGRAM_BINS,
    Phase,
    PhaseName,
    awake_parts,
    log_floor_a,
    merged,
    otsu_threshold,
)
from hil.measurement.waveform import Waveform

LONGEST_AWAKE = 1 << 24
"""Samples of an awake stretch that is cut into phases: 128 MB."""
NOISE_SAMPLES = 1 << 21
"""Samples, in chunks evenly over the log, that its noise is taken from; of a shorter log, all."""


class Log(Protocol):
    """A current on a disk."""

    @property
    def start_s(self) -> float:
        """Beginning of the first sample on the bench clock."""
        ...

    @property
    def period_s(self) -> float:
        """Sampling period."""
        ...

    @property
    def samples(self) -> int:
        """How many there are."""
        ...

    def chunks(self) -> Iterator[NDArray[np.float32]]:
        """All samples in amperes, a part at a time."""
        ...

    def read(self, first: int, last: int) -> Waveform:
        """Samples ``first`` to ``last`` (exclusive)."""
        ...


def segment_log(log: Log) -> list[Phase]:
    """Return the phases in order of time, without gaps; first and last are cut by the log's ends.

    Raises:
        MeasurementError: the current does not change between sleep and activity, or an awake stretch is
            longer than :data:`LONGEST_AWAKE`.
    """
    least_a, greatest_a, noise_a = _extremes_and_noise(log)
    floor_a = log_floor_a(noise_a)
    low, high = (float(np.log10(max(value, floor_a))) for value in (least_a, greatest_a))
    edges = np.linspace(low, high, HISTOGRAM_BINS + 1)
    counts = np.zeros(HISTOGRAM_BINS, np.int64)
    for chunk in log.chunks() if low < high else ():
        counts += np.histogram(_log10(chunk, floor_a), HISTOGRAM_BINS, (low, high))[0]
    threshold = otsu_threshold(high - low, counts, edges)
    parts: list[tuple[PhaseName, int, int]] = []
    for awake, first, last in _stretches(log, floor_a, threshold):
        if not awake:
            parts.append((PhaseName.SLEEP, first, last))
            continue
        if last - first > LONGEST_AWAKE:
            raise MeasurementError(
                f"the current stays up for {(last - first) * log.period_s:.4g} s",
                where="phases",
                operation="segment",
                expected=f"at most {LONGEST_AWAKE} samples between two sleeps",
                hint="log with a longer sampling period",
            )
        stretch = log.read(first, last)
        parts += [
            (name, first + begin, first + end) for name, begin, end in awake_parts(stretch, 0, len(stretch))
        ]
    whole = merged(parts)
    sums_a = _sums_a(log, [first for _, first, _ in whole])
    return [
        Phase(
            name,
            log.start_s + first * log.period_s,
            log.start_s + last * log.period_s,
            float(sum_a) / (last - first),
            float(sum_a) * log.period_s,
        )
        for (name, first, last), sum_a in zip(whole, sums_a, strict=True)
    ]


def _extremes_and_noise(log: Log) -> tuple[float, float, float]:
    least_a, greatest_a = np.inf, -np.inf
    taken: list[NDArray[np.float32]] = []
    every = -(-log.samples // NOISE_SAMPLES)
    for number, chunk in enumerate(log.chunks()):
        least_a, greatest_a = min(least_a, float(chunk.min())), max(greatest_a, float(chunk.max()))
        if number % every == 0:
            taken.append(chunk.copy())
    return least_a, greatest_a, noise(np.concatenate(taken).astype(np.float64))


def _stretches(log: Log, floor_a: float, threshold: float) -> Iterator[tuple[bool, int, int]]:
    """Whether awake, first and last sample (exclusive) of each stretch between two crossings."""
    begin = first = 0
    state: bool | None = None
    for chunk in log.chunks():
        awake = _log10(chunk, floor_a) > threshold
        edges = np.flatnonzero(np.diff(awake)) + 1
        if state is not None and state != awake[0]:
            edges = np.concatenate(([0], edges))
        state = bool(awake[0]) if state is None else state
        for edge in edges:
            yield state, begin, first + int(edge)
            begin, state = first + int(edge), not state
        first += chunk.size
    if state is not None:
        yield state, begin, first


def _sums_a(log: Log, begins: list[int]) -> NDArray[np.float64]:
    """The sum of the samples from each of ``begins`` to the next."""
    bounds = np.array(begins)
    sums_a = np.zeros(len(begins))
    first = 0
    for chunk in log.chunks():
        number = int(np.searchsorted(bounds, first, "right")) - 1
        until = int(np.searchsorted(bounds, first + chunk.size, "left"))
        inside = np.maximum(bounds[number:until] - first, 0)
        sums_a[number:until] += np.add.reduceat(chunk.astype(np.float64), inside)
        first += chunk.size
    return sums_a


def _log10(samples: NDArray[np.float32], floor_a: float) -> NDArray[np.float64]:
    return np.log10(np.maximum(samples.astype(np.float64), floor_a))
