# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest

from hil.measurement import accuracy
from hil.measurement.accuracy import RangeAccuracy

RANGES = [
    RangeAccuracy(100e-3, 0.00025, 10e-6, "b"),
    RangeAccuracy(10e-6, 0.00025, 8e-9, "a"),
]


def test_the_smallest_range_that_holds_a_reading_counts() -> None:
    assert accuracy.range_of(-9.9e-6, RANGES).source == "a"
    assert accuracy.range_of(10.1e-6, RANGES).source == "b"


def test_a_reading_beyond_all_ranges_is_refused() -> None:
    with pytest.raises(ValueError, match=r"exceeds the largest range, 0\.1"):
        accuracy.range_of(0.2, RANGES)


def test_uncertainty_of_a_reading() -> None:
    assert accuracy.of_mean(np.array([2e-6]), RANGES) == pytest.approx((0.00025 * 2e-6 + 8e-9) / math.sqrt(3))


def test_the_mean_of_equal_samples_is_no_better_than_one() -> None:
    assert accuracy.of_mean(np.full(10_000, 2e-6), RANGES) == pytest.approx(
        accuracy.of_mean(np.array([2e-6]), RANGES)
    )


def test_a_mean_over_two_ranges_weighs_each_range_by_its_time() -> None:
    samples = np.array([2e-6] * 900 + [5e-3] * 100)
    small = (0.00025 * 0.9 * 2e-6 + 0.9 * 8e-9) / math.sqrt(3)
    large = (0.00025 * 0.1 * 5e-3 + 0.1 * 10e-6) / math.sqrt(3)
    assert accuracy.of_mean(samples, RANGES) == pytest.approx(math.hypot(small, large))


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one range"):
        accuracy.of_mean(np.array([1.0]), [])


def test_what_two_waveforms_have_in_common_cancels_in_their_difference() -> None:
    common, more = np.full(5000, 40e-6), np.full(30, 10e-3)
    together = accuracy.of_difference(np.concatenate([common, more]), common, RANGES)
    assert together == pytest.approx((0.00025 * 30 * 10e-3 + 30 * 10e-6) / math.sqrt(3))
    assert accuracy.of_difference(common, common, RANGES) == 0.0


def test_what_is_in_different_ranges_does_not_cancel() -> None:
    first, second = np.full(100, 2e-6), np.full(100, 5e-3)
    alone = [100 * accuracy.of_mean(samples, RANGES) for samples in (first, second)]
    assert accuracy.of_difference(first, second, RANGES) == pytest.approx(math.hypot(*alone))
