# SPDX-License-Identifier: Apache-2.0
"""What the module's digitiser makes of the current: samples of 5.12 µs, averaged over longer periods.

The N678xA sample all the time at 200 kHz and choose the range for each sample (seamless ranging); logs and
slow scope traces are averages of such samples (N6705C User's Guide, data logger sampling modes). A period
with a short burst so has the burst's errors on the burst's range and those of the rest on its own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hil.twin.analyzer.bench import SupplyTrace
from hil.twin.analyzer.ranges import OVERLOAD, SAMPLE_S, Meter

SAMPLE_PS = 5_120_000
"""One sample: 5.12 µs, 195 kSa/s (N6700C Operating and Service Guide, SENSe:SWEep:TINTerval)."""

_BLOCK_SAMPLES = 1 << 18
"""Samples that are worked on at a time where each is needed by itself."""


def averages(
    supply: SupplyTrace, meter: Meter, edges_ps: NDArray[np.int64], fixed_range: float | None
) -> NDArray[np.float64]:
    """The reading of each period between neighbouring ``edges_ps``: the average of its samples.

    Samples during which nothing happens are not taken one by one: a run of equal ones is one reading with the
    noise of their average. A period with an overloaded sample reads overload.
    """
    segments_ps, counts = _segments(supply, edges_ps)
    true_a = supply.mean_current_a(segments_ps)
    readings = meter.read(true_a, SAMPLE_S * np.maximum(counts, 1), fixed_range)
    weights = np.diff(segments_ps).astype(np.float64)
    first = np.searchsorted(segments_ps[:-1], edges_ps[:-1])
    total = np.add.reduceat(np.where(readings >= OVERLOAD, 0.0, readings) * weights, first)
    average: NDArray[np.float64] = total / np.add.reduceat(weights, first)
    overloaded = np.maximum.reduceat(readings, first) >= OVERLOAD
    return np.where(overloaded, OVERLOAD, average)


def _segments(
    supply: SupplyTrace, edges_ps: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Borders between samples that are not alike, and how many samples there are between each two.

    Samples are counted from the first edge; a period that is no whole number of them ends with a short one.
    """
    start_ps = edges_ps[0]
    steps_ps = supply.step_times_ps(int(start_ps), int(edges_ps[-1]))
    into = (steps_ps - start_ps) // SAMPLE_PS
    # At the border of two samples a charge counts to the one before it, a step to the one after it.
    on_border = (steps_ps - start_ps) % SAMPLE_PS == 0
    first = start_ps + SAMPLE_PS * np.concatenate((into, into[on_border] - 1))
    borders_ps = np.unique(np.concatenate((edges_ps, first, first + SAMPLE_PS)))
    borders_ps = borders_ps[(borders_ps >= start_ps) & (borders_ps <= edges_ps[-1])]
    return borders_ps, np.diff(borders_ps) / SAMPLE_PS


def extremes(
    supply: SupplyTrace, meter: Meter, edges_ps: NDArray[np.int64], fixed_range: float | None
) -> NDArray[np.float64]:
    """Average, minimum and maximum of the samples of each period: three columns, a row for each period.

    ``edges_ps`` are equally far apart, by a whole number of samples.
    """
    periods = len(edges_ps) - 1
    samples = max(1, int(edges_ps[1] - edges_ps[0]) // SAMPLE_PS) if periods else 1
    sample_ps = int(edges_ps[1] - edges_ps[0]) // samples if periods else SAMPLE_PS
    rows = np.empty((periods, 3))
    if samples > _BLOCK_SAMPLES:
        for row in range(periods):
            rows[row] = _long_period(supply, meter, int(edges_ps[row]), samples, fixed_range)
        return rows
    at_a_time = max(1, _BLOCK_SAMPLES // samples)
    for done in range(0, periods, at_a_time):
        count = min(at_a_time, periods - done)
        readings = _samples(supply, meter, int(edges_ps[done]), count * samples, sample_ps, fixed_range)
        readings = readings.reshape(count, samples)
        rows[done : done + count, 0] = _mean(readings)
        rows[done : done + count, 1] = np.min(readings, axis=1)
        rows[done : done + count, 2] = np.max(readings, axis=1)
    return rows


def _long_period(
    supply: SupplyTrace, meter: Meter, start_ps: int, samples: int, fixed_range: float | None
) -> NDArray[np.float64]:
    """One row of :func:`extremes`, in blocks."""
    parts = []
    weights = []
    for done in range(0, samples, _BLOCK_SAMPLES):
        count = min(_BLOCK_SAMPLES, samples - done)
        readings = _samples(supply, meter, start_ps + done * SAMPLE_PS, count, SAMPLE_PS, fixed_range)
        parts.append((float(_mean(readings[np.newaxis])[0]), float(readings.min()), float(readings.max())))
        weights.append(count)
    means, minima, maxima = np.array(parts).T
    mean = OVERLOAD if bool(np.any(means >= OVERLOAD)) else float(np.average(means, weights=weights))
    return np.array([mean, minima.min(), maxima.max()])


def _samples(
    supply: SupplyTrace, meter: Meter, start_ps: int, count: int, sample_ps: int, fixed_range: float | None
) -> NDArray[np.float64]:
    edges_ps = start_ps + sample_ps * np.arange(count + 1, dtype=np.int64)
    return meter.read(supply.mean_current_a(edges_ps), sample_ps * 1e-12, fixed_range)


def _mean(readings: NDArray[np.float64]) -> NDArray[np.float64]:
    overloaded = np.any(readings >= OVERLOAD, axis=1)
    mean: NDArray[np.float64] = np.where(
        overloaded, OVERLOAD, np.mean(np.where(readings >= OVERLOAD, 0.0, readings), axis=1)
    )
    return mean
