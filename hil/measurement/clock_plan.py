# SPDX-License-Identifier: Apache-2.0
"""What a period costs under each clock plan, from logs in which successive wakes use the plans in turn.

The charge of a wake is taken above the sleep current, with the edges of the wake well inside: so no edge has
to be known, and a plan that is awake for longer is charged for that and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.errors import MeasurementError
from hil.measurement.duty_cycle import awake_stretches
from hil.measurement.phases import Phase, PhaseName, first_of
from hil.measurement.uncertainty import (
    Estimate,
    combine,
    expanded,
    resolution,
    student,
    type_a_of_mean,
)
from hil.measurement.waveform import Waveform

SETTLING_S = 1.0
"""Assumption: after the entry into Stop 2, charge on the board's capacitors is gone within a second."""
MARGIN_SAMPLES = 3
"""Sleep on either side that goes with a wake; three samples hold any edge whole."""

MeanAccuracy = Callable[[NDArray[np.float64]], float]
"""Standard uncertainty that accuracy leaves in the mean of samples, in amperes."""
DifferenceAccuracy = Callable[[NDArray[np.float64], NDArray[np.float64], float], float]
"""The same for the difference of the charges of two waveforms with one sample period, in coulomb."""


@dataclass(frozen=True)
class PlanCost:
    """One plan. Charges and energies are per period."""

    plan: int
    computing_s: Estimate
    """At the plan's clock: features and network."""
    wake_c: Estimate
    """Of one wake, above what sleep would have taken meanwhile."""
    charge_c: Estimate
    average_a: Estimate


class PlanComparison:
    """Plans measured in several sweeps; sweep after sweep, wake ``i`` of each uses plan ``i``."""

    def __init__(
        self,
        sweeps: Sequence[tuple[Waveform, Sequence[Phase]]],
        plans: int,
        period_s: float,
        accuracy_a: MeanAccuracy,
        difference_c: DifferenceAccuracy,
    ) -> None:
        """Take the sweeps apart.

        Args:
            sweeps: logs with their phases, at least two, each with a whole wake per plan.
            plans: how many there are.
            period_s: the configured wake period, in seconds.
            accuracy_a: of a mean current.
            difference_c: of a difference of charges.

        Raises:
            MeasurementError: a log holds another number of whole wakes, or no settled sleep.
        """
        if len(sweeps) < 2:
            raise ValueError("the scatter between sweeps needs at least two of them")
        self._period_s, self.plans = period_s, plans
        self._accuracy_a, self._difference_c = accuracy_a, difference_c
        self._sample_s = sweeps[0][0].period_s
        sleep_a = np.concatenate([_settled_sleep(waveform, phases) for waveform, phases in sweeps])
        self._sleep_a = float(sleep_a.mean())
        self._sleep_u = combine(accuracy_a(sleep_a), type_a_of_mean(sleep_a))
        self._wakes = [[_wake(*sweep, plan, plans) for sweep in sweeps] for plan in range(plans)]
        self._computing_s = [
            [first_of(_stretch(*sweep, plan, plans), PhaseName.INFERENCE).duration_s for sweep in sweeps]
            for plan in range(plans)
        ]

    def cost(self, plan: int) -> PlanCost:
        """What ``plan`` takes."""
        wakes_a = np.concatenate(self._wakes[plan])
        count = len(self._wakes[plan])
        wake_s = wakes_a.size * self._sample_s / count
        wake_c = float(np.mean([self._excess_c(wake_a) for wake_a in self._wakes[plan]]))
        accuracy_c = self._accuracy_a(wakes_a) * wake_s
        wake_u = combine(accuracy_c, self._sleep_u * wake_s, self._scatter_c())
        charge_c = wake_c + self._sleep_a * self._period_s
        charge_u = combine(accuracy_c, self._sleep_u * (self._period_s - wake_s), self._scatter_c())
        times_s = np.array(self._computing_s[plan])
        edges_s = np.sqrt(2.0 / count) * resolution(self._sample_s)
        return PlanCost(
            plan=plan,
            computing_s=Estimate(float(times_s.mean()), expanded(combine(edges_s, type_a_of_mean(times_s)))),
            wake_c=Estimate(wake_c, expanded(wake_u)),
            charge_c=Estimate(charge_c, expanded(charge_u)),
            average_a=Estimate(charge_c / self._period_s, expanded(charge_u / self._period_s)),
        )

    def extra_c(self, plan: int, other: int) -> Estimate:
        """How much more charge per period ``plan`` takes than ``other``, in coulomb.

        Both were measured with one instrument: what they have in common in a range cancels, so this is known
        better than either charge.
        """
        first_a, second_a = np.concatenate(self._wakes[plan]), np.concatenate(self._wakes[other])
        count = len(self._wakes[plan])
        longer_s = (first_a.size - second_a.size) * self._sample_s / count
        difference = np.mean([self._excess_c(wake_a) for wake_a in self._wakes[plan]]) - np.mean(
            [self._excess_c(wake_a) for wake_a in self._wakes[other]]
        )
        standard = combine(
            self._difference_c(first_a, second_a, self._sample_s) / count,
            self._sleep_u * abs(longer_s),
            np.sqrt(2.0) * self._scatter_c(),
        )
        return Estimate(float(difference), expanded(standard))

    def cheapest(self, among: Sequence[int] | None = None) -> int:
        """The plan with the least charge per period, of all or of those ``among`` which it is sought."""
        plans = range(self.plans) if among is None else among
        return min(plans, key=lambda plan: self.cost(plan).charge_c.value)

    def _excess_c(self, wake_a: NDArray[np.float64]) -> float:
        return float(wake_a.sum() - self._sleep_a * wake_a.size) * self._sample_s

    def _scatter_c(self) -> float:
        """Standard uncertainty that the scatter between sweeps leaves in a plan's mean charge: pooled over
        the plans, since few sweeps know it badly (JCGM 100:2008, 4.2.4).
        """
        sweeps = len(self._wakes[0])
        variances = [np.var([self._excess_c(wake) for wake in wakes], ddof=1) for wakes in self._wakes]
        freedom = self.plans * (sweeps - 1)
        return student(freedom) * float(np.sqrt(np.mean(variances) / sweeps))


def _settled_sleep(waveform: Waveform, phases: Sequence[Phase]) -> NDArray[np.float64]:
    settled = [
        waveform.slice(phase.start_s + SETTLING_S, phase.end_s - waveform.period_s).current_a
        for phase in phases
        if phase.name is PhaseName.SLEEP and phase.duration_s > 2 * SETTLING_S
    ]
    if not settled:
        raise MeasurementError("no sleep is long enough to settle", where="clock plans", operation="measure")
    return np.concatenate(settled)


def _stretch(waveform: Waveform, phases: Sequence[Phase], plan: int, plans: int) -> list[Phase]:
    stretches = awake_stretches(phases)
    if len(stretches) != plans:
        raise MeasurementError(
            f"{len(stretches)} whole wakes in {waveform.duration_s:.1f} s",
            where="clock plans",
            operation="measure",
            expected=f"{plans}, one per plan",
            hint="did somebody speak to the device meanwhile, or does it wake at another period?",
        )
    return stretches[plan]


def _wake(waveform: Waveform, phases: Sequence[Phase], plan: int, plans: int) -> NDArray[np.float64]:
    """Samples of a wake with a margin of sleep on either side."""
    stretch = _stretch(waveform, phases, plan, plans)
    margin_s = MARGIN_SAMPLES * waveform.period_s
    return waveform.slice(stretch[0].start_s - margin_s, stretch[-1].end_s + margin_s).current_a
