# SPDX-License-Identifier: Apache-2.0
"""Where a period's charge goes: the phases of a duty cycle with their durations, charges and shares of the
average current, each with its uncertainty.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.errors import MeasurementError
from hil.measurement.duty_cycle import wake_times_s
from hil.measurement.phases import Phase, PhaseName
from hil.measurement.uncertainty import Estimate, combine, expanded, resolution, type_a_of_mean
from hil.measurement.waveform import Waveform

MeanAccuracy = Callable[[NDArray[np.float64]], float]
"""Standard uncertainty that the instrument's accuracy leaves in the mean of samples, in amperes."""


@dataclass(frozen=True)
class PhaseBudget:
    """One phase within whole periods; charges, energies and shares are per period."""

    name: PhaseName
    occurrences: int
    """In all periods together."""
    duration_s: Estimate
    """Mean length of one occurrence."""
    current_a: Estimate
    """Mean current while it lasts."""
    charge_c: Estimate
    energy_j: Estimate
    average_a: Estimate
    """What it adds to the average current."""
    share: Estimate
    """Of the average current, 0 to 1."""


def phase_budget(
    waveform: Waveform, phases: Sequence[Phase], supply_v: Estimate, accuracy_a: MeanAccuracy
) -> list[PhaseBudget]:
    """Return one row per phase that occurs between the first and the last wake-up, in the order of
    :class:`PhaseName`.

    Contributions to a charge are the instrument's accuracy, the edges (each known to a sample, times the step
    of current there) and, with several periods, the scatter between them. Errors of a phase and of the rest
    are taken as independent; what they share would make the share of a phase better known, not worse.

    Raises:
        MeasurementError: the waveform holds no whole period.
    """
    wakes = wake_times_s(phases)
    if len(wakes) < 2:
        raise MeasurementError(
            f"{len(wakes)} wake-up(s)",
            where="phase budget",
            expected="at least two, to hold one whole period",
        )
    periods = len(wakes) - 1
    length_s = (wakes[-1] - wakes[0]) / periods
    inside = [phase for phase in phases if wakes[0] <= phase.start_s < wakes[-1]]
    named = {name: [phase for phase in inside if phase.name is name] for name in PhaseName}
    charges = {
        name: _charge(waveform, phases, own, periods, accuracy_a) for name, own in named.items() if own
    }
    total_c = math.fsum(charge for charge, _ in charges.values())
    rows = []
    for name, (charge_c, charge_u) in charges.items():
        own = named[name]
        duration_s = math.fsum(phase.duration_s for phase in own) / periods
        rest_c = total_c - charge_c
        rest_u = combine(*(u for other, (_, u) in charges.items() if other is not name))
        # s = c / (c + r): ds = (r dc - c dr) / (c + r)²
        share_u = math.hypot(rest_c * charge_u, charge_c * rest_u) / total_c**2
        energy_u = math.hypot(supply_v.value * charge_u, charge_c * supply_v.expanded_uncertainty / 2)
        rows.append(
            PhaseBudget(
                name=name,
                occurrences=len(own),
                duration_s=_duration(own, waveform.period_s),
                current_a=Estimate(charge_c / duration_s, expanded(charge_u / duration_s)),
                charge_c=Estimate(charge_c, expanded(charge_u)),
                energy_j=Estimate(charge_c * supply_v.value, expanded(energy_u)),
                average_a=Estimate(charge_c / length_s, expanded(charge_u / length_s)),
                share=Estimate(charge_c / total_c, expanded(share_u)),
            )
        )
    return rows


def _charge(
    waveform: Waveform, phases: Sequence[Phase], own: Sequence[Phase], periods: int, accuracy_a: MeanAccuracy
) -> tuple[float, float]:
    """Charge of a phase per period and its standard uncertainty, in coulomb."""
    samples_a = np.concatenate(
        [waveform.slice(phase.start_s, phase.end_s - 0.5 * waveform.period_s).current_a for phase in own]
    )
    charge_c = float(samples_a.sum()) * waveform.period_s / periods
    accuracy_c = accuracy_a(samples_a) * samples_a.size * waveform.period_s / periods
    steps_a = [
        abs(before.mean_a - after.mean_a)
        for before, after in itertools.pairwise(phases)
        if before in own or after in own
    ]
    edges_c = combine(*(resolution(waveform.period_s) * step for step in steps_a)) / periods
    each_c = np.array([phase.charge_c for phase in own])
    scatter_c = type_a_of_mean(each_c) * len(own) / periods if len(own) > 1 else 0.0
    return charge_c, combine(accuracy_c, edges_c, scatter_c)


def _duration(own: Sequence[Phase], period_s: float) -> Estimate:
    """Mean length of the occurrences: two edges each, known to a sample, and their scatter."""
    each_s = np.array([phase.duration_s for phase in own])
    edges_s = math.sqrt(2 / len(own)) * resolution(period_s)
    scatter_s = type_a_of_mean(each_s) if len(own) > 1 else 0.0
    return Estimate(float(each_s.mean()), expanded(combine(edges_s, scatter_s)))
