# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from hil.golden.training.auc import auc


def rng() -> np.random.Generator:
    return np.random.default_rng(51)


def test_the_area_counts_pairs_in_order():
    normal, faulty = [np.array([1, 4])], [np.array([2, 4]), np.array([9])]
    # Of six pairs: 2 > 1, 4 > 1, 4 = 4 (half), 9 > 1, 9 > 4.
    assert auc(normal, faulty, rng()).value == pytest.approx(4.5 / 6)


def test_an_area_without_misordered_pairs_has_no_interval():
    assert auc([np.array([1]), np.array([2])], [np.array([3]), np.array([4])], rng()).low is None


def test_one_group_has_no_interval():
    assert auc([np.arange(9)], [np.arange(5, 9)], rng()).low is None


def groups(draw: np.random.Generator, shift: float, spread: float) -> list[np.ndarray]:
    means = draw.normal(shift, spread, 25)
    return [np.rint(100 * draw.normal(mean, 1.0, 20)).astype(np.int64) for mean in means]


def test_the_interval_covers_the_true_area():
    # Between two normal populations the area is Phi(shift / sqrt(2 (1 + spread²))).
    from math import erf, sqrt

    shift, spread = 1.5, 0.7
    true = 0.5 * (1 + erf(shift / sqrt(2 * (1 + spread**2)) / sqrt(2)))
    draw = np.random.default_rng(52)
    covered = 0
    for _ in range(60):
        found = auc(groups(draw, 0.0, spread), groups(draw, shift, spread), draw)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= true <= found.high
    assert covered >= 51  # 95 % of 60 are 57; fewer than 51 has a probability below 1 %


def test_windows_of_one_group_do_not_narrow_the_interval():
    draw = np.random.default_rng(53)
    normal, faulty = groups(draw, 0.0, 1.0), groups(draw, 1.0, 1.0)
    once = auc(normal, faulty, rng())
    repeated = auc([np.tile(g, 20) for g in normal], [np.tile(g, 20) for g in faulty], rng())
    assert repeated.low == pytest.approx(once.low)
    assert repeated.high == pytest.approx(once.high)
