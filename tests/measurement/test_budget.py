# SPDX-License-Identifier: Apache-2.0
"""Budgets against simulations and against the worked examples of the GUM."""

import math
from itertools import pairwise

import numpy as np
import pytest

from hil.measurement.budget import Budget, Distribution, Term, rectangle, scatter_of_mean
from hil.results import budget_json


def normal(name: str, standard: float, degrees_of_freedom: float = math.inf) -> Term:
    student = math.isfinite(degrees_of_freedom)
    distribution = Distribution.STUDENT if student else Distribution.NORMAL
    return Term(name, standard, "", distribution, "", degrees_of_freedom=degrees_of_freedom)


def test_the_end_gauge_of_the_gum() -> None:
    """JCGM 100:2008, H.1: standard uncertainty 32 nm with 16 degrees of freedom."""
    budget = Budget.of(
        normal("calibration of the standard", 25.0, 18),
        normal("difference, repeated", 5.8, 24),
        normal("comparator, random", 3.9, 5),
        normal("comparator, systematic", 6.7, 8),
        normal("difference of the expansions", 2.9, 50),
        normal("difference of the temperatures", 16.6, 2),
    )
    assert budget.standard_uncertainty == pytest.approx(32.0, abs=0.5)
    assert budget.degrees_of_freedom == pytest.approx(16.0, abs=1.0)


def test_two_equal_rectangles_make_a_triangle() -> None:
    """JCGM 101:2008, 9.2: what of a sum lies within the coverage factor, known in closed form."""
    budget = Budget.of(*(rectangle(name, 1.0, "", "") for name in "ab"))
    assert budget.coverage_factor == pytest.approx((1 - math.sqrt(0.05)) * math.sqrt(6), rel=0.01)


@pytest.mark.parametrize(
    ("terms", "factor"),
    [
        ([rectangle("a", 1.0, "", "")], 1.645),
        ([rectangle("a", 1.0, "", ""), normal("b", 0.02)], 1.65),
        ([normal("a", 1.0), normal("b", 2.0)], 1.96),
        ([normal("a", 1.0, 4)], 2.776),  # JCGM 100:2008, table G.2
        ([normal("a", 1.0, 1)], 12.71),
    ],
)
def test_the_coverage_factor_is_that_of_the_real_distribution(terms: list[Term], factor: float) -> None:
    assert Budget.of(*terms).coverage_factor == pytest.approx(factor, rel=0.02)


def test_four_rectangles_of_unlike_widths_are_covered_in_95_of_100() -> None:
    """JCGM 101:2008, 9.2.4: one of four rectangles ten times as wide as the others."""
    budget = Budget.of(*(rectangle(str(n), math.sqrt(3.0) * u, "", "") for n, u in enumerate((1, 1, 1, 10))))
    assert budget.standard_uncertainty == pytest.approx(10.1, abs=0.1)
    assert budget.expanded_uncertainty == pytest.approx(17.0, abs=0.1)


def test_one_error_that_acts_twice_counts_once_with_its_sign() -> None:
    gain = rectangle("gain", 0.01, "", "", 5.0)
    assert Budget.of(gain, Budget.of(gain).scaled(-1.0)).standard_uncertainty == 0.0
    twice = Budget.of(gain, gain).standard_uncertainty
    assert twice == pytest.approx(2 * gain.standard_uncertainty)
    other = rectangle("offset", 0.01, "", "", 5.0)
    assert Budget.of(gain, other).standard_uncertainty == pytest.approx(2**0.5 * gain.standard_uncertainty)


def test_shares_add_up_to_one() -> None:
    budget = Budget.of(rectangle("a", 1.0, "V", ""), normal("b", 0.3), normal("c", 0.1, 3))
    assert sum(budget.share(term) for term in budget.terms) == pytest.approx(1.0)


@pytest.mark.parametrize("count", [2, 3, 5, 12, 40])
def test_the_mean_of_few_readings_is_covered_in_95_of_100(count: int) -> None:
    readings = np.random.default_rng(8).normal(0.0, 3.0, (4000, count))
    budgets = [Budget.of(scatter_of_mean("noise", row, "V")) for row in readings]
    covered = [
        abs(row.mean()) <= budget.expanded_uncertainty for row, budget in zip(readings, budgets, strict=True)
    ]
    assert 0.935 < np.mean(covered) < 0.965


def test_the_scatter_of_readings_that_resemble_their_neighbours_is_not_too_small() -> None:
    """First-order noise with a correlation of 0.9: its mean scatters four times as far as white noise's."""
    rng = np.random.default_rng(9)
    readings = rng.standard_normal((20_000, 300))
    for before, now in pairwise(range(len(readings))):
        readings[now] += 0.9 * readings[before]
    covered = []
    for one in readings.T:
        expanded = Budget.of(scatter_of_mean("noise", one, "A")).expanded_uncertainty
        covered.append(abs(one.mean()) <= expanded)
    assert 0.91 < np.mean(covered) < 0.98


def test_one_reading_has_no_scatter() -> None:
    with pytest.raises(ValueError, match="at least two readings, got 1"):
        scatter_of_mean("noise", np.array([1.0]), "V")


def test_a_budget_survives_the_journal() -> None:
    budget = Budget.of(rectangle("a", 1.0, "V", "data sheet", 2.0), normal("b", 0.3), normal("c", 0.1, 3))
    assert budget_json.from_json(budget_json.to_json(budget)) == budget
