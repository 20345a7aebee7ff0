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
from hil.measurement.budget import Budget, rectangle, scatter_of_mean
from hil.measurement.duty_cycle import wake_times_s
from hil.measurement.edges import TRANSIENT, edge_s
from hil.measurement.phases import Phase, PhaseName
from hil.measurement.uncertainty import Estimate
from hil.measurement.waveform import Waveform

MeanAccuracy = Callable[[NDArray[np.float64]], Budget]
"""What the instrument and the room leave open in the mean of samples, in amperes."""


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
    of current there) and, with several periods, the scatter between them. An error of the instrument that a
    phase and the rest have in common cancels in the share of the phase.

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
    total = Budget.of(*(charge for _, charge in charges.values()))
    rows = []
    for name, (charge_c, charge) in charges.items():
        own = named[name]
        duration_s = math.fsum(phase.duration_s for phase in own) / periods
        # s = c / t: ds = (dc - s dt) / t
        share = Budget.of(charge, total.scaled(-charge_c / total_c)).scaled(1.0 / total_c)
        energy = Budget.of(
            charge.scaled(supply_v.value), supply_v.contribution("supply voltage", "V", charge_c)
        )
        rows.append(
            PhaseBudget(
                name=name,
                occurrences=len(own),
                duration_s=_duration(own, waveform),
                current_a=Estimate.of(charge_c / duration_s, charge.scaled(1.0 / duration_s)),
                charge_c=Estimate.of(charge_c, charge),
                energy_j=Estimate.of(charge_c * supply_v.value, energy),
                average_a=Estimate.of(charge_c / length_s, charge.scaled(1.0 / length_s)),
                share=Estimate.of(charge_c / total_c, share),
            )
        )
    return rows


def _charge(
    waveform: Waveform, phases: Sequence[Phase], own: Sequence[Phase], periods: int, accuracy_a: MeanAccuracy
) -> tuple[float, Budget]:
    """Charge of a phase per period and its budget, in coulomb."""
    samples_a = np.concatenate(
        [waveform.slice(phase.start_s, phase.end_s - 0.5 * waveform.period_s).current_a for phase in own]
    )
    charge_c = float(samples_a.sum()) * waveform.period_s / periods
    accuracy = accuracy_a(samples_a).scaled(samples_a.size * waveform.period_s / periods)
    steps_a = [
        abs(before.mean_a - after.mean_a)
        for before, after in itertools.pairwise(phases)
        if before in own or after in own
    ]
    # Edges fall into their samples by chance, each for itself.
    edges = rectangle(
        f"edges of {own[0].name}",
        waveform.period_s / 2,
        "s",
        "half a sample",
        math.hypot(*steps_a) / periods,
    )
    parts = [accuracy, Budget.of(edges)]
    if len(own) > 1:
        scatter = scatter_of_mean(
            f"scatter of {own[0].name} between periods", np.array([phase.charge_c for phase in own]), "C"
        )
        parts.append(Budget.of(scatter).scaled(len(own) / periods))
    return charge_c, Budget.of(*parts)


def _duration(own: Sequence[Phase], waveform: Waveform) -> Estimate:
    """Mean length of the occurrences: two edges each, interpolated in their samples, and their scatter.

    What a transient does to an edge, it does to all of its kind: more occurrences do not make it smaller.
    """
    each_s = np.array([edge_s(waveform, phase.end_s) - edge_s(waveform, phase.start_s) for phase in own])
    bound_s = TRANSIENT * waveform.period_s
    edges = rectangle("edges", bound_s, "s", "assumption, a quarter of a sample", math.sqrt(2.0))
    scatter = [scatter_of_mean("scatter between periods", each_s, "s")] if len(own) > 1 else []
    return Estimate.of(float(each_s.mean()), Budget.of(edges, *scatter))
