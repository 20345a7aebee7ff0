# SPDX-License-Identifier: Apache-2.0
"""A piecewise-constant current over time and its exact integral."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from hil.twin.core.scheduler import Scheduler
from hil.twin.ip.tick_counter import PS_PER_S
from hil.twin.signal import Signal

_INITIAL_CAPACITY = 1024


class Threshold:
    """A current that somebody watches in a trace. ``crossed`` tells when the current begins (True) or ceases
    (False) to exceed it.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        """Infinite: nothing exceeds it. ``changed`` is called when it is set."""
        self.crossed: Signal[[bool]] = Signal()
        self.level_a = math.inf
        self._above = False
        self._changed = changed

    def set(self, level_a: float) -> None:
        """Watch this current from now on; it is told at once if it is exceeded already."""
        self.level_a = level_a
        self._above = False
        self._changed()

    def compare(self, current_a: float) -> None:
        """The current is this one now."""
        above = current_a > self.level_a
        if above is not self._above:
            self._above = above
            self.crossed(above)


class SupplyTrace:
    """The current from the supply as steps: each record holds until the next.

    Charge is accumulated at every record, so a mean over any interval is exact however short its pulses.
    The memory grows with the number of steps that were not discarded.

    A step that is known beforehand can be planned; it holds unless something is recorded before its time.
    """

    def __init__(self, scheduler: Scheduler | None = None) -> None:
        """``scheduler`` is what a threshold needs to be told of planned steps."""
        self._scheduler = scheduler or Scheduler()
        self._times_ps = np.zeros(_INITIAL_CAPACITY, dtype=np.int64)
        self._currents_a = np.zeros(_INITIAL_CAPACITY)
        self._charges = np.zeros(_INITIAL_CAPACITY)
        """Charge up to each step in ampere picoseconds, from the oldest step kept."""
        self._first = 0
        self._end = 1
        self._recorded = 0
        """Index of the last step that is not a planned one."""
        self.recorded: Signal[[float]] = Signal()
        """Tells the current at every record, also one that changes nothing."""
        self._thresholds: tuple[Threshold, ...] = ()
        self._watched: tuple[Threshold, ...] = ()
        """Those of them that a current can exceed."""

    @property
    def current_a(self) -> float:
        """The current that was recorded last, in A; see :meth:`current_at_a` for planned steps."""
        return float(self._currents_a[self._recorded])

    def current_at_a(self, time_ps: int) -> float:
        """The current in A at ``time_ps``, which is not before the last record."""
        step = self._end - 1
        while step > self._recorded and self._times_ps[step] > time_ps:
            step -= 1
        return float(self._currents_a[step])

    @property
    def known_from_ps(self) -> int:
        """The earliest time whose current has not been discarded."""
        return int(self._times_ps[self._first])

    @property
    def step_count(self) -> int:
        """How many steps are kept."""
        return self._end - self._first

    def threshold(self) -> Threshold:
        """A threshold of one's own, beside those of others."""

        def changed() -> None:
            self._watched = tuple(other for other in self._thresholds if other.level_a < math.inf)
            threshold.compare(self.current_at_a(self._scheduler.now_ps))
            for step in range(self._recorded + 1, self._end):
                self._foresee_crossing(step, threshold)

        threshold = Threshold(changed)
        self._thresholds = (*self._thresholds, threshold)
        return threshold

    def record(self, time_ps: int, current_a: float) -> None:
        """From ``time_ps`` on the current is ``current_a``; steps planned for later are dropped.

        Raises ValueError for a time before the last record's.
        """
        self._drop_planned(time_ps)
        self._step(time_ps, current_a)
        self._recorded = self._end - 1
        for threshold in self._watched:
            threshold.compare(current_a)
        self.recorded(current_a)

    def plan(self, time_ps: int, current_a: float) -> None:
        """From ``time_ps`` on the current will be ``current_a``, unless a record comes before.

        Raises ValueError for a time before the last step's.
        """
        self._step(time_ps, current_a)
        for threshold in self._watched:
            self._foresee_crossing(self._end - 1, threshold)

    def _drop_planned(self, time_ps: int) -> None:
        """Forget the steps planned for after ``time_ps``."""
        while self._end - 1 > self._recorded and self._times_ps[self._end - 1] > time_ps:
            self._end -= 1

    def _foresee_crossing(self, step: int, threshold: Threshold) -> None:
        """Look at the threshold when a planned step comes that crosses it."""
        before_a, after_a = self._currents_a[step - 1], self._currents_a[step]
        if (before_a > threshold.level_a) != (after_a > threshold.level_a):
            self._scheduler.at(
                int(self._times_ps[step]),
                lambda: threshold.compare(self.current_at_a(self._scheduler.now_ps)),
            )

    def _step(self, time_ps: int, current_a: float) -> None:
        last = self._end - 1
        last_ps = int(self._times_ps[last])
        if time_ps < last_ps:
            raise ValueError(
                f"the supply current is known up to {last_ps} ps; a step at {time_ps} ps is too late"
            )
        previous_a = float(self._currents_a[last])
        if current_a == previous_a:
            return
        if time_ps == last_ps:
            self._currents_a[last] = current_a
            return
        if self._end == len(self._times_ps):
            self._make_room()
            last = self._end - 1
        self._times_ps[self._end] = time_ps
        self._currents_a[self._end] = current_a
        self._charges[self._end] = self._charges[last] + previous_a * (time_ps - last_ps)
        self._end += 1

    def add_charge(self, time_ps: int, charge_c: float) -> None:
        """``charge_c`` coulombs flow at ``time_ps`` beside the current, in no time.

        They count to the interval that ends at that instant. Raises ValueError as :meth:`record` does.
        """
        current_a = self.current_at_a(time_ps)
        ahead = slice(self._recorded + 1, self._end)
        planned = list(zip(self._times_ps[ahead].tolist(), self._currents_a[ahead].tolist(), strict=True))
        self._drop_planned(time_ps)
        if time_ps > int(self._times_ps[self._end - 1]):
            self._step(time_ps, math.nan)  # no current equals it: makes the step that carries the charge
        self._step(time_ps, current_a)
        self._recorded = self._end - 1
        self._charges[self._end - 1] += charge_c * PS_PER_S
        for step_ps, step_a in planned:
            if step_ps > time_ps:
                self.plan(step_ps, step_a)

    def add_between(self, start_ps: int, end_ps: int, current_a: float) -> None:
        """What flowed from ``start_ps`` to ``end_ps`` was ``current_a`` more than recorded.

        Not more than what is kept is changed, and nothing is told to who watches: the record was made before
        it could be known. ``end_ps`` is not before the last record. Raises ValueError if it is.
        """
        start_ps = max(start_ps, self.known_from_ps)
        if end_ps < int(self._times_ps[self._recorded]):
            raise ValueError(f"the supply current at {end_ps} ps was recorded already")
        if current_a == 0.0 or end_ps <= start_ps:
            return
        ahead = slice(self._recorded + 1, self._end)
        planned = list(zip(self._times_ps[ahead].tolist(), self._currents_a[ahead].tolist(), strict=True))
        now_a = self.current_at_a(end_ps)
        self._drop_planned(end_ps)
        first = self._split(start_ps)
        last = self._split(end_ps)
        self._currents_a[first:last] += current_a
        spans_ps = np.diff(self._times_ps[first : self._end]) * (np.arange(first, self._end - 1) < last)
        self._charges[first + 1 : self._end] += np.cumsum(spans_ps * current_a)
        self._currents_a[last] = now_a
        self._recorded = self._end - 1
        for step_ps, step_a in planned:
            if step_ps > end_ps:
                self._step(step_ps, step_a)

    def _split(self, time_ps: int) -> int:
        """Return the step that begins at ``time_ps``, made if there is none."""
        step = (
            int(np.searchsorted(self._times_ps[self._first : self._end], time_ps, "right")) - 1 + self._first
        )
        before_ps = int(self._times_ps[step])
        if before_ps == time_ps:
            return step
        if self._end == len(self._times_ps):
            offset = step - self._first
            self._make_room()
            step = offset + self._first
        for values in (self._times_ps, self._currents_a, self._charges):
            values[step + 2 : self._end + 1] = values[step + 1 : self._end]
        self._times_ps[step + 1] = time_ps
        self._currents_a[step + 1] = self._currents_a[step]
        self._charges[step + 1] = self._charges[step] + self._currents_a[step] * (time_ps - before_ps)
        self._end += 1
        self._recorded += step < self._recorded
        return step + 1

    def mean_current_a(self, edges_ps: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """The mean current in A of every interval between successive ``edges_ps`` (increasing).

        Raises ValueError if an edge lies before the oldest step kept. The last step holds for ever, so edges
        in the future are answered as if nothing changed.
        """
        times_ps = self._times_ps[self._first : self._end]
        if len(edges_ps) and edges_ps[0] < times_ps[0]:
            raise ValueError(
                f"the supply current before {times_ps[0]} ps was discarded; asked from {edges_ps[0]} ps"
            )
        steps = np.searchsorted(times_ps, edges_ps, side="right") - 1 + self._first
        # Where both edges lie in one step its current is the answer: differences of accumulated charge would
        # cost a short sample digits after a long time.
        into_ps = edges_ps - self._times_ps[steps]
        charge = self._charges[steps] + self._currents_a[steps] * into_ps
        mean_a: npt.NDArray[np.float64] = np.diff(charge) / np.diff(edges_ps)
        same = steps[1:] == steps[:-1]
        mean_a[same] = self._currents_a[steps[:-1][same]]
        return mean_a

    def step_times_ps(self, start_ps: int, end_ps: int) -> npt.NDArray[np.int64]:
        """The instants between ``start_ps`` and ``end_ps`` at which the current changes or charge flows."""
        times_ps = self._times_ps[self._first : self._end]
        begin, end = np.searchsorted(times_ps, start_ps, "right"), np.searchsorted(times_ps, end_ps, "left")
        return times_ps[begin:end].copy()

    def discard_before(self, time_ps: int) -> None:
        """Forget the steps that ended at or before ``time_ps``."""
        kept = int(np.searchsorted(self._times_ps[self._first : self._end], time_ps, side="right"))
        self._first += max(kept - 1, 0)

    def _make_room(self, wanted: int = 1) -> None:
        count, capacity = self.step_count, len(self._times_ps)
        while count + wanted > capacity // 2:
            capacity *= 2
        base_charge = self._charges[self._first]
        for name in ("_times_ps", "_currents_a", "_charges"):
            old = getattr(self, name)
            new = np.zeros(capacity, dtype=old.dtype)
            new[:count] = old[self._first : self._end]
            setattr(self, name, new)
        self._charges[:count] -= base_charge
        self._recorded = max(self._recorded - self._first, 0)
        self._first, self._end = 0, count
