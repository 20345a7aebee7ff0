# SPDX-License-Identifier: Apache-2.0
"""Levels in noise, ripple and drift; every signal is put together here, so its levels are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.measurement.levels import Level, alike, levels, noise

SEED = 20


def shown(found: list[Level]) -> list[tuple[int, int]]:
    return [(level.first, level.last) for level in found]


@pytest.mark.parametrize("deviation", [1e-9, 1e-6, 1.0])
def test_the_noise_is_found_beside_steps(deviation: float) -> None:
    samples = deviation * np.random.default_rng(SEED).standard_normal(10_000)
    samples[4000:] += 100 * deviation
    assert noise(samples) == pytest.approx(deviation, rel=0.03)


def test_noise_alone_is_one_level() -> None:
    rng = np.random.default_rng(SEED)
    cut = [len(levels(100.0 + 5.0 * rng.standard_normal(int(rng.integers(10, 5000))))) for _ in range(200)]
    assert cut == [1] * 200


def test_a_small_step_is_found_where_many_samples_show_it() -> None:
    """Four per cent of the level, and no more than the noise of one sample."""
    rng = np.random.default_rng(SEED)
    before, after = 100.0 + 4.0 * rng.standard_normal(3000), 104.0 + 4.0 * rng.standard_normal(80)
    (first, second) = levels(np.concatenate([before, after]))
    assert first.last == pytest.approx(3000, abs=20)
    assert second.median == pytest.approx(104.0, abs=1.5)


def test_the_same_step_is_not_found_where_few_samples_show_it() -> None:
    rng = np.random.default_rng(SEED)
    step = np.repeat([100.0, 104.0], [40, 4])
    assert len(levels(step + 4.0 * rng.standard_normal(44))) == 1


def test_levels_decades_apart_keep_their_own_noise() -> None:
    """A step of 5 % at 200 µA beside a burst whose noise is larger than that step."""
    rng = np.random.default_rng(SEED)
    pieces = [(40e-6, 25e-9, 5000), (200e-6, 25e-9, 900), (210e-6, 25e-9, 80), (10e-3, 15e-6, 30)]
    signal = np.concatenate([level + sigma * rng.standard_normal(count) for level, sigma, count in pieces])
    assert shown(levels(signal)) == [(0, 5000), (5000, 5900), (5900, 5980), (5980, 6010)]


@pytest.mark.parametrize(("share", "cut"), [(0.3, 10), (0.7, 11)])
def test_a_sample_that_an_edge_cut_in_two_goes_where_most_of_it_lies(share: float, cut: int) -> None:
    """``share`` is how much of sample 10 passed before the edge."""
    signal = np.array([1.0] * 10 + [share * 1.0 + (1 - share) * 9.0] + [9.0] * 10)
    assert shown(levels(signal)) == [(0, cut), (cut, 21)]


def test_a_drift_within_two_per_cent_is_one_level() -> None:
    assert len(levels(np.linspace(100.0, 101.9, 5000))) == 1


def test_alike_is_relative() -> None:
    assert alike(100e-6, 101e-6)
    assert not alike(100e-6, 103e-6)
    assert alike(0.0, 0.0)


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(3, 200)), min_size=1, max_size=8),
    st.integers(0, 2**32 - 1),
)
def test_steps_of_a_quarter_are_found_to_the_sample(pieces: list[tuple[int, int]], seed: int) -> None:
    """Levels 25 % apart with noise of 0.1 %: cut exactly where they change."""
    rng = np.random.default_rng(seed)
    signal = np.concatenate([np.full(count, 1e-6 * 1.25**step) for step, count in pieces])
    expected = [0, *(np.flatnonzero(np.diff(signal)) + 1).tolist()]
    found = levels(signal * (1 + 1e-3 * rng.standard_normal(signal.size)))
    assert [level.first for level in found] == expected
    assert found[-1].last == signal.size


def test_an_empty_signal_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        levels(np.array([]))
