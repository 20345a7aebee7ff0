# SPDX-License-Identifier: Apache-2.0
"""A piecewise-constant current over time and its exact integral."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from hil.twin.peripherals.tick_counter import PS_PER_S

_INITIAL_CAPACITY = 1024


class SupplyTrace:
    """The current from the supply as steps: each record holds until the next.

    Charge is accumulated at every record, so a mean over any interval is exact however short its pulses.
    The memory grows with the number of steps that were not discarded.
    """

    def __init__(self) -> None:
        self._times_ps = np.zeros(_INITIAL_CAPACITY, dtype=np.int64)
        self._currents_a = np.zeros(_INITIAL_CAPACITY)
        self._charges = np.zeros(_INITIAL_CAPACITY)
        """Charge up to each step in ampere picoseconds, from the oldest step kept."""
        self._first = 0
        self._end = 1
        self._threshold_a = math.inf
        self._above = False
        self._on_crossing: Callable[[bool], None] = lambda above: None

    @property
    def current_a(self) -> float:
        """The current now, in A."""
        return float(self._currents_a[self._end - 1])

    @property
    def step_count(self) -> int:
        """How many steps are kept."""
        return self._end - self._first

    def watch(self, threshold_a: float, on_crossing: Callable[[bool], None]) -> None:
        """Call ``on_crossing`` whenever the current begins (True) or ceases (False) to exceed a threshold.

        It takes the place of an earlier watch, and is told at once if the current exceeds it already.
        """
        self._threshold_a, self._on_crossing = threshold_a, on_crossing
        self._above = self.current_a > threshold_a
        if self._above:
            on_crossing(True)

    def record(self, time_ps: int, current_a: float) -> None:
        """From ``time_ps`` on the current is ``current_a``.

        Raises ValueError for a time before the last record's.
        """
        self._step(time_ps, current_a)
        above = current_a > self._threshold_a
        if above is not self._above:
            self._above = above
            self._on_crossing(above)

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
        current_a = self.current_a
        if time_ps > int(self._times_ps[self._end - 1]):
            self._step(time_ps, math.nan)  # no current equals it: makes the step that carries the charge
        self._step(time_ps, current_a)
        self._charges[self._end - 1] += charge_c * PS_PER_S

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

    def _make_room(self) -> None:
        count = self.step_count
        capacity = len(self._times_ps) if count <= len(self._times_ps) // 2 else 2 * len(self._times_ps)
        base_charge = self._charges[self._first]
        for name in ("_times_ps", "_currents_a", "_charges"):
            old = getattr(self, name)
            new = np.zeros(capacity, dtype=old.dtype)
            new[:count] = old[self._first : self._end]
            setattr(self, name, new)
        self._charges[:count] -= base_charge
        self._first, self._end = 0, count
