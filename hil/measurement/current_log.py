# SPDX-License-Identifier: Apache-2.0
"""The current of a firmware of which nothing is known: when it sleeps, and what it draws then."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.errors import MeasurementError
from hil.measurement.duty_cycle import wake_times_s
from hil.measurement.phases import Phase, PhaseName, segment
from hil.measurement.waveform import Waveform

SETTLING_S = 1.0
"""Assumption: after the entry into a sleep, charge on the board's capacitors is gone within a second."""
_SLEEP_LEAST = 4
"""Samples of a sleep that counts: half of it may settle, and the last one holds the wake's edge."""


@dataclass(frozen=True)
class CurrentLog:
    """A current, and what can be told from it alone: asleep or awake."""

    waveform: Waveform
    phases: tuple[Phase, ...]
    """Empty where the current does not change between sleep and activity. Of the phases that are not sleep
    only the bounds mean something here."""
    supply_voltage_v: float

    @classmethod
    def of(cls, waveform: Waveform, supply_voltage_v: float) -> CurrentLog:
        """Cut a waveform where the current tells sleep from activity."""
        try:
            phases = tuple(segment(waveform))
        except MeasurementError:  # it stays within a factor of two
            phases = ()
        return cls(waveform, phases, supply_voltage_v)

    @property
    def wakes(self) -> int:
        """How often it wakes."""
        return len(wake_times_s(self.phases))

    @property
    def sleeps(self) -> tuple[Phase, ...]:
        """Its sleeps, the ends of the waveform among them."""
        return tuple(phase for phase in self.phases if phase.name is PhaseName.SLEEP)

    @property
    def floor_samples_a(self) -> NDArray[np.float64]:
        """The samples of settled sleep in amperes; all samples where the current does not change."""
        period_s = self.waveform.period_s
        settled = [
            self.waveform.slice(
                phase.start_s + min(SETTLING_S, phase.duration_s / 2), phase.end_s - period_s
            ).current_a
            for phase in self.sleeps
            if phase.duration_s > _SLEEP_LEAST * period_s
        ]
        return np.concatenate(settled) if settled else self.waveform.current_a
