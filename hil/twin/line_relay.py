# SPDX-License-Identifier: Apache-2.0
"""The relay in the debug and console lines: normally open, slow, and bouncing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

PS_PER_S = 1_000_000_000_000

BOUNCES = 3
"""How often closing contacts open again (ASSUMPTION)."""

COIL_A = 40e-3
"""Of a 5 V signal relay (ASSUMPTION: 125 ohm, as small ones have)."""


class Event(Protocol):
    """A planned action."""

    def cancel(self) -> None:
        """Take it out of the plan."""


class Scheduler(Protocol):
    """The bench's time."""

    def after(self, delay_ps: int, action: Callable[[], None]) -> Event:
        """Call ``action`` in ``delay_ps`` picoseconds."""


class LineRelay:
    """Moves the contacts some time after its coil; closing contacts bounce."""

    def __init__(
        self,
        scheduler: Scheduler,
        move: Callable[[bool], None],
        rng: np.random.Generator,
        *,
        operate_s: float,
        bounce_s: float,
        kind: str,
        overload: Callable[[float], None],
    ) -> None:
        """At rest.

        Args:
            scheduler: the bench's time.
            move: told whether the contacts connect, whenever that changes.
            rng: draws the instants of the bounces.
            operate_s: from coil to contact.
            bounce_s: how long closing contacts bounce.
            kind: "fitted", "missing", "welded" or "without_driver", see :mod:`hil.twin.miswiring`.
            overload: told the coil's current where the DAQ's line must carry it.
        """
        self._scheduler, self._move, self._rng = scheduler, move, rng
        self._operate_s, self._bounce_s = operate_s, bounce_s
        self._kind, self._overload = kind, overload
        self._planned: list[Event] = []
        self._closed_once = False
        if kind == "missing":
            move(True)

    def command(self, connect: bool) -> None:
        """The coil gets its current, or loses it."""
        if self._kind == "missing":
            return
        if self._kind == "without_driver":
            if connect:
                self._overload(COIL_A)
            return
        if self._kind == "welded" and self._closed_once:
            return
        self._closed_once |= connect
        for event in self._planned:
            event.cancel()
        self._planned.clear()
        if not self._operate_s:
            self._move(connect)
            return
        self._plan(self._operate_s, connect)
        if connect and self._bounce_s:
            instants_s = np.sort(self._rng.uniform(0, self._bounce_s, 2 * BOUNCES))
            for number, instant_s in enumerate(instants_s):
                self._plan(self._operate_s + float(instant_s), number % 2 == 1)

    def _plan(self, delay_s: float, connect: bool) -> None:
        def act() -> None:
            self._move(connect)

        self._planned.append(self._scheduler.after(round(delay_s * PS_PER_S), act))
