# SPDX-License-Identifier: Apache-2.0
"""What a kind of instrument can do, as its driver states it: known before anything is connected."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Capabilities:
    """Of a supply, an ammeter, or an instrument that is both.

    The figures are limits of the instrument, with their source in its driver. What a rig makes of them, such
    as how accurate each range is, stands in the rig's file.
    """

    can_source: bool
    """Whether it can supply the part."""
    reads_voltage: bool
    """Whether it can read the voltage at its terminals."""
    source_v: tuple[float, float] | None = None
    """Lowest and highest voltage that it can supply, in volts; None where it cannot supply."""
    ranges_a: tuple[float, ...] = ()
    """Full scales of its current ranges in amperes, rising; empty where it measures no current."""
    capture_period_s: float = math.nan
    """Shortest sample period of a capture, in seconds."""
    capture_points: int | None = None
    """Most samples of one capture; None: no limit."""
    log_period_s: float = math.nan
    """Shortest sample period of a log, in seconds."""

    @property
    def measures_current(self) -> bool:
        """Whether it is an ammeter at all."""
        return bool(self.ranges_a)

    def longest_capture_s(self, period_s: float) -> float:
        """How long a capture with this sample period can be, in seconds; infinity where nothing limits it."""
        return math.inf if self.capture_points is None else self.capture_points * period_s


@dataclass(frozen=True)
class DaqCapabilities:
    """Of a data acquisition device."""

    tick_s: Callable[[float], float]
    """The step in seconds in which a counter resolves intervals, for the longest interval in seconds that it
    is armed for."""
