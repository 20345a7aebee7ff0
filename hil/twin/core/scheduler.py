# SPDX-License-Identifier: Apache-2.0
"""Discrete-event time of the virtual bench, in integer picoseconds.

Nothing happens between two events but the processor executing instructions, so time jumps from event to event
while the processor sleeps and moves in slices while it runs.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Protocol


class Processor(Protocol):
    """What consumes time between two events."""

    @property
    def time_ps(self) -> int:
        """How far the processor is inside the slice it executes now."""

    def run_until(self, time_ps: int) -> int:
        """Execute up to `time_ps`; return the instant reached.

        That is `time_ps`, the earlier instant given to `shorten` meanwhile, or the instant at which the
        processor stopped executing (sleep, halt).  A processor that does not execute returns `time_ps` at
        once.
        """

    def has_passed(self, time_ps: int) -> bool:
        """Tell inside a slice whether an event at `time_ps` would have come before what is executed now."""

    def shorten(self, time_ps: int) -> None:
        """End the running slice at `time_ps`."""


class Event:
    """An action planned for an instant."""

    __slots__ = ("action", "cancelled", "time_ps")

    def __init__(self, time_ps: int, action: Callable[[], None]) -> None:
        self.time_ps = time_ps
        self.action = action
        self.cancelled = False

    def cancel(self) -> None:
        """Take the event out of the plan; without effect once it has run."""
        self.cancelled = True


class Scheduler:
    """Keeps the time and the events, and lets the processor run between them."""

    def __init__(self) -> None:
        self._now_ps = 0
        self._queue: list[tuple[int, int, Event]] = []
        self._sequence = 0
        self._processor: Processor | None = None
        self._slice_end_ps: int | None = None
        self._stop_requested = False
        self._limit_ps = 0

    def set_processor(self, processor: Processor) -> None:
        """Name what runs between events; without one, time only jumps."""
        self._processor = processor

    @property
    def now_ps(self) -> int:
        """The present instant, also while a slice of instructions is being executed."""
        if self._slice_end_ps is not None and self._processor is not None:
            self._now_ps = max(self._now_ps, self._processor.time_ps)
        return self._now_ps

    def has_passed(self, time_ps: int) -> bool:
        """Tell whether an event planned for `time_ps` would have run by now, without there being one."""
        if self._slice_end_ps is not None and self._processor is not None and self._now_ps < time_ps:
            return self._processor.has_passed(time_ps)
        return self._now_ps >= time_ps

    @property
    def quiet_until_ps(self) -> int:
        """The instant before which nothing acts but the processor: the next event or the advance's end.

        Whoever plans a train of events may do the work of those before it at once, if the processor sleeps.
        """
        while self._queue and self._queue[0][2].cancelled:
            heapq.heappop(self._queue)
        return min(self._limit_ps, self._queue[0][0]) if self._queue else self._limit_ps

    def at(self, time_ps: int, action: Callable[[], None]) -> Event:
        """Plan `action` for `time_ps`, now if that is past; equal times keep the order of planning."""
        return self._plan(max(time_ps, self.now_ps), action)

    def after(self, delay_ps: int, action: Callable[[], None]) -> Event:
        """Plan `action` for `delay_ps` from now."""
        return self._plan(self.now_ps + max(delay_ps, 0), action)

    def _plan(self, time_ps: int, action: Callable[[], None]) -> Event:
        event = Event(time_ps, action)
        self._sequence += 1
        heapq.heappush(self._queue, (time_ps, self._sequence, event))
        if self._slice_end_ps is not None and self._processor is not None and time_ps < self._slice_end_ps:
            self._slice_end_ps = time_ps
            self._processor.shorten(time_ps)
        return event

    def request_stop(self) -> None:
        """Make the running `advance_to` or `advance_until` return at this instant."""
        self._stop_requested = True
        if self._slice_end_ps is not None and self._processor is not None:
            self._slice_end_ps = self.now_ps
            self._processor.shorten(self._slice_end_ps)

    def advance_to(self, time_ps: int) -> None:
        """Run the processor and the events up to and including `time_ps`, unless `request_stop` ends it
        earlier.
        """
        self._advance(lambda: False, time_ps)

    def advance_until(self, condition: Callable[[], bool], limit_ps: int) -> bool:
        """Run until `condition()` holds or `limit_ps` is reached; return whether it holds.

        The condition is looked at after every event and every slice of the processor.  `request_stop` ends it
        earlier too.
        """
        return condition() or self._advance(condition, limit_ps)

    def _advance(self, condition: Callable[[], bool], limit_ps: int) -> bool:
        if self._slice_end_ps is not None:
            raise RuntimeError(
                "scheduler: time cannot be advanced from inside a slice; plan an event instead"
            )
        self._stop_requested = False
        self._limit_ps = limit_ps
        while True:
            if self._run_due_event():
                if condition():
                    return True
                if self._stop_requested:
                    return condition()
                continue
            if self._now_ps >= limit_ps:
                return condition()
            self._run_slice(min(limit_ps, self._queue[0][0]) if self._queue else limit_ps)
            if condition():
                return True
            if self._stop_requested:
                return condition()

    def _run_due_event(self) -> bool:
        while self._queue and (self._queue[0][2].cancelled or self._queue[0][0] <= self._now_ps):
            event = heapq.heappop(self._queue)[2]
            if not event.cancelled:
                event.action()
                return True
        return False

    def _run_slice(self, end_ps: int) -> None:
        if self._processor is None:
            self._now_ps = end_ps
            return
        self._slice_end_ps = end_ps
        try:
            reached_ps = self._processor.run_until(end_ps)
        finally:
            self._slice_end_ps = None
        self._now_ps = max(self._now_ps, reached_ps)
