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


def reading_u(gain: float, offset: float) -> float:
    """Gain and offset know nothing of each other."""
    return math.hypot(gain, offset) / math.sqrt(3)


ONLY = 10e-6
"""Where no more than this can flow, nothing can hide in the larger range."""


def test_uncertainty_of_a_reading() -> None:
    budget = accuracy.of_mean(np.array([2e-6]), RANGES, ONLY)
    assert budget.standard_uncertainty == pytest.approx(reading_u(0.00025 * 2e-6, 8e-9))
    assert {term.source for term in budget.terms} == {"a"}


def test_the_mean_of_equal_samples_is_no_better_than_one() -> None:
    many, one = (accuracy.of_mean(np.full(count, 2e-6), RANGES, ONLY) for count in (10_000, 1))
    assert many.standard_uncertainty == pytest.approx(one.standard_uncertainty)


def test_a_mean_over_two_ranges_weighs_each_range_by_its_time() -> None:
    samples = np.array([2e-6] * 900 + [5e-3] * 100)
    small = reading_u(0.00025 * 0.9 * 2e-6, 0.9 * 8e-9)
    # What the small range shows may hold charge that the large one measured.
    hidden_a = 0.9 * 2e-6
    large = reading_u(0.00025 * (0.1 * 5e-3 + hidden_a), (0.1 + hidden_a / 10e-6) * 10e-6)
    budget = accuracy.of_mean(samples, RANGES)
    assert budget.standard_uncertainty == pytest.approx(math.hypot(small, large))


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one range"):
        accuracy.of_mean(np.array([1.0]), [])


def test_what_two_waveforms_have_in_common_cancels_in_their_difference() -> None:
    common, more = np.full(5000, 40e-6), np.full(30, 10e-3)
    together = accuracy.of_difference(np.concatenate([common, more]), common, RANGES)
    assert together.standard_uncertainty == pytest.approx(reading_u(0.00025 * 30 * 10e-3, 30 * 10e-6))
    assert accuracy.of_difference(common, common, RANGES).standard_uncertainty == 0.0


def test_what_is_in_different_ranges_does_not_cancel() -> None:
    first, second = np.full(100, 2e-6), np.full(100, 5e-3)
    small = [row for row in RANGES if row.source == "a"]
    alone = [100 * accuracy.of_mean(first, small).standard_uncertainty]
    alone.append(100 * accuracy.of_mean(second, RANGES).standard_uncertainty)
    together = accuracy.of_difference(first, second, RANGES).standard_uncertainty
    assert together == pytest.approx(math.hypot(*alone), rel=0.25)


FOUR = [
    RangeAccuracy(10e-6, 0.00025, 8e-9, "a"),
    RangeAccuracy(1e-3, 0.00025, 100e-9, "b"),
    RangeAccuracy(100e-3, 0.00025, 10e-6, "c"),
    RangeAccuracy(3.0, 0.0003, 250e-6, "d"),
]
RAW_S, LOG_RAW = 5.12e-6, 20
"""An N6781A chooses its range every 5.12 µs; a log of 102.4 µs averages 20 of these."""


@pytest.mark.parametrize(
    ("burst_a", "burst_s", "every_s"),
    [
        (2e-3, 40e-6, 1e-3),
        (5e-3, 20e-6, 1e-3),
        (5e-3, 20e-6, 10e-3),
        (0.4e-3, 30e-6, 1e-3),
        (200e-6, 5e-6, 1e-3),
    ],
)
def test_bursts_shorter_than_a_logged_sample_are_in_the_uncertainty(
    burst_a: float, burst_s: float, every_s: float
) -> None:
    """The mean of a logged sample hides the range in which the burst was measured, but not from its U."""
    rng = np.random.default_rng(11)
    time_s = RAW_S * np.arange(LOG_RAW * 2000)
    true_a = np.where(time_s % every_s < burst_s, burst_a, 1.78e-6)
    full_scales = np.array([row.full_scale for row in FOUR])
    index = np.searchsorted(full_scales, true_a)
    inside = []
    for _ in range(100):
        gains = 1 + rng.uniform(-1, 1, len(FOUR)) * [row.gain_fraction for row in FOUR]
        offsets = rng.uniform(-1, 1, len(FOUR)) * [row.offset for row in FOUR]
        log_a = (true_a * gains[index] + offsets[index]).reshape(-1, LOG_RAW).mean(axis=1)
        expanded = accuracy.of_mean(log_a, FOUR, 0.1).expanded_uncertainty
        inside.append(abs(log_a.mean() - true_a.mean()) <= expanded)
    assert np.mean(inside) >= 0.93
