# SPDX-License-Identifier: Apache-2.0
import pytest

from hil.measurement.limit import Limit
from hil.measurement.measurement import Measurement
from hil.report.margin import margin_bar


def bar_of(value: float, limit: Limit | None, uncertainty: float = 0.0) -> tuple[float, float, float] | None:
    bar = margin_bar(Measurement("m", value, "A", uncertainty, limit))
    return None if bar is None else (bar.allowed_from, bar.value, bar.allowed_to)


def test_a_value_at_its_limit_stands_at_the_end_of_the_allowed_part() -> None:
    allowed_from, value, allowed_to = bar_of(3.0, Limit.at_most(3.0, "s")) or (0, 0, 0)
    assert allowed_from == 0
    assert value == allowed_to < 100


def test_two_limits_have_headroom_on_both_sides() -> None:
    assert bar_of(10.0, Limit(9.0, 11.0, "s")) == (pytest.approx(18.75), 50.0, pytest.approx(81.25))


def test_a_lower_limit_allows_to_the_end() -> None:
    allowed_from, value, allowed_to = bar_of(6.0, Limit.at_least(4.0, "s")) or (0, 0, 0)
    assert 0 < allowed_from < value < allowed_to == 100


def test_a_value_far_outside_stays_on_the_bar() -> None:
    bar = margin_bar(Measurement("m", 1e3, "A", 1.0, Limit.at_most(1.0, "s")))
    assert bar is not None
    assert (bar.value, bar.value_to) == (100.0, 100.0)


def test_the_uncertainty_has_its_width() -> None:
    bar = margin_bar(Measurement("m", 10.0, "A", 0.5, Limit(9.0, 11.0, "s")))
    assert bar is not None
    assert bar.value_to - bar.value_from == pytest.approx(100 * 1.0 / 3.2, abs=0.02)  # drawn to 0.01 %


def test_no_limit_or_an_exact_one_has_no_bar() -> None:
    assert bar_of(1.0, None) is None
    assert bar_of(0.0, Limit.exactly(0.0, "s")) is None


def test_a_difference_that_must_not_be_positive() -> None:
    bar = margin_bar(Measurement("extra charge", -6e-6, "C", 1e-6, Limit.at_most(0.0, "requirement")))
    assert bar is not None
    assert bar.allowed_from == 0
    assert 0 < bar.value_from < bar.value < bar.value_to < bar.allowed_to < 100
    assert margin_bar(Measurement("extra charge", 0.0, "C", 0.0, Limit.at_most(0.0, "requirement"))) is None
