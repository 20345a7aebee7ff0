# SPDX-License-Identifier: Apache-2.0
import pytest

from hil.instruments.counter_ranges import timebase_hz


@pytest.mark.parametrize(
    ("longest_s", "hz"), [(1e-6, 100e6), (42.9, 100e6), (43.0, 20e6), (214.7, 20e6), (215.0, 100e3)]
)
def test_the_fastest_timebase_that_does_not_roll_over(longest_s: float, hz: float) -> None:
    assert timebase_hz(longest_s) == hz


@pytest.mark.parametrize("longest_s", [42_950.0, float("inf"), float("nan")])
def test_an_interval_beyond_every_timebase_is_refused(longest_s: float) -> None:
    with pytest.raises(ValueError, match="beyond the counters, which reach 42950 s"):
        timebase_hz(longest_s)
