# SPDX-License-Identifier: Apache-2.0
"""What the acquisitions of a run give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hil.instruments.records import Record
    from hil.measurement.part_alone import MeanAccuracy, PartAlone
    from hil.measurement.phases import Phase
    from hil.measurement.waveform import Waveform


@dataclass(frozen=True, eq=False)
class ReportingWakes:
    """What came out of a start and some wakes that each saw a faulty machine; debugger and console
    connected.
    """

    inference_s: NDArray[np.float64]
    """Width of marker_inference in each wake, by counter."""
    records: tuple[Record, ...]
    """Everything received since the start, BOOT included."""
    garbage_lines: int
    lost_records: int
    repeated_records: int

    @property
    def anomalies(self) -> tuple[Record, ...]:
        """The ANOM records."""
        return tuple(record for record in self.records if record.kind == "ANOM")


@dataclass(frozen=True, eq=False)
class DutyCycleLog:
    """Whole periods in the state *measuring*."""

    alone: PartAlone
    supply_voltage_v: float
    periods_s: NDArray[np.float64]
    """Between rising edges of marker_active, by counter."""

    @property
    def waveform(self) -> Waveform:
        """The current of the part alone."""
        return self.alone.waveform

    @property
    def phases(self) -> tuple[Phase, ...]:
        """What the part does, told from its current."""
        return self.alone.phases

    def mean_accuracy(self, instrument: MeanAccuracy) -> MeanAccuracy:
        """Standard uncertainty of a mean current, from the instrument's and that of the markers' loads."""
        return self.alone.mean_accuracy(instrument)


@dataclass(frozen=True, eq=False)
class WakeCapture:
    """One wake without a report, finely sampled, in the state *measuring*."""

    waveform: Waveform
    phases: tuple[Phase, ...]
    inference_s: float
    """Width of marker_inference, by counter."""
    active_s: float
    """Width of marker_active, by counter."""
    active_to_inference_s: float
    """From the rise of marker_active to that of marker_inference, by counter."""


@dataclass(frozen=True, eq=False)
class PlanSweeps:
    """Logs in the state *measuring*, in each of which successive wakes use the clock plans in turn."""

    default_plan: int
    """What the firmware uses without being asked."""
    plans: int
    period_s: float
    """The wake period that the firmware is set to."""
    alone: tuple[PartAlone, ...]
    supply_voltage_v: float

    @property
    def sweeps(self) -> tuple[tuple[Waveform, tuple[Phase, ...]], ...]:
        """The current of the part alone, and what it does."""
        return tuple((sweep.waveform, sweep.phases) for sweep in self.alone)
