# SPDX-License-Identifier: Apache-2.0
"""The VDD net of the board: what feeds it, what it is loaded with, and how it falls.

While an output drives the net, the net has the output's voltage. With nothing driving it, whatever feeds it
through the part's pins holds it up; above that its capacitors are discharged by the part and by what else
hangs on the net.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

from hil.twin.signal import Signal

PS_PER_S = 1_000_000_000_000

SINK_A = 0.1
"""What the analyzer takes from a regulator whose voltage is higher than its own: its negative current limit,
100 mA (ASSUMPTION)."""

_STEP_V = 0.02
_STEP_MIN_S, _STEP_MAX_S = 10e-6, 20e-3
"""The capacitors' discharge is taken in steps of so many volts and at most so long."""


class Event(Protocol):
    """A planned action."""

    def cancel(self) -> None:
        """Take it out of the plan."""


class Scheduler(Protocol):
    """The bench's time."""

    def after(self, delay_ps: int, action: Callable[[], None]) -> Event:
        """Call ``action`` in ``delay_ps`` picoseconds."""


class SupplyNet:
    """VDD of the part. ``changed`` tells when its voltage, or what drives it, has changed."""

    def __init__(
        self,
        scheduler: Scheduler,
        set_vdd_v: Callable[[float], None],
        *,
        part_a: Callable[[], float],
        draw_charge: Callable[[float], None],
        capacitance_f: float,
        off_resistance_ohm: float,
        regulator_v: float,
    ) -> None:
        """The net is at 0 V.

        Args:
            scheduler: the bench's time.
            set_vdd_v: gives the part its supply voltage.
            part_a: what the part draws now.
            draw_charge: told what charging the capacitors takes from the output, in coulombs.
            capacitance_f: of the board's capacitors.
            off_resistance_ohm: what discharges the net besides the part.
            regulator_v: of the board's own regulator, where its jumper connects it; 0 V where it does not.
        """
        self._scheduler, self._set_vdd_v = scheduler, set_vdd_v
        self._part_a, self._draw_charge = part_a, draw_charge
        self._capacitance_f, self._off_resistance_ohm = capacitance_f, off_resistance_ohm
        self._regulator_v = regulator_v
        self._output_v = 0.0
        self._driven = False
        self._fed_v: dict[str, float] = {}
        self._falling: Event | None = None
        self.voltage_v = 0.0
        self.changed: Signal[[]] = Signal()
        self._settle()

    @property
    def driven(self) -> bool:
        """Whether a supply drives the net."""
        return self._driven or self._regulator_v > 0

    @property
    def backward_a(self) -> float:
        """The current that the analyzer takes out of the net, against another supply."""
        return SINK_A if self._driven and self._output_v < self._regulator_v else 0.0

    def drive(self, voltage_v: float, driven: bool) -> None:
        """The analyzer's output puts this voltage on the net, or has let go of it."""
        self._output_v, self._driven = voltage_v, driven
        self._settle()

    def feed(self, name: str, voltage_v: float) -> None:
        """What comes through a pin holds the net at least at ``voltage_v``; 0 V: nothing comes."""
        if self._fed_v.get(name, 0.0) != voltage_v:
            self._fed_v[name] = voltage_v
            self._settle()

    def _settle(self) -> None:
        if self._falling is not None:
            self._falling.cancel()
            self._falling = None
        floor_v = max(self._regulator_v, *self._fed_v.values(), 0.0)
        if self.driven:
            self._put(max(self._output_v, self._regulator_v) if self._driven else self._regulator_v)
        elif self.voltage_v > floor_v and self._capacitance_f > 0:
            self._plan_fall(floor_v)
            self._tell()
        else:
            self._put(floor_v)

    def _plan_fall(self, floor_v: float) -> None:
        drawn_a = max(self._part_a(), 0.0) + self.voltage_v / self._off_resistance_ohm
        step_s = self._capacitance_f * _STEP_V / drawn_a if drawn_a > 0 else math.inf
        step_s = min(max(step_s, _STEP_MIN_S), _STEP_MAX_S)
        fallen_v = max(self.voltage_v - drawn_a * step_s / self._capacitance_f, floor_v)

        def fall() -> None:
            self._falling = None
            # Close to its end the exponential is cut off.
            self._put(floor_v if fallen_v - floor_v < _STEP_V / 20 else fallen_v)
            self._settle()

        self._falling = self._scheduler.after(round(step_s * PS_PER_S), fall)

    def _put(self, voltage_v: float) -> None:
        if voltage_v != self.voltage_v:
            if self._driven and voltage_v > self.voltage_v:
                self._draw_charge(self._capacitance_f * (voltage_v - self.voltage_v))
            self.voltage_v = voltage_v
            self._set_vdd_v(voltage_v)
        self._tell()

    def _tell(self) -> None:
        self.changed()
