# SPDX-License-Identifier: Apache-2.0
"""A counter of clock ticks in exact integer time, for timers that nobody needs to step."""

import numpy as np
import numpy.typing as npt

from hil.twin.core.counter_line import CounterLine
from hil.twin.core.scheduler import Scheduler

PS_PER_S = 1_000_000_000_000


class TickCounter:
    """Counts ticks of a clock of ``rate_hz / divider``; the rate may change or be zero (clock stopped).

    A change of rate keeps the count and starts a new tick: the fraction of a tick under way is lost.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._anchor_ps = 0
        self._anchor_count = 0
        self._rate_hz = 0
        self._divider = 1

    @property
    def running(self) -> bool:
        """Whether the clock ticks."""
        return self._rate_hz > 0

    @property
    def count(self) -> int:
        """Ticks counted up to now."""
        return self.count_at(self._scheduler.now_ps)

    def count_at(self, time_ps: int) -> int:
        """Ticks counted up to ``time_ps``, which must not lie before the last change of rate."""
        elapsed = (time_ps - self._anchor_ps) * self._rate_hz
        return self._anchor_count + elapsed // (self._divider * PS_PER_S)

    def set_count(self, count: int) -> None:
        """Continue from ``count``, with a fresh tick."""
        self._anchor_ps = self._scheduler.now_ps
        self._anchor_count = count

    def set_rate(self, rate_hz: int, divider: int = 1) -> bool:
        """Tick at ``rate_hz / divider`` from now on; returns whether that is news."""
        if rate_hz == self._rate_hz and (divider == self._divider or not rate_hz):
            return False
        self.set_count(self.count)
        self._rate_hz = rate_hz
        self._divider = divider
        return True

    def line(self, base: int, sign: int, origin: int, until: int, step: int = 1) -> CounterLine:
        """Describes a register that reads ``base + sign * ((count - origin) // step)`` up to a count."""
        return CounterLine(
            base,
            sign,
            self._anchor_ps,
            self._rate_hz,
            self._divider,
            self._anchor_count - origin,
            step,
            self.time_of(until),
        )

    def time_of(self, count: int) -> int | None:
        """The time in ps at which ``count`` is reached, or ``None`` while the clock is stopped."""
        if self._rate_hz == 0:
            return None
        numerator = (count - self._anchor_count) * self._divider * PS_PER_S
        return self._anchor_ps - (-numerator // self._rate_hz)

    def times_of(self, first: int, step: int, how_many: int) -> npt.NDArray[np.int64]:
        """:meth:`time_of` every ``step`` counts from ``first`` on; empty while the clock is stopped."""
        start_ps = self.time_of(first)
        if start_ps is None:
            return np.zeros(0, dtype=np.int64)
        step_ps, rest = divmod(step * self._divider * PS_PER_S, self._rate_hz)
        if rest == 0:
            return start_ps + step_ps * np.arange(how_many)
        return np.array([self.time_of(first + index * step) for index in range(how_many)], dtype=np.int64)
