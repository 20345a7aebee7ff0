# SPDX-License-Identifier: Apache-2.0
"""Seamless ranging: each 5.12 µs sample on its own range, averaged."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from hil.twin.analyzer import averaging
from hil.twin.analyzer.ranges import OVERLOAD, Meter, Range
from hil.twin.errors import BenchConfigError
from hil.twin.power.supply_trace import SupplyTrace

SAMPLE_PS = 5_120_000


def meter(*, gains: tuple[float, ...] = (0, 0, 0, 0), noise: float = 0.0) -> Meter:
    scales = (10e-6, 1e-3, 100e-3, 3.0)
    made = Meter([Range(scale, 0, 0, noise * scale) for scale in scales], np.random.default_rng(1))
    made._gains = 1 + np.array(gains)
    return made


@pytest.fixture
def burst() -> SupplyTrace:
    """1 µA, and from 40 ms on for 1 ms 20 mA."""
    trace = SupplyTrace()
    trace.record(0, 1e-6)
    trace.record(40_000 * 10**6, 20e-3)
    trace.record(41_000 * 10**6, 1e-6)
    return trace


def brute_force(trace: SupplyTrace, made: Meter, edges_ps: np.ndarray) -> np.ndarray:
    """Every sample by itself."""
    rows = []
    for start_ps, end_ps in itertools.pairwise(edges_ps):
        grid_ps = np.arange(start_ps, end_ps + 1, SAMPLE_PS)
        rows.append(made.read(trace.mean_current_a(grid_ps), 5.12e-6, None).mean())
    return np.array(rows)


def test_a_burst_has_the_errors_of_its_own_range(burst: SupplyTrace) -> None:
    made = meter(gains=(0.0, 0.5, 0.01, 0.0))  # the range of the average is useless
    edges_ps = np.array([0, 20_000 * SAMPLE_PS])
    (reading_a,) = averaging.averages(burst, made, edges_ps, None)
    (mean_a,) = burst.mean_current_a(edges_ps)
    assert 100e-6 < mean_a < 1e-3
    assert reading_a == pytest.approx(mean_a * 1.01, rel=1e-3)


@pytest.mark.parametrize("seed", range(20))
def test_runs_of_equal_samples_give_what_each_by_itself_would(seed: int) -> None:
    print("seed", seed)
    rng = np.random.default_rng(seed)
    start_ps = int(rng.integers(0, SAMPLE_PS))
    trace, time_ps = SupplyTrace(), 0
    for _ in range(30):
        trace.record(time_ps, float(10 ** rng.uniform(-7, 0)))
        time_ps += int(rng.integers(1, 40 * SAMPLE_PS))
        if rng.random() < 0.3:
            time_ps += -(time_ps - start_ps) % SAMPLE_PS  # just at the border of two samples
        if rng.random() < 0.2:
            trace.add_charge(time_ps, 1e-9)
    made = meter(gains=(0.1, 0.2, 0.3, 0.4))
    edges_ps = start_ps + 20 * SAMPLE_PS * np.arange(20)
    expected_a = brute_force(trace, made, edges_ps)
    assert averaging.averages(trace, made, edges_ps, None) == pytest.approx(expected_a, rel=1e-9)
    rows = averaging.extremes(trace, made, edges_ps, None)
    assert rows[:, 0] == pytest.approx(expected_a, rel=1e-9)
    assert np.all(rows[:, 1] <= rows[:, 0] * (1 + 1e-12))
    assert np.all(rows[:, 0] <= rows[:, 2] * (1 + 1e-12))


def test_one_overloaded_sample_overloads_its_period(burst: SupplyTrace) -> None:
    burst.record(50_000 * 10**6, 5.0)
    burst.record(50_011 * 10**6, 1e-6)
    edges_ps = 2_000 * SAMPLE_PS * np.arange(8)
    readings_a = averaging.averages(burst, meter(), edges_ps, None)
    assert [reading_a >= OVERLOAD for reading_a in readings_a] == [False] * 4 + [True] + [False] * 2
    assert (averaging.extremes(burst, meter(), edges_ps, None)[:, 0] >= OVERLOAD).tolist() == (
        [False] * 4 + [True] + [False] * 2
    )
    assert np.all(averaging.averages(burst, meter(), edges_ps[:5], 1e-3)[[3]] >= OVERLOAD)


def test_noise_averages_out_as_white_noise_does() -> None:
    trace = SupplyTrace()
    trace.record(0, 5e-6)
    made = meter(noise=0.01)
    edges_ps = 400 * SAMPLE_PS * np.arange(2001)
    readings_a = averaging.averages(trace, made, edges_ps, None)
    assert readings_a.std() == pytest.approx(0.01 * 10e-6 / 20, rel=0.06)
    rows = averaging.extremes(trace, made, edges_ps[:101], None)
    assert rows[:, 0].std() == pytest.approx(0.01 * 10e-6 / 20, rel=0.25)
    # The mean of the largest of 400 normal numbers is 2.97 standard deviations (by integration).
    assert (rows[:, 2].mean() - 5e-6) / (0.01 * 10e-6) == pytest.approx(2.97, abs=0.1)


def test_a_long_quiet_period_costs_no_more_than_a_short_one() -> None:
    trace = SupplyTrace()
    trace.record(0, 1e-6)
    edges_ps = 60 * 10**12 * np.arange(3)
    segments_ps, counts = averaging._segments(trace, edges_ps)
    assert len(segments_ps) == 3
    assert counts[0] == pytest.approx(60 / 5.12e-6)


def test_normal_errors_exceed_the_accuracy_one_time_in_twenty():
    entry = Range(full_scale=1.0, gain_accuracy=0.0, offset_accuracy=1e-3, noise_rms=0.0)
    offsets = []
    for seed in range(2000):
        meter = Meter((entry,), np.random.default_rng(seed), errors="normal")
        offsets.append(float(meter.read(np.array([0.5]), 1.0, None)[0]) - 0.5)
    assert np.mean(np.abs(offsets) > 1e-3) == pytest.approx(0.0455, abs=0.01)


def test_errors_of_an_unknown_kind_are_refused():
    with pytest.raises(BenchConfigError, match="errors: expected one of"):
        Meter((), np.random.default_rng(1), errors="gaussian")
