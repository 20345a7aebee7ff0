# SPDX-License-Identifier: Apache-2.0
"""What a period costs under each clock plan, from logs in which successive wakes use the plans in turn.

The charge of a wake is taken above the sleep current, with the edges of the wake well inside: so no edge has
to be known, and a plan that is awake for longer is charged for that and no more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.errors import MeasurementError
from hil.measurement.budget import Budget, Distribution, Term, rectangle, scatter_of_mean
from hil.measurement.duty_cycle import awake_stretches
from hil.measurement.phases import Phase, PhaseName, first_of
from hil.measurement.uncertainty import Estimate
from hil.measurement.waveform import Waveform

SETTLING_S = 1.0
"""Assumption: after the entry into Stop 2, charge on the board's capacitors is gone within a second."""
MARGIN_SAMPLES = 3
"""Sleep on either side that goes with a wake; three samples hold any edge whole."""

MeanAccuracy = Callable[[NDArray[np.float64]], Budget]
"""What the instrument and the room leave open in the mean of samples, in amperes."""
DifferenceAccuracy = Callable[[NDArray[np.float64], NDArray[np.float64], float], Budget]
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
        self._sleep = Budget.of(
            accuracy_a(sleep_a), scatter_of_mean("noise of the sleep current", sleep_a, "A")
        )
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
        wake_c = self._wake_c(plan)
        accuracy = self._accuracy_a(wakes_a).scaled(wake_s)
        wake = Budget.of(accuracy, self._sleep.scaled(-wake_s), self._scatter())
        charge_c = wake_c + self._sleep_a * self._period_s
        charge = Budget.of(accuracy, self._sleep.scaled(self._period_s - wake_s), self._scatter())
        times_s = np.array(self._computing_s[plan])
        edges = rectangle("edges", self._sample_s / 2, "s", "half a sample", math.sqrt(2.0 / count))
        computing = Budget.of(edges, scatter_of_mean("scatter between sweeps", times_s, "s"))
        return PlanCost(
            plan=plan,
            computing_s=Estimate.of(float(times_s.mean()), computing),
            wake_c=Estimate.of(wake_c, wake),
            charge_c=Estimate.of(charge_c, charge),
            average_a=Estimate.of(charge_c / self._period_s, charge.scaled(1.0 / self._period_s)),
        )

    def extra_c(self, plan: int, other: int) -> Estimate:
        """How much more charge per period ``plan`` takes than ``other``, in coulomb.

        Both were measured with one instrument: what they have in common in a range cancels, so this is known
        better than either charge.
        """
        first_a, second_a = np.concatenate(self._wakes[plan]), np.concatenate(self._wakes[other])
        count = len(self._wakes[plan])
        longer_s = (first_a.size - second_a.size) * self._sample_s / count
        difference = self._wake_c(plan) - self._wake_c(other)
        budget = Budget.of(
            self._difference_c(first_a, second_a, self._sample_s).scaled(1.0 / count),
            self._sleep.scaled(-longer_s),
            Budget.of(self._scatter()).scaled(math.sqrt(2.0)),
        )
        return Estimate.of(float(difference), budget)

    def cheapest(self, among: Sequence[int] | None = None) -> int:
        """The plan with the least charge per period, of all or of those ``among`` which it is sought."""
        plans = range(self.plans) if among is None else among
        return min(plans, key=self._wake_c)

    def _wake_c(self, plan: int) -> float:
        """Mean charge of a wake above sleep, in coulomb."""
        return float(np.mean([self._excess_c(wake_a) for wake_a in self._wakes[plan]]))

    def _excess_c(self, wake_a: NDArray[np.float64]) -> float:
        return float(wake_a.sum() - self._sleep_a * wake_a.size) * self._sample_s

    def _scatter(self) -> Term:
        """What the scatter between sweeps leaves in a plan's mean charge, in coulomb: pooled over the plans,
        since few sweeps know it badly (JCGM 100:2008, 4.2.4).
        """
        sweeps = len(self._wakes[0])
        variances = [np.var([self._excess_c(wake) for wake in wakes], ddof=1) for wakes in self._wakes]
        return Term(
            "scatter between sweeps",
            float(np.sqrt(np.mean(variances) / sweeps)),
            "C",
            Distribution.STUDENT,
            f"{sweeps} sweeps of {self.plans} plans, pooled",
            degrees_of_freedom=self.plans * (sweeps - 1),
        )


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
