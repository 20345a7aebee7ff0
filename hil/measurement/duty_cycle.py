# SPDX-License-Identifier: Apache-2.0
"""The duty cycle in a waveform: when the device wakes, how far apart, and what it draws on average.

An average over a time that is not a whole number of periods depends on where it starts; this one is taken
from one wake-up to a later one.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from hil.errors import MeasurementError
from hil.measurement.phases import Phase, PhaseName
from hil.measurement.waveform import Waveform


@dataclass(frozen=True)
class DutyCycle:
    """Whole periods of a waveform."""

    wake_times_s: tuple[float, ...]
    """Beginnings of the awake stretches, in seconds on the bench clock."""
    period_s: float
    """Mean time between them."""
    whole_periods: Waveform
    """The part of the waveform from the first wake-up to the last."""

    @property
    def average_a(self) -> float:
        """Average current over the whole periods, in amperes."""
        return self.whole_periods.mean_a


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
    return DutyCycle(times_s, period_s, waveform.slice(times_s[0], times_s[-1]))
