# SPDX-License-Identifier: Apache-2.0
from hil.measurement.budget import Budget, rectangle
from hil.measurement.limit import Limit
from hil.measurement.measurement import Measurement
from hil.measurement.uncertainty import Estimate
from hil.report.budget_view import budget_lines, budget_sum, conformity

BUDGET = Budget.of(
    rectangle("offset", 100e-9, "A", "data sheet"),
    rectangle("ambient temperature", 2.0, "K", "rig file", 50e-9),
    rectangle("gain", 0.00025, "", "data sheet", 2e-6),
)


def test_every_contribution_is_shown_in_the_unit_of_its_bound() -> None:
    lines = budget_lines(BUDGET, "A")
    assert [(line.name, line.bound, line.sensitivity) for line in lines] == [
        ("offset", "± 100 nA", "1"),
        ("ambient temperature", "± 2 K", "5e-08 A/K"),
        ("gain", "± 0.025 %", "2e-06 A"),
    ]
    assert [line.share for line in lines] == ["50.0 %", "50.0 %", "0.0 %"]
    assert lines[0].distribution == "rectangular, divisor 1.73"


def test_the_sum_says_with_which_factor() -> None:
    assert budget_sum(BUDGET, "A").startswith(
        "u = 81.65 nA, effective degrees of freedom ∞, k = 1.90 for 95 %"
    )


def test_conformity_names_rule_probability_and_risk() -> None:
    measured = Measurement.of("sleep", Estimate.of(1.67e-6, BUDGET), "A", Limit.at_most(3.4e-6, "data sheet"))
    assert conformity(measured) == (
        "guarded acceptance: pass, probability of conformance > 99.9 %, risk of a false pass < 0.1 %"
    )
