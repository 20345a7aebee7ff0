# SPDX-License-Identifier: Apache-2.0
"""Cut a supply current into the phases of a duty-cycled sensor: sleep, wake-up, sampling, inference, report,
wind-down.

Only the current is looked at; no marker and no expected timing goes in, so the result is independent of both:

1. *Sleep or awake*: the histogram of the current's logarithm has two far-apart groups, and Otsu's threshold
   (IEEE Trans. SMC 9(1), 1979, p 62) splits them. Levels differ by decades, so the logarithm weighs them
   alike.
2. *Inference* is the part of an awake stretch that runs at the high clock: the run of samples above the
   geometric mean of the stretch's plateau and its peak that carries most charge.
3. *Sampling* is the plateau before it, *wake-up* what leads into the plateau. What follows until sleep is the
   *report*, or the *wind-down* if it is too short to be one.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from hil.errors import MeasurementError
from hil.measurement.waveform import Waveform

FLOOR_A = 1e-9
"""A current around zero has no logarithm; below this it counts as this. Far under any sleep current of
interest."""
NOISE_SPANS = 5.0
"""Currents below this many standard deviations of the noise are not told apart."""
SEPARATION = 2.0
"""Assumption: the plateau and the peak of a stretch differ at least by this factor, or there was no fast
phase."""
PLATEAU_BAND = 0.15
"""Assumption: samples within this relative band around the plateau's median belong to the plateau. Wider than
the noise and ripple of an averaging analyzer, narrower than the step between two clocks or modes."""
LONE_SAMPLES = 2
"""Parts of fewer samples are not resolved by the sample period and are joined to their neighbour."""
REPORT_MINIMUM_S = 1e-3
"""Assumption: a report is a line of at least a dozen characters, which 115200 baud sends in a millisecond."""
HISTOGRAM_BINS = 400


class PhaseName(StrEnum):
    """What a duty-cycled sensor does, told from its current."""

    SLEEP = "sleep"
    WAKE_UP = "wake-up"
    SAMPLING = "sampling"
    INFERENCE = "inference"
    REPORT = "report"
    WIND_DOWN = "wind-down"


@dataclass(frozen=True)
class Phase:
    """A stretch of time in which the device does one thing."""

    name: PhaseName
    start_s: float
    end_s: float
    mean_a: float
    charge_c: float

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.end_s - self.start_s

    def energy_j(self, voltage_v: float) -> float:
        """Energy in joules at a constant supply voltage."""
        return self.charge_c * voltage_v


def first_of(phases: Sequence[Phase], name: PhaseName, begins_from_s: float = -math.inf) -> Phase:
    """Return the first phase of that name that begins at ``begins_from_s`` (bench clock) or later.

    Raises:
        MeasurementError: if there is none.
    """
    for phase in phases:
        if phase.name is name and phase.start_s >= begins_from_s:
            return phase
    shown = ", ".join(dict.fromkeys(phase.name for phase in phases)) or "none at all"
    raise MeasurementError(
        f"the current shows no {name} phase after {begins_from_s:g} s; its phases are {shown}",
        where="phases",
        hint="look at the waveform in the report: does the device wake, and at which clock does it compute?",
    )


def segment(waveform: Waveform) -> list[Phase]:
    """Return the phases of a waveform in order of time, without gaps; first and last are cut by its ends.

    Raises:
        MeasurementError: if the current does not change between sleep and activity.
    """
    log_current = np.log10(
        np.maximum(waveform.current_a, max(FLOOR_A, NOISE_SPANS * _noise_a(waveform.current_a)))
    )
    awake = log_current > _otsu_threshold(log_current)
    edges = np.flatnonzero(np.diff(awake)) + 1
    bounds = [0, *edges.tolist(), len(waveform)]
    parts: list[tuple[PhaseName, int, int]] = []
    for first, last in itertools.pairwise(bounds):
        if awake[first]:
            parts.extend(_awake_parts(waveform, first, last))
        else:
            parts.append((PhaseName.SLEEP, first, last))
    return [_phase(waveform, name, first, last) for name, first, last in _merged(parts)]


def _noise_a(current_a: NDArray[np.float64]) -> float:
    """Standard deviation of the sample noise, from the median step: the few real steps do not move a
    median.
    """
    steps = np.abs(np.diff(current_a))
    # Median of |normal| is 0.6745 sigma, and a difference of two samples has sqrt(2) times their sigma.
    return float(np.median(steps)) / 0.6745 / np.sqrt(2.0) if steps.size else 0.0


def _otsu_threshold(log_current: NDArray[np.float64]) -> float:
    decades = float(np.ptp(log_current))
    if decades < np.log10(SEPARATION):
        raise MeasurementError(
            f"the current stays within a factor of {10**decades:.2f}",
            where="phases",
            operation="segment",
            expected="a waveform with sleep and activity in it",
            hint="log for longer than one wake period, or look whether the device runs at all",
        )
    counts, edges = np.histogram(log_current, bins=HISTOGRAM_BINS)
    centres = (edges[:-1] + edges[1:]) / 2
    weight_low = np.cumsum(counts)[:-1].astype(np.float64)
    weight_high = counts.sum() - weight_low
    sum_low = np.cumsum(counts * centres)[:-1]
    mean_low = sum_low / weight_low
    mean_high = ((counts * centres).sum() - sum_low) / weight_high
    between_classes = weight_low * weight_high * (mean_high - mean_low) ** 2
    best = np.flatnonzero(between_classes == between_classes.max())
    return float(edges[1:-1][best].mean())  # an empty valley gives a run of equal maxima: take its middle


def _awake_parts(waveform: Waveform, first: int, last: int) -> list[tuple[PhaseName, int, int]]:
    current_a = waveform.current_a
    stretch = current_a[first:last]
    plateau, peak = float(np.median(stretch)), float(stretch.max())
    above = stretch > np.sqrt(max(plateau, FLOOR_A) * peak)
    if peak < SEPARATION * plateau:
        return [(PhaseName.SAMPLING, first, last)]
    fast_first, fast_last = (first + bound for bound in _main_run(stretch, above))
    parts = []
    if fast_first > first:
        before = current_a[first:fast_first]
        level = float(np.median(before))
        on_plateau = np.flatnonzero(np.abs(before - level) <= PLATEAU_BAND * level)
        sampling_first = first + int(on_plateau[0])
        parts += [
            (PhaseName.WAKE_UP, first, sampling_first),
            (PhaseName.SAMPLING, sampling_first, fast_first),
        ]
    parts.append((PhaseName.INFERENCE, fast_first, fast_last))
    if last - fast_last >= LONE_SAMPLES:
        is_report = (last - fast_last) * waveform.period_s >= REPORT_MINIMUM_S
        parts.append((PhaseName.REPORT if is_report else PhaseName.WIND_DOWN, fast_last, last))
    else:
        parts[-1] = (PhaseName.INFERENCE, fast_first, last)
    return [part for part in parts if part[2] > part[1]]


def _main_run(current_a: NDArray[np.float64], above: NDArray[np.bool_]) -> tuple[int, int]:
    """Bounds of the run of samples above a threshold that carries most charge.

    Other runs that are nearer to it than it is long belong to it. A wake-up's peak is high as well, but short
    and far away.
    """
    edges = np.flatnonzero(np.diff(above, prepend=False, append=False))
    runs = list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
    begin, end = max(runs, key=lambda run: float(current_a[run[0] : run[1]].sum()))
    reach = end - begin
    for run_begin, run_end in runs:
        if begin - run_end < reach and run_begin - end < reach:
            begin, end = min(begin, run_begin), max(end, run_end)
    return begin, end


def _merged(parts: list[tuple[PhaseName, int, int]]) -> list[tuple[PhaseName, int, int]]:
    """Join lone awake samples (a spike of noise) to the sleep around them, and neighbours of one name."""
    merged: list[tuple[PhaseName, int, int]] = []
    for name, first, last in parts:
        lone = name is PhaseName.SAMPLING and last - first < LONE_SAMPLES
        kept = PhaseName.SLEEP if lone else name
        if merged and merged[-1][0] is kept:
            merged[-1] = (kept, merged[-1][1], last)
        else:
            merged.append((kept, first, last))
    return merged


def _phase(waveform: Waveform, name: PhaseName, first: int, last: int) -> Phase:
    part = waveform.current_a[first:last]
    start_s = waveform.start_s + first * waveform.period_s
    end_s = waveform.start_s + last * waveform.period_s
    return Phase(name, start_s, end_s, float(part.mean()), float(part.sum()) * waveform.period_s)
