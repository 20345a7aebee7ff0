# SPDX-License-Identifier: Apache-2.0
"""When a task takes its samples: timing type, sample mode, rate, and what starts the clock."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from hil.twin.daq.channels import Edge
from hil.twin.daq.timebase import NOMINAL_HZ

# Sizes of the buffer NI-DAQmx makes for a continuous input task, by sample rate in Hz (NI-DAQmx Help, "How Is
# Buffer Size Determined?").
_BUFFERS = ((100, 1_000), (10_000, 10_000), (1_000_000, 100_000))
_LARGEST_BUFFER = 1_000_000
_UNTIMED_BUFFER = 10_000


class TimingType(IntEnum):
    """``DAQmx_SampTimingType`` values."""

    SAMPLE_CLOCK = 10388
    ON_DEMAND = 10390
    IMPLICIT = 10451
    CHANGE_DETECTION = 12504


class SampleMode(IntEnum):
    """``DAQmx_SampQuant_SampMode`` values."""

    FINITE = 10178
    CONTINUOUS = 10123


@dataclass
class Timing:
    """When samples are taken; ``divisor`` is that of the 100 MHz timebase."""

    type: TimingType = TimingType.ON_DEMAND
    mode: SampleMode = SampleMode.FINITE
    samples_per_channel: int = 1000
    divisor: int = NOMINAL_HZ // 1000
    source: str | None = None
    """The terminal that clocks the samples; ``None``: the device's own timebase."""
    edge: Edge = Edge.RISING
    rising_lines: tuple[str, ...] = ()
    falling_lines: tuple[str, ...] = ()
    """The lines whose changes are samples, with change detection."""

    @property
    def rate_hz(self) -> float:
        """The sample rate, coerced to what the timebase can divide down to."""
        return NOMINAL_HZ / self.divisor

    @property
    def total(self) -> int | None:
        """Samples per channel in all; ``None`` for a continuous task."""
        return self.samples_per_channel if self.mode is SampleMode.FINITE else None

    @property
    def default_buffer(self) -> int:
        """Samples per channel that the buffer of an input task holds unless told otherwise."""
        if self.type is TimingType.ON_DEMAND:
            return 1
        if self.mode is SampleMode.FINITE:
            return self.samples_per_channel
        usual = _UNTIMED_BUFFER
        if self.type is TimingType.SAMPLE_CLOCK:
            usual = next((size for limit_hz, size in _BUFFERS if self.rate_hz <= limit_hz), _LARGEST_BUFFER)
        return max(usual, self.samples_per_channel)


@dataclass(frozen=True)
class StartTrigger:
    """A digital edge on a PFI terminal that starts the task's clock."""

    terminal: str
    edge: Edge


@dataclass(frozen=True)
class AnalogEdge:
    """An analog input of the task crosses a level; looked for at the sample clock (ASSUMPTION: the device has
    a comparator that looks all the time).
    """

    channel: int
    """Index in the task."""
    level_v: float
    rising: bool

    def crossed(self, before_v: float, now_v: float) -> bool:
        """Whether two samples lie on either side of the level, in the right order."""
        if self.rising:
            return before_v < self.level_v <= now_v
        return before_v > self.level_v >= now_v


@dataclass(frozen=True)
class ReferenceTrigger:
    """Ends an acquisition: ``pretrigger`` samples before it are kept, the rest come after it."""

    edge: StartTrigger | AnalogEdge
    pretrigger: int
