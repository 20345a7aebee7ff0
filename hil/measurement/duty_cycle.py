# SPDX-License-Identifier: Apache-2.0
"""The duty cycle in a waveform: when the device wakes, how far apart, and what it draws on average.

An average over a time that is not a whole number of periods depends on where it starts; this one is taken
from one wake-up to a later one.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.errors import MeasurementError
from hil.measurement.budget import Budget, rectangle, scatter_of_mean
from hil.measurement.phases import Phase, PhaseName
from hil.measurement.uncertainty import Estimate
from hil.measurement.waveform import Waveform

_NEAR = 3
"""Samples next to an edge whose current the edge may move."""


@dataclass(frozen=True, eq=False)
class DutyCycle:
    """Whole periods of a waveform."""

    wake_times_s: tuple[float, ...]
    """Beginnings of the awake stretches, in seconds on the bench clock."""
    period_s: float
    """Mean time between them."""
    whole_periods: Waveform
    """The part of the waveform from the first wake-up to the last."""
    beyond_a: NDArray[np.float64]
    """The first samples of the last wake-up, in amperes."""

    def average_a(self, accuracy_a: Callable[[NDArray[np.float64]], Budget]) -> Estimate:
        """Average current over the whole periods, in amperes.

        Args:
            accuracy_a: what the instrument and the room leave open in the mean of samples, in amperes.
        """
        whole = self.whole_periods
        # Where a period begins is known to a sample: at most one of the current there more or less.
        edges = [
            rectangle(
                f"{which} edge of the whole periods",
                whole.period_s,
                "s",
                "one sample",
                float(np.abs(near_a).max()) / whole.duration_s,
            )
            for which, near_a in (("first", whole.current_a[:_NEAR]), ("last", self.beyond_a))
            if near_a.size
        ]
        per_period = [whole.slice(begin, end).mean_a for begin, end in itertools.pairwise(self.wake_times_s)]
        if len(per_period) > 1:
            edges.append(scatter_of_mean("scatter between periods", np.array(per_period), "A"))
        return Estimate.of(whole.mean_a, Budget.of(accuracy_a(whole.current_a), *edges))


def wake_times_s(phases: Sequence[Phase]) -> tuple[float, ...]:
    """Return when sleep ends, for every sleep that is followed by activity."""
    return tuple(
        after.start_s
        for before, after in itertools.pairwise(phases)
        if before.name is PhaseName.SLEEP and after.name is not PhaseName.SLEEP
    )


def awake_stretches(phases: Sequence[Phase]) -> list[list[Phase]]:
    """Return the phases between one sleep and the next, for every awake stretch that the waveform holds
    whole.
    """
    stretches: list[list[Phase]] = []
    current: list[Phase] | None = None
    for phase in phases:
        if phase.name is PhaseName.SLEEP:
            if current:
                stretches.append(current)
            current = []
        elif current is not None:
            current.append(phase)
    return stretches


def measure(waveform: Waveform, phases: Sequence[Phase]) -> DutyCycle:
    """Return the duty cycle of a segmented waveform.

    Raises:
        MeasurementError: with fewer than two wake-ups there is no whole period.
    """
    times_s = wake_times_s(phases)
    if len(times_s) < 2:
        raise MeasurementError(
            f"{len(times_s)} wake-up(s) in {waveform.duration_s:.1f} s",
            where="duty cycle",
            operation="measure",
            expected="at least two, to hold one whole period",
            hint="log for longer, or look why the device does not wake",
        )
    period_s = (times_s[-1] - times_s[0]) / (len(times_s) - 1)
    whole = waveform.slice(times_s[0], times_s[-1])
    beyond_a = waveform.slice(times_s[-1], waveform.end_s).current_a[:_NEAR]
    return DutyCycle(times_s, period_s, whole, beyond_a)
