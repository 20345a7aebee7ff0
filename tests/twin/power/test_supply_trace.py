# SPDX-License-Identifier: Apache-2.0
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.twin.core.scheduler import Scheduler
from hil.twin.power.supply_trace import SupplyTrace


def edges(*times_ps):
    return np.array(times_ps, dtype=np.int64)


def test_mean_over_a_pulse_shorter_than_the_interval():
    trace = SupplyTrace()
    trace.record(0, 1e-6)
    trace.record(1_000, 1e-3)
    trace.record(1_100, 1e-6)
    means = trace.mean_current_a(edges(0, 1_000, 2_000, 3_000))
    assert means == pytest.approx([1e-6, 0.1e-3 + 0.9e-6, 1e-6], rel=1e-12)


def test_interval_inside_one_step_is_the_step_exactly_however_late():
    trace = SupplyTrace()
    for n in range(1000):
        trace.record(n * 10**14, 1e-2 if n % 2 else 1.67e-6)
    start = 998 * 10**14 + 5
    assert trace.mean_current_a(edges(start, start + 20_000_000))[0] == 1.67e-6


def test_last_step_holds_into_the_future():
    trace = SupplyTrace()
    trace.record(10, 2.0)
    assert trace.mean_current_a(edges(10, 10**15)).tolist() == [2.0]
    assert trace.current_a == 2.0


def test_same_instant_replaces_and_same_value_adds_nothing():
    trace = SupplyTrace()
    trace.record(100, 1.0)
    trace.record(100, 3.0)
    trace.record(200, 3.0)
    assert trace.step_count == 2
    assert trace.mean_current_a(edges(100, 300)).tolist() == [3.0]


def test_time_does_not_run_backwards():
    trace = SupplyTrace()
    trace.record(100, 1.0)
    with pytest.raises(ValueError, match="too late"):
        trace.record(99, 2.0)


def test_discarding_bounds_the_memory_and_keeps_what_follows():
    trace = SupplyTrace()
    for n in range(1, 100_000):
        trace.record(n * 1000, float(n % 7))
        trace.discard_before((n - 100) * 1000)
    assert trace.step_count < 110
    assert len(trace._times_ps) <= 1024
    assert trace.mean_current_a(edges(99_990_000, 99_991_000)).tolist() == [float(99_990 % 7)]
    with pytest.raises(ValueError, match="discarded"):
        trace.mean_current_a(edges(0, 1))


def test_charge_at_an_instant_counts_once_and_leaves_the_current():
    trace = SupplyTrace()
    trace.record(0, 1e-3)
    trace.add_charge(500, 3e-12)
    trace.add_charge(500, 2e-12)
    assert trace.current_a == 1e-3
    assert trace.mean_current_a(edges(0, 400, 600, 1000)) == pytest.approx(
        [1e-3, 1e-3 + 5e-12 / 200e-12, 1e-3]
    )
    with pytest.raises(ValueError, match="too late"):
        trace.add_charge(499, 1e-12)


def test_planned_steps_come_unless_something_is_recorded_before():
    trace = SupplyTrace()
    trace.record(0, 1.0)
    trace.plan(100, 2.0)
    trace.plan(200, 3.0)
    assert [trace.current_at_a(time_ps) for time_ps in (99, 100, 200)] == [1.0, 2.0, 3.0]
    assert trace.current_a == 1.0
    assert trace.mean_current_a(edges(0, 200, 300)).tolist() == [1.5, 3.0]
    trace.record(150, 5.0)
    assert trace.mean_current_a(edges(0, 100, 150, 300)).tolist() == [1.0, 2.0, 5.0]
    trace.plan(400, 6.0)
    trace.record(400, 7.0)
    trace.record(500, 7.0)
    assert trace.mean_current_a(edges(150, 400, 500)).tolist() == [5.0, 7.0]


def test_charge_at_an_instant_leaves_the_planned_steps():
    trace = SupplyTrace()
    trace.record(0, 1e-3)
    trace.plan(100, 2e-3)
    trace.plan(200, 1e-3)
    trace.add_charge(150, 1e-14)
    means_a = trace.mean_current_a(edges(0, 100, 150, 200, 300))
    assert means_a == pytest.approx([1e-3, 2e-3 + 1e-14 / 50e-12, 2e-3, 1e-3])
    assert trace.current_a == 2e-3


