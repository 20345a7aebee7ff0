# SPDX-License-Identifier: Apache-2.0
"""A timer's time base (RM0351, TIM sections: time-base unit, counter modes, repetition counter)."""

from hil.twin.core.counter_line import CounterLine
from hil.twin.core.scheduler import Scheduler
from hil.twin.ip.tick_counter import TickCounter
from hil.twin.ip.timer_v1.course import Course


class TimeBase:
    """The counter with the values in force of prescaler, reload and repetition.

    A leg is what lies between two overflows or underflows. Nothing happens at their ends by itself:
    :meth:`end_legs` accounts for those that are over.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        self.ticks = TickCounter(scheduler)
        self.course = Course()
        self.prescaler = 0
        self.repetitions = 0
        self.repetitions_left = 0
        self._epoch = 0
        """Ticks at the start of the present leg."""
        self._looked_at = 0
        self._external_edges = 0

    def reset(self, reload: int) -> None:
        """As after a reset, standing at zero."""
        self.course.reset(reload)
        self.prescaler = 0
        self.repetitions = self.repetitions_left = 0
        self._external_edges = 0
        self._epoch = self._looked_at = 0
        self.ticks.set_count(0)

    @property
    def stands_still(self) -> bool:
        """A reload value of zero holds the counter (RM0351, TIMx_ARR)."""
        return not self.course.reload

    @property
    def elapsed(self) -> int:
        """Ticks since the start of the leg that was the present one when its ends were last looked at."""
        return self.ticks.count - self._epoch

    @property
    def count(self) -> int:
        """What CNT shows, as long as the leg is not over."""
        return self.course.count(self.elapsed)

    @property
    def position(self) -> int:
        """What CNT shows, leaving out ends of legs."""
        return self.course.count(self.elapsed % max(self.course.leg, 1))

    def set_count(self, count: int) -> None:
        """Go on from a count."""
        phase = self.course.phase(count)
        self.ticks.set_count(phase)
        self._epoch, self._looked_at = 0, phase

    def set_reload(self, reload: int) -> None:
        """A new reload value, at once; a counter that counts down keeps its count."""
        count = self.count
        self.course.reload = reload
        if self.course.down:
            self.set_count(count)

    @property
    def update_period(self) -> int:
        """Ticks from one update event to the next."""
        return self.course.leg * (self.repetitions + 1)

    @property
    def next_end(self) -> int:
        """The tick that ends the present leg."""
        return self._epoch + self.course.leg

    def end_legs(self, *, at_first_update: bool) -> bool:
        """Account for the legs that are over; returns whether that makes an update event.

        With ``at_first_update`` none counts after the one that makes it, where the counter then stands.
        """
        legs, left = self.elapsed // self.course.leg, self.repetitions_left
        updates = legs > left
        if updates and at_first_update:
            legs = left + 1
        self.repetitions_left = (left - legs) % (self.repetitions + 1) if updates else left - legs
        self._epoch += legs * self.course.leg
        self.course.end(legs)
        if updates and at_first_update:
            self.ticks.set_rate(0)
            self.set_count(self.course.count(0))
        return updates

    def skip_updates(self, count: int) -> None:
        """So many update events are dealt with."""
        self._epoch += count * self.update_period
        self.course.end(count * (self.repetitions + 1))

    def look(self) -> tuple[int, int]:
        """The span of ticks, from the start of the present leg, since this was last asked for."""
        before, self._looked_at = self._looked_at - self._epoch, self.ticks.count
        return before, self.elapsed

    def tick_at(self, phase: int) -> int:
        """The tick at a phase of the present leg."""
        return self._epoch + phase

    def line(self) -> CounterLine:
        """CNT, up to the end of the leg."""
        sign = -1 if self.course.down else 1
        return self.ticks.line(self.course.count(0), sign, self._epoch, self.next_end)

    def divided(self) -> bool:
        """An edge of an external clock; returns whether the prescaler lets it through."""
        self._external_edges += 1
        if self._external_edges <= self.prescaler:
            return False
        self._external_edges = 0
        return True
