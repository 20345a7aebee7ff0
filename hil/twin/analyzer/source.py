# SPDX-License-Identifier: Apache-2.0
"""The output of the N6781A: what it puts on the board's supply pins, and what makes it let go."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from hil.twin.analyzer.bench import Bench, Event
from hil.twin.analyzer.status import Operation, Questionable
from hil.twin.realism import Realism
from hil.twin.signal import Signal

OVER_CURRENT_DELAY_S = 20e-3
"""How long the current limit must hold before over-current protection trips: 20 ms, the reset value of
CURRent:PROTection:DELay (N6700C Operating and Service Guide). Brief inrush does not trip the output."""

OVER_VOLTAGE_DELAY_S = 60e-6
"""From an over-voltage at the sense terminals to the end of the output. ASSUMPTION: the shortest setting of
VOLTage:PROTection:REMote:DELay as remembered; no source at hand gives the module's figure."""

# Assumption: programming accuracy 0.025 % + 1.8 mV, the order of the maker's figure for the 20 V range;
# config overrides it.
DEFAULT_PROGRAMMING_GAIN = 0.025e-2
DEFAULT_PROGRAMMING_OFFSET_V = 1.8e-3


BACKUP_MARGIN_V = 1.5
"""How far above the programmed protection the local backup acts when the sense terminals see nothing
(N6705 User's Guide, page 39)."""

RISE_STEPS = 10
"""In how many steps the output rises, and with the low-impedance turn-off falls: an even ramp over the last
fifth of the delay (ASSUMPTION)."""
RAMP_SHARE = 0.2


class Net(Protocol):
    """The board's supply, which something else may feed as well."""

    @property
    def voltage_v(self) -> float:
        """The voltage there."""

    def drive(self, voltage_v: float, driven: bool) -> None:
        """What the output puts there, and whether it drives the board at all."""


