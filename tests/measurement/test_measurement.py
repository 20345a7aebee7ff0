# SPDX-License-Identifier: Apache-2.0
import math

import pytest

from hil.measurement.limit import Limit, Outcome
from hil.measurement.measurement import Measurement


def test_a_sentence_names_value_uncertainty_limit_and_source() -> None:
    measurement = Measurement(
        "Stop 2 current", 6.65e-6, "A", 9.7e-9, Limit.at_most(3.4e-6, "DS10198 Rev 8, Table 45")
    )
    assert measurement.outcome is Outcome.FAIL
    assert measurement.sentence() == (
        "Stop 2 current is 6.6500 ± 0.0097 µA, outside the limit of at most 3.4 µA (DS10198 Rev 8, Table 45)."
    )


def test_an_inconclusive_sentence_says_why() -> None:
    sentence = Measurement("period", 10.0, "s", 0.1, Limit(9.95, 10.05, "requirement")).sentence()
    assert sentence == (
        "period is 10.00 ± 0.10 s, too close for this uncertainty "
        "to the limit of 9.95 s to 10.05 s (requirement)."
    )


def test_without_a_limit_nothing_is_judged() -> None:
    measurement = Measurement("level", 1.5, "V", 0.0)
    assert measurement.outcome is Outcome.NOT_JUDGED
    assert measurement.sentence() == "level is 1.5 V."


def test_a_lower_and_an_exact_limit_are_spelt() -> None:
    assert "at least 5 V" in Measurement("u", 6.0, "V", 0.1, Limit.at_least(5, "s")).sentence()
    assert "exactly 0 (" in Measurement("lost records", 1, "", 0, Limit.exactly(0, "s")).sentence()


@pytest.mark.parametrize(
    ("value", "uncertainty"), [(math.nan, 0.0), (math.inf, 0.0), (1.0, math.nan), (1.0, -0.1)]
)
def test_what_is_no_number_is_refused(value: float, uncertainty: float) -> None:
    with pytest.raises(ValueError, match=r"^x: "):
        Measurement("x", value, "A", uncertainty)
