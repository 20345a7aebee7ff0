# SPDX-License-Identifier: Apache-2.0
"""Odd windows among normal ones are found; uneven recordings are not called odd."""

from __future__ import annotations

import numpy as np

from hil.golden.data.recordings.screening import outliers


def recordings(seed: int, count: int = 20, spread: float = 3.0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    levels = rng.normal(0.0, spread, (count, 1, 32))
    return [np.rint(level + rng.normal(0.0, 4.0, (20, 32))).astype(np.int8) for level in levels]


def test_the_odd_windows_of_two_recordings_are_found_and_no_others() -> None:
    groups = recordings(1)
    for index in (3, 11):
        groups[index][:6, 20:] += np.int8(40)
    found = outliers(groups)
    assert [int(odd.sum()) for odd in found] == [6 if index in (3, 11) else 0 for index in range(20)]


def test_machines_that_differ_are_no_outliers() -> None:
    assert not any(odd.any() for odd in outliers(recordings(2, spread=15.0)))


def test_a_second_kind_of_running_is_no_outlier() -> None:
    groups = recordings(3)
    for index in range(6):
        groups[index] += np.int8(40)
    assert not any(odd.any() for odd in outliers(groups))
