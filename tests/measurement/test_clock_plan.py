# SPDX-License-Identifier: Apache-2.0
"""Clock plans in synthetic sweeps, of which each plan's charge is known."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from hil.errors import MeasurementError
from hil.measurement.budget import Budget, rectangle
from hil.measurement.clock_plan import PlanComparison
from hil.measurement.phases import Phase, segment
from hil.measurement.waveform import Waveform

SAMPLE_S = 1e-3
SLEEP_A, SAMPLING_A = 1.67e-6, 40e-6
PERIOD_S = 10.0
PLANS = [(10e-3, 3), (2.5e-3, 9), (240e-6, 120)]
"""Current and milliseconds of computing: 30, 22.5 and 28.8 µC."""


def sweep(plans: list[tuple[float, int]] = PLANS, offset_a: float = 0.0) -> tuple[Waveform, list[Phase]]:
    pieces = [(SLEEP_A, 4000)]
    for current, length in plans:
        pieces += [(SAMPLING_A, 512), (current + offset_a, length), (SLEEP_A, 9488 - length)]
    waveform = Waveform(70.0, SAMPLE_S, np.concatenate([np.full(count, level) for level, count in pieces]))
    return waveform, segment(waveform)


def no_accuracy(_samples: NDArray[np.float64]) -> Budget:
    return Budget()


def no_difference(_a: NDArray[np.float64], _b: NDArray[np.float64], _period_s: float) -> Budget:
    return Budget()


def compared(*sweeps: tuple[Waveform, list[Phase]]) -> PlanComparison:
    return PlanComparison(sweeps, len(PLANS), PERIOD_S, no_accuracy, no_difference)


def test_the_cheapest_plan_is_named_and_every_plan_s_cost_known() -> None:
    comparison = compared(sweep(), sweep())
    assert comparison.cheapest() == 1
    assert comparison.cheapest(among=[0, 2]) == 2
    for plan, (current, length) in enumerate(PLANS):
        cost = comparison.cost(plan)
        wake_c = (SAMPLING_A - SLEEP_A) * 0.512 + (current - SLEEP_A) * length * 1e-3
        assert cost.wake_c.value == pytest.approx(wake_c)
        assert cost.charge_c.value == pytest.approx(wake_c + SLEEP_A * PERIOD_S)
        assert cost.average_a.value == pytest.approx(cost.charge_c.value / PERIOD_S)
        assert cost.computing_s.value == pytest.approx(length * 1e-3)
    extra = comparison.extra_c(0, 1)
    assert extra.value == pytest.approx(30e-6 - 22.5e-6 + SLEEP_A * 6e-3)
    assert comparison.extra_c(1, 0).value == -extra.value


def test_scatter_is_pooled_over_the_plans() -> None:
    """One plan scatters by 0.1 mA x 3 ms between two sweeps; three plans give three degrees of freedom."""
    other = [(10.1e-3, 3), *PLANS[1:]]
    comparison = compared(sweep(), sweep(other))
    variance = (0.1e-3 * 3e-3) ** 2 / 2 / 3
    student = 3.182
    assert comparison.extra_c(0, 1).expanded_uncertainty == pytest.approx(
        math.sqrt(2) * student * math.sqrt(variance / 2), rel=0.02
    )


def test_accuracy_of_the_difference_is_asked_for_all_samples_of_both() -> None:
    asked: list[tuple[int, int, float]] = []

    def difference(first: NDArray[np.float64], second: NDArray[np.float64], period_s: float) -> Budget:
        asked.append((first.size, second.size, period_s))
        return Budget.of(rectangle("instrument", 4e-6, "C", "test"))

    comparison = PlanComparison([sweep(), sweep()], len(PLANS), PERIOD_S, no_accuracy, difference)
    assert comparison.extra_c(0, 2).expanded_uncertainty == pytest.approx(0.95 * 4e-6 / 2)
    assert asked == [(2 * (512 + 3 + 6), 2 * (512 + 120 + 6), SAMPLE_S)]


def test_another_number_of_wakes_is_no_sweep() -> None:
    with pytest.raises(MeasurementError, match=r"2 whole wakes in 24\.0 s; expected 3, one per plan"):
        compared(sweep(PLANS[:2]), sweep(PLANS[:2]))


def test_one_sweep_knows_no_scatter() -> None:
    with pytest.raises(ValueError, match="at least two"):
        compared(sweep())
