# SPDX-License-Identifier: Apache-2.0
import pytest

from hil.measurement.limit import Limit, Outcome


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        (8.0, Outcome.PASS),
        (9.0, Outcome.PASS),  # 9 + 1 touches the limit
        (9.5, Outcome.INCONCLUSIVE),
        (10.0, Outcome.INCONCLUSIVE),
        (11.0, Outcome.INCONCLUSIVE),  # 11 - 1 touches the limit
        (11.5, Outcome.FAIL),
    ],
)
def test_guard_band_at_an_upper_limit(value: float, outcome: Outcome) -> None:
    assert Limit.at_most(10.0, "source").judge(value, 1.0) is outcome
    assert Limit.at_least(-10.0, "source").judge(-value, 1.0) is outcome


def test_an_uncertainty_wider_than_the_limits_is_inconclusive() -> None:
    assert Limit(9.0, 11.0, "source").judge(10.0, 2.0) is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("limit", "values", "worst"),
    [
        (Limit(9.9, 10.1, "source"), [10.0, 10.2], 10.2),  # both as far from their mean
        (Limit(9.9, 10.1, "source"), [9.95, 10.0, 10.02], 9.95),
        (Limit.at_most(3.0, "source"), [1.0, -8.0, 2.0], 2.0),
        (Limit.at_least(3.0, "source"), [4.0, 9.0], 4.0),
    ],
)
def test_the_worst_value_has_the_least_room(limit: Limit, values: list[float], worst: float) -> None:
    assert limit.worst(values) == worst


def test_counted_things_pass_only_if_equal() -> None:
    assert Limit.exactly(0, "source").judge(0, 0) is Outcome.PASS
    assert Limit.exactly(0, "source").judge(1, 0) is Outcome.FAIL


@pytest.mark.parametrize(
    ("lower", "upper", "source", "message"),
    [
        (None, None, "s", "lower or an upper"),
        (2.0, 1.0, "s", "lies above"),
        (0.0, None, "", "needs a source"),
    ],
)
def test_what_is_no_limit_is_refused(
    lower: float | None, upper: float | None, source: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Limit(lower, upper, source)
