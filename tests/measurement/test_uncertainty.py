# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest

from hil.measurement import uncertainty


def test_rectangular_is_half_width_over_root_three() -> None:
    assert uncertainty.rectangular(-3.0) == pytest.approx(math.sqrt(3.0))


def test_rectangular_agrees_with_sampled_distribution() -> None:
    samples = np.random.default_rng(5).uniform(-2.0, 2.0, 200_000)
    assert uncertainty.rectangular(2.0) == pytest.approx(float(samples.std()), rel=0.01)


def test_resolution_is_half_a_step_rectangular() -> None:
    assert uncertainty.resolution(0.1) == pytest.approx(0.1 / math.sqrt(12.0))


def test_counted_agrees_with_edges_at_any_time() -> None:
    edges = np.random.default_rng(6).uniform(0.0, 1000.0, (2, 200_000))
    error = np.floor(edges[1]) - np.floor(edges[0]) - (edges[1] - edges[0])
    assert uncertainty.counted(1.0) == pytest.approx(float(error.std()), rel=0.01)


def test_type_a_of_mean_agrees_with_the_scatter_of_means() -> None:
    readings = np.random.default_rng(7).normal(0.0, 3.0, (4000, 200))
    predicted = np.mean([uncertainty.type_a_of_mean(row) for row in readings])
    assert predicted == pytest.approx(float(readings.mean(axis=1).std()), rel=0.05)


@pytest.mark.parametrize("count", [2, 3, 5, 12, 40])
def test_the_mean_of_few_readings_is_covered_as_often_as_k_2_says(count: int) -> None:
    readings = np.random.default_rng(8).normal(0.0, 3.0, (4000, count))
    covered = np.mean([abs(row.mean()) <= 2.0 * uncertainty.type_a_of_mean(row) for row in readings])
    assert 0.945 < covered < 0.975


def test_one_reading_has_no_scatter() -> None:
    with pytest.raises(ValueError, match="at least two readings, got 1"):
        uncertainty.type_a_of_mean(np.array([1.0]))


def test_combined_and_expanded() -> None:
    assert uncertainty.combine(3.0, 4.0, 12.0) == 13.0
    assert uncertainty.expanded(13.0) == 26.0


def test_normalized_error_is_one_where_the_intervals_of_the_difference_end() -> None:
    assert uncertainty.normalized_error(10.0, 3.0, 5.0, 4.0) == 1.0