class Source:
    """Voltage-priority output with current limit, over-current and remote over-voltage protection.

    A protection disables the output and leaves its programmed state; clearing it brings the output back
    (N6700C Operating and Service Guide, OUTPut:PROTection:CLEar). The limit turns the output into a current
    source for a short across it (:attr:`short_ohm`); for the part's own current it sets the status and the
    protection going, the voltage stays (ASSUMPTION: what a part does on a collapsing supply is not modelled).
    """

    def __init__(
        self,
        bench: Bench,
        config: Mapping[str, Any],
        rng: np.random.Generator,
        realism: Realism,
        *,
        sense_leads_open: bool = False,
    ) -> None:
        """``realism`` says how long the output takes to go on and off. With ``sense_leads_open`` remote
        sensing sees nothing: the output rises until its local backup ends it.
        """
        self._bench = bench
        self._on_s, self._off_s = realism.output_on_s, realism.output_off_s
        self._sense_leads_open = sense_leads_open
        self._gain = 1 + rng.uniform(-1, 1) * float(
            config.get("programming_gain_accuracy", DEFAULT_PROGRAMMING_GAIN)
        )
        self._offset_v = rng.uniform(-1, 1) * float(
            config.get("programming_offset_accuracy_v", DEFAULT_PROGRAMMING_OFFSET_V)
        )
        self.short_current_changed: Signal[[float]] = Signal()
        """Told the current through a short across the output, in amperes, whenever it changes."""
        self._net: Net | None = None
        self._short_ohm = math.inf
        self._lead_open = False
        self._applied_v = 0.0
        self._wanted = False
        self._closed = False
        self._level = 0.0
        self._steps: list[Event] = []
        self._told = (0.0, False)
        self._load_exceeds = False
        self._over_current: Event | None = None
        self._over_voltage: Event | None = None
        self._threshold = bench.mcu.supply.threshold()
        self._threshold.crossed.connect(self._load_changes)
        self.reset()

    def reset(self) -> None:
        """The output off, everything at its reset value."""
        self.on = False
        self.voltage_v = 0.0
        self.current_limit_a = 1.02
        self.over_voltage_v = 22.0
        self.over_voltage_delay_s = OVER_VOLTAGE_DELAY_S
        self.over_current_protection = False
        self.over_current_delay_s = OVER_CURRENT_DELAY_S
        self.remote_sense = False
        self.low_impedance_off = False
        self.tripped = Questionable(0)
        self.apply()

    @property
    def terminal_v(self) -> float:
        """The voltage that the meter finds, in volts: at the sense terminals, and behind the open output
        relay its own side.
        """
        if self.remote_sense and self._sense_leads_open:
            return 0.0
        if self._closed and self._net is not None and not self._lead_open:
            return self._net.voltage_v
        return self._applied_v

    @property
    def board_v(self) -> float:
        """What of it reaches the board, in volts."""
        return 0.0 if self._lead_open else self._applied_v

    @property
    def lead_open(self) -> bool:
        """A fault: the lead to the board is open."""
        return self._lead_open

    @lead_open.setter
    def lead_open(self, is_open: bool) -> None:
        self._lead_open = is_open
        self._tell()

    @property
    def short_ohm(self) -> float:
        """A fault: this resistance lies across the output."""
        return self._short_ohm

    @short_ohm.setter
    def short_ohm(self, resistance_ohm: float) -> None:
        self._short_ohm = resistance_ohm
        self.apply()

    @property
    def active(self) -> bool:
        """Whether the output is on and no protection has disabled it."""
        return self.on and not self.tripped

    def apply(self) -> None:
        """Let the settings act on the board."""
        self._switch_over()
        self._drive()
        self._load_exceeds = False
        self._threshold.set(self.current_limit_a if self.active else math.inf)
        self._judge_current()

    def switch(self, on: bool) -> None:
        """Output on or off. A tripped output stays disabled until the protection is cleared."""
        self.on = on
        self.apply()

    def clear_protection(self) -> None:
        """``OUTPut:PROTection:CLEar``: the output goes on again if it is programmed on."""
        self.tripped = Questionable(0)
        self.apply()

    def disable(self, why: Questionable) -> None:
        """A protection disables the output."""
        self.tripped |= why
        self.apply()

    @property
    def operation(self) -> Operation:
        """The output's bits of the operation status."""
        if not self.active:
            return Operation.OFF
        return Operation.CONSTANT_CURRENT if self._limiting else Operation.CONSTANT_VOLTAGE

    @property
    def questionable(self) -> Questionable:
        """The output's bits of the questionable status."""
        return self.tripped | Questionable.POSITIVE_LIMIT if self._limiting else self.tripped

    @property
    def settled(self) -> bool:
        """Whether the output has done what it was told."""
        return not self._steps

    def _switch_over(self) -> None:
        """Begin to go on or off, if that is asked for."""
        if self.active is self._wanted:
            return
        self._wanted = self.active
        for step in self._steps:
            step.cancel()
        self._steps.clear()
        if self._wanted:
            self._ramp(1.0, self._on_s)
        elif self.tripped:
            self._reach(0.0, closed=False)  # a protection does not wait for relays
        elif self.low_impedance_off:
            self._ramp(0.0, self._off_s)
        else:
            self._after(self._off_s, 0.0, closed=False)

    def _ramp(self, level: float, duration_s: float) -> None:
        """Go to ``level`` in the last part of ``duration_s``; at zero the relay opens."""
        if not duration_s:
            self._reach(level, closed=level > 0)
            return
        begin_s = (1 - RAMP_SHARE) * duration_s
        for step in range(1, RISE_STEPS + 1):
            share = step / RISE_STEPS
            between = share if level else 1 - share
            at_s = begin_s + RAMP_SHARE * duration_s * share
            self._after(at_s, between, closed=True)
        if not level:
            self._after(duration_s, 0.0, closed=False)

    def _after(self, delay_s: float, level: float, *, closed: bool) -> None:
        if not delay_s:
            self._reach(level, closed=closed)
            return

        def act() -> None:
            self._steps.remove(event)
            self._reach(level, closed=closed)
            self._drive()
            self._judge_current()

        event = self._bench.scheduler.after(round(delay_s * 1e12), act)
        self._steps.append(event)

    def _reach(self, level: float, *, closed: bool) -> None:
        self._level, self._closed = level, closed

    def _drive(self) -> None:
        programmed_v = self.voltage_v * self._gain + self._offset_v if self.voltage_v > 0 else 0.0
        wanted_v = programmed_v * self._level
        self._watch_voltage(wanted_v)
        # The output rises no further than to the level at which its protection acts.
        wanted_v = min(wanted_v, self.over_voltage_v, self.current_limit_a * self._short_ohm)
        if self._senses_nothing and wanted_v > 0:
            wanted_v = self.over_voltage_v + BACKUP_MARGIN_V
        self._applied_v = wanted_v
        self._tell()
        self.short_current_changed(wanted_v / self._short_ohm)

    @property
    def _senses_nothing(self) -> bool:
        return self.remote_sense and self._sense_leads_open

    def _tell(self) -> None:
        output = self.board_v, self._closed and not self._lead_open
        if output != self._told:
            self._told = output
            (self._feed_part if self._net is None else self._net.drive)(*output)

    def connect_net(self, net: Net) -> None:
        """The output feeds the part by way of this net, no longer by itself."""
        self._net = net

    def _feed_part(self, voltage_v: float, _driven: bool) -> None:
        self._bench.mcu.set_supply_voltage(voltage_v)

    def _watch_voltage(self, wanted_v: float) -> None:
        # The comparator has no programming error: what stands at the terminals counts, unlike a small offset.
        above = self.voltage_v > self.over_voltage_v or self._senses_nothing
        exceeds = self.active and above and wanted_v > 0
        if exceeds and self._over_voltage is None:
            delay_ps = round(self.over_voltage_delay_s * 1e12)
            self._over_voltage = self._bench.scheduler.after(delay_ps, self._trip_over_voltage)
        elif not exceeds and self._over_voltage is not None:
            self._over_voltage.cancel()
            self._over_voltage = None

    def _trip_over_voltage(self) -> None:
        self._over_voltage = None
        self.disable(Questionable.OVER_VOLTAGE)

    def _load_changes(self, exceeds: bool) -> None:
        """The load begins or ceases to draw more than the current limit."""
        self._load_exceeds = exceeds
        self._judge_current()

    @property
    def _limiting(self) -> bool:
        shorted = self.voltage_v > self.current_limit_a * self._short_ohm
        return self.active and (self._load_exceeds or shorted)

    def _judge_current(self) -> None:
        counts = self._limiting and self.over_current_protection
        if counts and self._over_current is None:
            delay_ps = round(self.over_current_delay_s * 1e12)
            self._over_current = self._bench.scheduler.after(delay_ps, self._trip_over_current)
        elif not counts and self._over_current is not None:
            self._over_current.cancel()
            self._over_current = None

    def _trip_over_current(self) -> None:
        self._over_current = None
        self.disable(Questionable.OVER_CURRENT)
