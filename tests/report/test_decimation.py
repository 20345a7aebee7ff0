# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from hil.report.decimation import bucket_samples, step_indices


def test_a_peak_of_one_sample_survives() -> None:
    values = np.full(1_000_000, 1.67e-6)
    values[123_456] = 9e-3
    values[700_001] = -1.0
    kept = step_indices(values, 500)
    assert {123_456, 700_001, 0, 999_999} <= set(kept.tolist())
    assert kept.size <= 500


@pytest.mark.parametrize("at_most", [6, 7, 10, 99, 1000])
def test_no_more_than_asked_for_ascending_and_unique(at_most: int) -> None:
    kept = step_indices(np.random.default_rng(1).standard_normal(997), at_most)
    assert kept.size <= at_most
    assert (np.diff(kept) > 0).all()


def test_few_samples_are_all_kept() -> None:
    assert step_indices(np.zeros(7), 10).tolist() == list(range(7))


def test_too_few_points_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 6 points"):
        step_indices(np.zeros(7), 5)


@pytest.mark.parametrize("samples", [1, 20, 300])
def test_a_pulse_is_drawn_as_long_as_it_lasts(samples: int) -> None:
    """In 92,578 samples of noisy sleep, 233 to a bucket: extremes alone made it up to 299 times as long."""
    rng = np.random.default_rng(20261201)
    for first in rng.integers(1000, 92_000, 40):
        values = 1.78e-6 + 0.45e-9 * rng.standard_normal(92_578)
        values[first : first + samples] += 500e-6
        kept = step_indices(values, 1600)
        drawn = values[kept[:-1]] > 250e-6
        assert int(np.diff(kept)[drawn].sum()) == samples, first


def test_the_page_can_say_what_a_bucket_holds() -> None:
    assert bucket_samples(1000, 1600) == 1
    assert bucket_samples(92_578, 1600) == 233
