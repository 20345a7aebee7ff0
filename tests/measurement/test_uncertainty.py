# SPDX-License-Identifier: Apache-2.0
import pytest

from hil.measurement.budget import Budget, rectangle
from hil.measurement.uncertainty import Estimate, normalized_error


def test_an_estimate_states_what_its_budget_says() -> None:
    budget = Budget.of(rectangle("offset", 1.0, "V", "data sheet"))
    estimate = Estimate.of(3.0, budget)
    assert estimate.expanded_uncertainty == pytest.approx(0.95)
    assert estimate.standard_uncertainty == pytest.approx(1 / 3**0.5)
    assert estimate.scaled(-2.0).value == -6.0
    assert estimate.scaled(-2.0).expanded_uncertainty == pytest.approx(1.9)


def test_an_estimate_without_a_budget_is_taken_for_normal() -> None:
    contribution = Estimate(3.0, 1.959964).contribution("voltage", "V", 2.0)
    assert contribution.standard_uncertainty == pytest.approx(2.0)
    assert contribution.coverage_factor == pytest.approx(1.96, abs=1e-3)


def test_normalized_error_is_one_where_the_intervals_of_the_difference_end() -> None:
    assert normalized_error(Estimate(10.0, 3.0), Estimate(5.0, 4.0)) == 1.0
