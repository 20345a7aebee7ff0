# SPDX-License-Identifier: Apache-2.0
"""A supply that rises or falls slowly, as a discharged capacitor or a solar cell does."""

from collections.abc import Callable
from typing import Final

from hil.twin.core.scheduler import Event, Scheduler

STEP_V: Final = 1e-3
"""The ramp goes in steps of this height: small against the 20 mV that the closest thresholds are apart."""


class SupplyRamp:
    """Takes the supply from one voltage to another, evenly; ``set_voltage`` gets every step."""

    def __init__(self, scheduler: Scheduler, set_voltage: Callable[[float], None]) -> None:
        self._scheduler = scheduler
        self._set_voltage = set_voltage
        self._next: Event | None = None

    def start(self, from_v: float, to_v: float, duration_ps: int) -> None:
        """Begin now, in place of a ramp under way."""
        self.stop()
        steps = max(1, round(abs(to_v - from_v) / STEP_V))
        self._plan(self._scheduler.now_ps, from_v, to_v, duration_ps, 1, steps)

    def stop(self) -> None:
        """Stay where it is."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _plan(
        self, began_ps: int, from_v: float, to_v: float, duration_ps: int, step: int, steps: int
    ) -> None:
        def act() -> None:
            self._next = None
            if step < steps:
                self._plan(began_ps, from_v, to_v, duration_ps, step + 1, steps)
            self._set_voltage(to_v if step == steps else from_v + (to_v - from_v) * step / steps)

        self._next = self._scheduler.at(began_ps + duration_ps * step // steps, act)
