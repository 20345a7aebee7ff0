# SPDX-License-Identifier: Apache-2.0
"""Cut a supply current into the phases of a duty-cycled sensor: sleep, wake-up, sampling, inference, report,
wind-down.

Only the current is looked at; no marker and no expected timing goes in, so the result is independent of both:

1. *Sleep or awake*: the histogram of the current's logarithm has two far-apart groups, and Otsu's threshold
   (IEEE Trans. SMC 9(1), 1979, p 62) splits them. Levels differ by decades, so the logarithm weighs them
   alike.
2. An awake stretch is cut into *levels* where its mean changes by more than its noise
   (:mod:`hil.measurement.levels`). How far apart the levels are does not matter, so a part that computes in
   low-power run, close to what it draws while it samples, is cut like one that computes at 80 MHz.
3. *Sampling* is the level at which the stretch spends most of its time, *wake-up* what leads to it.
4. *Inference* is the first thing of weight that follows: what comes between (the ADC going down, a PLL coming
   up) carries a small part of its charge. It goes on as long as the current is that of one clock.
5. What is left until sleep is the *report*, or the *wind-down* if it is too short to be one. A report sent
   at the clock of the computing, with the core awake, cannot be told from it and is counted to the inference.
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
from hil.measurement.levels import LONE_SAMPLES, Level, alike, levels, noise
from hil.measurement.waveform import Waveform

FLOOR_A = 1e-9
"""A current around zero has no logarithm; below this it counts as this. Far under any sleep current of
interest."""
NOISE_SPANS = 5.0
"""Currents below this many standard deviations of the noise are not told apart."""
SEPARATION = 2.0
"""Assumption: a waveform whose current stays within this factor holds no sleep and activity."""
MAIN_SHARE = 0.1
"""Assumption: clock changes and the like carry less than this part of the charge of the heaviest thing that
follows the sampling."""
CLOCK_BAND = 1.5
"""Assumption: at one clock the current varies by less than this factor with what the core executes."""
REPORT_MINIMUM_S = 3e-3
"""Assumption: a report is a line of at least three dozen characters, which 115200 baud sends in this time;
storing results before the sleep takes less."""
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
    log_current = np.log10(np.maximum(waveform.current_a, log_floor_a(noise(waveform.current_a))))
    counts, edges_of_bins = np.histogram(log_current, bins=HISTOGRAM_BINS)
    awake = log_current > otsu_threshold(float(np.ptp(log_current)), counts, edges_of_bins)
    edges = np.flatnonzero(np.diff(awake)) + 1
    bounds = [0, *edges.tolist(), len(waveform)]
    parts: list[tuple[PhaseName, int, int]] = []
    for first, last in itertools.pairwise(bounds):
        if awake[first]:
            parts.extend(awake_parts(waveform, first, last))
        else:
            parts.append((PhaseName.SLEEP, first, last))
    return [_phase(waveform, name, first, last) for name, first, last in merged(parts)]


def log_floor_a(noise_a: float) -> float:
    """The least current whose logarithm tells something, where the noise has this standard deviation."""
    return max(FLOOR_A, NOISE_SPANS * noise_a)


def otsu_threshold(decades: float, counts: NDArray[np.int64], edges: NDArray[np.float64]) -> float:
    """The logarithm of the current that splits its histogram into sleep and activity.

    Args:
        decades: from the least to the greatest current.
        counts: of each bin.
        edges: of the bins, as logarithms.

    Raises:
        MeasurementError: the currents are alike.
    """
    if decades < np.log10(SEPARATION):
        raise MeasurementError(
            f"the current stays within a factor of {10**decades:.2f}",
            where="phases",
            operation="segment",
            expected="a waveform with sleep and activity in it",
            hint="log for longer than one wake period, or look whether the device runs at all",
        )
    centres = (edges[:-1] + edges[1:]) / 2
    weight_low = np.cumsum(counts)[:-1].astype(np.float64)
    weight_high = counts.sum() - weight_low
    sum_low = np.cumsum(counts * centres)[:-1]
    mean_low = sum_low / weight_low
    mean_high = ((counts * centres).sum() - sum_low) / weight_high
    between_classes = weight_low * weight_high * (mean_high - mean_low) ** 2
    best = np.flatnonzero(between_classes == between_classes.max())
    return float(edges[1:-1][best].mean())  # an empty valley gives a run of equal maxima: take its middle


def awake_parts(waveform: Waveform, first: int, last: int) -> list[tuple[PhaseName, int, int]]:
    """Cut an awake stretch, samples ``first`` to ``last`` (exclusive), into phases with their bounds."""
    found = levels(waveform.current_a[first:last])
    plateau_first, plateau_last = _plateau(found)
    parts = [
        (PhaseName.WAKE_UP, first, first + found[plateau_first].first),
        (PhaseName.SAMPLING, first + found[plateau_first].first, first + found[plateau_last - 1].last),
    ]
    after = found[plateau_last:]
    computing = _computing(waveform.current_a[first:last], found[plateau_first].median, after)
    if computing is None:
        fast_last = parts[-1][2]
    else:
        fast_first, fast_last = (first + bound for bound in computing)
        parts[-1] = (PhaseName.SAMPLING, parts[-1][1], fast_first)
        parts.append((PhaseName.INFERENCE, fast_first, fast_last))
    if last - fast_last >= LONE_SAMPLES:
        is_report = (last - fast_last) * waveform.period_s >= REPORT_MINIMUM_S
        parts.append((PhaseName.REPORT if is_report else PhaseName.WIND_DOWN, fast_last, last))
    else:
        parts[-1] = (*parts[-1][:2], last)
    return [part for part in parts if part[2] > part[1]]


def _plateau(found: Sequence[Level]) -> tuple[int, int]:
    """Bounds, as indices into ``found``, of the level at which the stretch spends most of its time.

    What interrupts it counts to it as long as every interruption is shorter than what it interrupts.
    """
    medians = np.array([level.median for level in found])
    lengths = np.array([level.samples for level in found])
    time_at = [int(lengths[[alike(median, other) for other in medians]].sum()) for median in medians]
    most = max(time_at)
    own = [index for index, level in enumerate(found) if time_at[index] == most]
    begin = end = max(own, key=lambda index: found[index].samples)
    for ahead in [index for index in own if index > end]:
        if not _interrupts(found[end + 1 : ahead], found[end], found[ahead]):
            break
        end = ahead
    for back in reversed([index for index in own if index < begin]):
        if not _interrupts(found[back + 1 : begin], found[back], found[begin]):
            break
        begin = back
    return begin, end + 1


def _interrupts(between: Sequence[Level], before: Level, after: Level) -> bool:
    return sum(level.samples for level in between) < min(before.samples, after.samples)


def _computing(
    current_a: NDArray[np.float64], sampling_a: float, after: Sequence[Level]
) -> tuple[int, int] | None:
    """Bounds of the computing in the levels that follow the sampling; None if nothing there computes."""
    charges = [float(current_a[level.first : level.last].sum()) for level in after]
    heaviest = max(charges, default=0.0)
    main = next((index for index, charge in enumerate(charges) if charge >= MAIN_SHARE * heaviest), None)
    if main is None or after[main].median <= sampling_a:
        return None
    begin, end, top_a = after[main].first, after[main].last, after[main].median
    for level in after[main + 1 :]:
        if level.first - end >= end - begin:
            break  # farther away than the computing is long: something else
        if level.median > top_a / CLOCK_BAND:
            end, top_a = level.last, max(top_a, level.median)
    return begin, end


def merged(parts: list[tuple[PhaseName, int, int]]) -> list[tuple[PhaseName, int, int]]:
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
