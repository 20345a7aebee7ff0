# SPDX-License-Identifier: Apache-2.0
"""What the DAQ needs of the bench it stands on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np


class AnalogSource(Protocol):
    """Whatever puts a voltage on a wire."""

    def voltage_v(self, time_ps: int) -> float:
        """The voltage at ``time_ps`` (picoseconds), in volts."""


class Event(Protocol):
    """A planned action."""

    def cancel(self) -> None:
        """Take it out of the plan."""


class Scheduler(Protocol):
    """The bench's clock and its future."""

    @property
    def now_ps(self) -> int:
        """Bench time in picoseconds."""

    def at(self, time_ps: int, action: Callable[[], None]) -> Event:
        """Call ``action`` at ``time_ps``."""

    def request_stop(self) -> None:
        """Make the advance under way return at this instant."""


class Bench(Protocol):
    """The virtual bench, as far as the DAQ sees it."""

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """Held by whoever touches the machine."""

    @property
    def scheduler(self) -> Scheduler:
        """The clock."""

    def rng(self, name: str) -> np.random.Generator:
        """A random generator of its own for ``name``, seeded by the bench's seed."""

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` of bench time pass."""

    def advance_until(self, condition: Callable[[], bool], limit_s: float) -> bool:
        """Let bench time pass until ``condition()`` holds, at most ``limit_s``; whether it holds."""
