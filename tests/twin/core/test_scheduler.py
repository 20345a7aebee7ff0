# SPDX-License-Identifier: Apache-2.0
"""Order of events, and slices of a processor between them."""

from __future__ import annotations

import pytest

from hil.twin.core import Scheduler


def test_events_run_in_order_of_time_then_of_planning():
    scheduler = Scheduler()
    seen: list[tuple[str, int]] = []
    for name, time_ps in (("late", 30), ("first", 10), ("second", 10)):
        scheduler.at(time_ps, lambda name=name: seen.append((name, scheduler.now_ps)))
    scheduler.advance_to(20)
    assert seen == [("first", 10), ("second", 10)]
    assert scheduler.now_ps == 20
    scheduler.advance_to(30)
    assert seen[-1] == ("late", 30)


def test_cancelled_event_does_not_run():
    scheduler = Scheduler()
    seen: list[int] = []
    event = scheduler.after(5, lambda: seen.append(1))
    event.cancel()
    scheduler.advance_to(10)
    assert seen == []


def test_an_event_in_the_past_runs_now():
    scheduler = Scheduler()
    scheduler.advance_to(100)
    assert scheduler.at(50, lambda: None).time_ps == 100


def test_advance_until_stops_at_the_event_that_makes_the_condition_true():
    scheduler = Scheduler()
    seen: list[int] = []
    for time_ps in (10, 20, 30):
        scheduler.at(time_ps, lambda: seen.append(scheduler.now_ps))
    assert scheduler.advance_until(lambda: len(seen) == 2, 1000)
    assert scheduler.now_ps == 20
    assert not scheduler.advance_until(lambda: len(seen) == 9, 500)
    assert scheduler.now_ps == 500


def test_request_stop_returns_at_its_instant():
    scheduler = Scheduler()
    scheduler.at(10, scheduler.request_stop)
    scheduler.advance_to(50)
    assert scheduler.now_ps == 10
    scheduler.advance_to(50)
    assert scheduler.now_ps == 50


class SliceRecorder:
    """A processor that does one thing in the middle of its first slice."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.time_ps = 0
        self.end_ps = 0
        self.slices: list[int] = []
        self.do_once = lambda: None
        scheduler.set_processor(self)

    def shorten(self, time_ps: int) -> None:
        self.end_ps = time_ps

    def run_until(self, time_ps: int) -> int:
        self.end_ps = time_ps
        self.time_ps = min(self.time_ps + 40, time_ps)
        action, self.do_once = self.do_once, lambda: None
        action()
        self.time_ps = self.end_ps
        self.slices.append(self.end_ps)
        return self.end_ps


def test_event_planned_inside_a_slice_shortens_it():
    scheduler = Scheduler()
    processor = SliceRecorder(scheduler)
    seen: list[int] = []
    processor.do_once = lambda: scheduler.after(20, lambda: seen.append(scheduler.now_ps))
    scheduler.advance_to(1000)
    assert seen == [60]
    assert processor.slices == [60, 1000]


def test_time_cannot_be_advanced_from_inside_a_slice():
    scheduler = Scheduler()
    processor = SliceRecorder(scheduler)
    processor.do_once = lambda: scheduler.advance_to(2000)
    with pytest.raises(RuntimeError, match="inside a slice"):
        scheduler.advance_to(1000)
