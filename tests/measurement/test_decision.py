# SPDX-License-Identifier: Apache-2.0
"""Decision rules against worked examples of published guides."""

import pytest

from hil.measurement.decision import DecisionRule, RuleKind, conformance_probability
from hil.measurement.limit import Limit, Outcome
from hil.measurement.measurement import Measurement

SIMPLE = DecisionRule(RuleKind.SIMPLE)
PROBABLE = DecisionRule(RuleKind.PROBABILITY, 0.95)


def test_the_zener_diode_of_jcgm_106() -> None:
    """JCGM 106:2012, 7.3: at most -5.40 V, measured -5.47 V with u = 0.05 V, conforms with 92 %."""
    assert conformance_probability(-5.47, 0.05, None, -5.40) == pytest.approx(0.92, abs=0.005)


@pytest.mark.parametrize(
    ("guard_in_u", "risk"),
    [  # ILAC-G8:09/2019, table 1: guard bands in expanded uncertainties (k = 2), risk of a false acceptance
        (3.0, 1e-6),
        (1.5, 0.0016),
        (1.0, 0.025),
        (0.83, 0.05),
        (0.0, 0.50),
    ],
)
def test_the_guard_bands_of_ilac_g8(guard_in_u: float, risk: float) -> None:
    standard = 0.5
    at_the_band = 10.0 - guard_in_u * 2 * standard
    assert 1 - conformance_probability(at_the_band, standard, None, 10.0) <= risk


def test_a_tolerance_has_two_sides() -> None:
    """In the middle of a tolerance of four standard uncertainties, 95.45 % conform."""
    assert conformance_probability(0.0, 1.0, -2.0, 2.0) == pytest.approx(0.9545, abs=1e-4)
    assert conformance_probability(-2.0, 1e-6, -2.0, 2.0) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("rule", "value", "outcome"),
    [
        (SIMPLE, 9.99, Outcome.PASS),
        (SIMPLE, 10.01, Outcome.FAIL),
        (PROBABLE, 9.1, Outcome.PASS),  # 1.76 standard uncertainties inside
        (PROBABLE, 9.5, Outcome.INCONCLUSIVE),
        (PROBABLE, 10.9, Outcome.FAIL),
        (DecisionRule(), 9.1, Outcome.INCONCLUSIVE),
    ],
)
def test_each_rule_states_what_it_says(rule: DecisionRule, value: float, outcome: Outcome) -> None:
    assert Limit(None, 10.0, "source", rule).judge(value, 1.0) is outcome


def test_what_is_open_is_conditional_in_the_words_of_ilac() -> None:
    def measured(value: float) -> Measurement:
        return Measurement("m", value, "A", 1.0, Limit.at_most(10.0, "source"))

    said = {value: measured(value).statement for value in (8.0, 9.5, 10.5, 12.0)}
    assert said == {8.0: "pass", 9.5: "conditional pass", 10.5: "conditional fail", 12.0: "fail"}
    assert measured(9.5).risk is None
    assert measured(8.0).risk == pytest.approx(1 - measured(8.0).conformance_probability)
    assert measured(12.0).risk == pytest.approx(4.4e-5, rel=0.1)


def test_what_is_counted_conforms_or_not() -> None:
    exact = Measurement("n", 3, "", 0, Limit.exactly(3, "source"))
    assert (exact.conformance_probability, exact.risk, exact.uncertainty_ratio) == (1.0, 0.0, None)


def test_uncertainty_is_held_against_the_tolerance() -> None:
    assert Measurement(
        "m", 10.0, "s", 0.002, Limit(9.99, 10.01, "source")
    ).uncertainty_ratio == pytest.approx(0.1)


@pytest.mark.parametrize(
    "rule", [(RuleKind.SIMPLE, 0.9), (RuleKind.PROBABILITY, None), (RuleKind.PROBABILITY, 0.4)]
)
def test_a_rule_that_says_nothing_is_refused(rule: tuple[RuleKind, float | None]) -> None:
    with pytest.raises(ValueError, match="probability"):
        DecisionRule(*rule)
