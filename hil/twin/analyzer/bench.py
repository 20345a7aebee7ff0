# SPDX-License-Identifier: Apache-2.0
"""What the power analyzer needs of the bench it stands on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hil.twin.signal import Signal


class Threshold(Protocol):
    """A current that is watched."""

    @property
    def crossed(self) -> Signal[[bool]]:
        """Tells whenever the current begins or ceases to exceed it."""

    def set(self, level_a: float) -> None:
        """Watch this current from now on; it is told at once if it is exceeded already."""


class SupplyTrace(Protocol):
    """The current the board draws from its supply, known exactly at every instant."""

    def mean_current_a(self, edges_ps: NDArray[np.int64]) -> NDArray[np.float64]:
        """The exact mean current in amperes between each pair of neighbouring edges (picoseconds)."""

    def step_times_ps(self, start_ps: int, end_ps: int) -> NDArray[np.int64]:
        """The instants between two at which the current changes or charge flows."""

    def threshold(self) -> Threshold:
        """A threshold of the caller's own, beside those of others."""

    def discard_before(self, time_ps: int) -> None:
        """Nobody will ask for anything earlier than ``time_ps`` any more."""


class Mcu(Protocol):
    """The load on the analyzer's output."""

    @property
    def supply(self) -> SupplyTrace:
        """The current it draws."""

    def set_supply_voltage(self, v: float) -> None:
        """The voltage at its supply pins, in volts."""


class Event(Protocol):
    """A planned action."""

    def cancel(self) -> None:
        """Take it out of the plan."""


class Scheduler(Protocol):
    """The bench's clock and its future."""

    @property
    def now_ps(self) -> int:
        """Bench time in picoseconds."""

    def after(self, delay_ps: int, action: Callable[[], None]) -> Event:
        """Call ``action`` in ``delay_ps`` picoseconds."""


class Bench(Protocol):
    """The virtual bench, as far as the power analyzer sees it."""

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """Held by whoever touches the machine."""

    @property
    def scheduler(self) -> Scheduler:
        """The clock."""

    @property
    def mcu(self) -> Mcu:
        """The load."""

    def rng(self, name: str) -> np.random.Generator:
        """A random generator of its own for ``name``, seeded by the bench's seed."""

    def advance_to(self, time_ps: int) -> None:
        """Let bench time pass up to ``time_ps``."""


def pass_time(bench: Bench, until_ps: int) -> None:
    """Let bench time pass up to ``until_ps``, also when something else on the bench makes it pause on the
    way.
    """
    while bench.scheduler.now_ps < until_ps:
        bench.advance_to(until_ps)
