# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from hil.report.decimation import min_max_indices


def test_a_peak_of_one_sample_survives() -> None:
    values = np.full(1_000_000, 1.67e-6)
    values[123_456] = 9e-3
    values[700_001] = -1.0
    kept = min_max_indices(values, 500)
    assert {123_456, 700_001, 0, 999_999} <= set(kept.tolist())
    assert kept.size <= 500


@pytest.mark.parametrize("at_most", [4, 5, 10, 99, 1000])
def test_no_more_than_asked_for_ascending_and_unique(at_most: int) -> None:
    kept = min_max_indices(np.random.default_rng(1).standard_normal(997), at_most)
    assert kept.size <= at_most
    assert (np.diff(kept) > 0).all()


def test_few_samples_are_all_kept() -> None:
    assert min_max_indices(np.zeros(7), 10).tolist() == list(range(7))


def test_too_few_points_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 4 points"):
        min_max_indices(np.zeros(7), 3)