def test_discarding_keeps_planned_steps():
    trace = SupplyTrace()
    for n in range(1, 5000):
        trace.record(n * 1000, float(n % 7))
        trace.plan(n * 1000 + 300, 10.0)
        trace.plan(n * 1000 + 600, 20.0)
        trace.discard_before(n * 1000 + 700)
    assert trace.step_count <= 4
    assert trace.mean_current_a(edges(4_999_600, 4_999_700)).tolist() == [20.0]


@pytest.mark.parametrize("planned_first", [True, False])
def test_a_planned_step_across_the_watched_threshold_is_told_when_it_comes(planned_first):
    scheduler = Scheduler()
    trace = SupplyTrace(scheduler)
    told = []

    threshold = trace.threshold()
    threshold.crossed.connect(lambda above: told.append((scheduler.now_ps, above)))

    def watch():
        threshold.set(1.5)

    trace.record(0, 1.0)
    if not planned_first:
        watch()
    trace.plan(100, 2.0)
    trace.plan(200, 1.0)
    trace.plan(300, 2.0)
    if planned_first:
        watch()
    scheduler.advance_to(250)
    assert told == [(100, True), (200, False)]
    trace.record(250, 1.2)
    scheduler.advance_to(400)
    assert told == [(100, True), (200, False)]


def test_two_who_watch_do_not_displace_each_other():
    trace, told = SupplyTrace(), []
    for name, level_a in (("one", 1.0), ("other", 2.0)):
        threshold = trace.threshold()
        threshold.crossed.connect(lambda above, name=name: told.append((name, above)))
        threshold.set(level_a)
    trace.record(1, 1.5)
    trace.record(2, 2.5)
    trace.record(3, 0.5)
    assert told == [("one", True), ("other", True), ("one", False), ("other", False)]


@given(
    st.lists(st.tuples(st.integers(1, 10**6), st.floats(0, 0.1)), min_size=1, max_size=30),
    st.lists(st.integers(1, 10**6), min_size=1, max_size=30),
)
def test_mean_is_the_integral_over_the_interval(steps, widths):
    trace = SupplyTrace()
    times, currents, at = [0], [0.0], 0
    for width, current in steps:
        at += width
        trace.record(at, current)
        times.append(at)
        currents.append(current)
    points = np.cumsum([0, *widths]).astype(np.int64)

    def charge(until):
        ends = [*times[1:], 10**12]
        return sum(
            Fraction(c) * max(0, min(e, until) - s)
            for s, e, c in zip(times, ends, currents, strict=True)
            if s < until
        )

    expected = [float((charge(int(b)) - charge(int(a))) / int(b - a)) for a, b in pairwise(points)]
    # An interval of 1 ps across a step is a difference of accumulated charges of up to 3e6 A ps.
    assert trace.mean_current_a(points) == pytest.approx(expected, rel=1e-9, abs=2e-9)


@given(
    st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 50)), min_size=1, max_size=12),
    st.integers(0, 1000),
    st.integers(0, 300),
    st.integers(1, 9),
    st.integers(0, 400),
)
def test_what_flowed_beyond_the_record_is_added_to_its_time_alone(steps, start, length, more, ahead):
    plain, trace = SupplyTrace(), SupplyTrace()
    steps.sort(key=lambda step: step[0])
    end = max(steps[-1][0], start) + length
    for each in (plain, trace):
        for time_ps, current_a in steps:
            each.record(time_ps, float(current_a))
        each.plan(end + ahead, 77.0)
    trace.add_between(start, end, float(more))
    at = edges(*range(0, end + ahead + 20, 7))
    expected = plain.mean_current_a(at)
    for n, (left, right) in enumerate(pairwise(at.tolist())):
        overlap = max(0, min(right, end) - max(left, start))
        expected[n] += more * overlap / (right - left)
    assert trace.mean_current_a(at) == pytest.approx(expected, abs=1e-9)
    assert trace.current_at_a(end) == plain.current_at_a(end)
    trace.record(end + 1, 5.0)
    plain.record(end + 1, 5.0)
    late = edges(end + 1, end + 2)
    assert trace.mean_current_a(late).tolist() == plain.mean_current_a(late).tolist() == [5.0]


def test_nothing_is_added_after_the_fact_of_a_record():
    trace = SupplyTrace()
    trace.record(100, 1.0)
    with pytest.raises(ValueError, match="recorded already"):
        trace.add_between(0, 99, 1.0)
