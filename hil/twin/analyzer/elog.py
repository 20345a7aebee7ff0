# SPDX-License-Identifier: Apache-2.0
"""The external data log: an endless row of averages in a FIFO that the computer has to empty in time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from hil.twin.analyzer import averaging
from hil.twin.analyzer.bench import Bench, pass_time
from hil.twin.analyzer.ranges import Meter
from hil.twin.analyzer.status import ScpiError

PERIOD_STEP_PS = 20_480_000
"""Periods are whole multiples of 20.48 µs (N6700C Operating and Service Guide, External Data Logging)."""

PERIOD_MIN_PS = 102_400_000
"""102.4 µs for each parameter logged (same section)."""

PERIOD_MAX_PS = 60 * 10**12
"""60 s (SENSe:ELOG:PERiod)."""

FIFO_PS = 20 * 10**12
"""The FIFO holds about 20 s of measurements; older ones are overwritten (same section)."""

EMPTY_FETCH_WAIT_PS = 20_000_000_000
"""Bench time a fetch of an empty FIFO takes, so that a polling client gets ahead: 20 ms (assumption)."""


def quantise_period_ps(period_s: float, parameters: int) -> int:
    """The period the instrument really uses, in picoseconds, for this number of logged parameters."""
    steps = max(1, round(period_s * 1e12 / PERIOD_STEP_PS))
    return max(steps * PERIOD_STEP_PS, PERIOD_MIN_PS * max(1, parameters))


@dataclass(frozen=True)
class ElogSetup:
    """The settings a log runs with, taken over at ``INITiate``."""

    period_ps: int
    current: bool
    voltage: bool
    current_extremes: bool
    voltage_extremes: bool
    current_range_a: float | None
    voltage_range_v: float | None


class State(Enum):
    """Where the log stands."""

    IDLE = "idle"
    INITIATED = "waiting for a trigger"
    RUNNING = "logging"


class ExternalLog:
    """Averages the current (and the voltage) over consecutive periods until aborted."""

    def __init__(
        self,
        bench: Bench,
        ammeter: Meter,
        voltmeter: Meter,
        terminal_v: Callable[[], float],
        *,
        silent_overflow: bool = False,
    ) -> None:
        """With ``silent_overflow`` nothing tells that records were overwritten, as on the instrument."""
        self._bench = bench
        self._ammeter = ammeter
        self._voltmeter = voltmeter
        self._terminal_v = terminal_v
        self._silent_overflow = silent_overflow
        self.abort()

    def abort(self) -> None:
        """Stop and empty the FIFO."""
        self.state = State.IDLE
        self._setup: ElogSetup | None = None
        self._next_ps = 0

    def initiate(self, setup: ElogSetup) -> None:
        """Arm with these settings.

        Raises:
            ScpiError: -213 while another log runs, -221 if neither current nor voltage is to be logged.
        """
        if self.state is not State.IDLE:
            raise ScpiError(-213, "an external log is under way; ABORt:ELOG ends it")
        if not (setup.current or setup.voltage):
            raise ScpiError(-221, "SENSe:ELOG:FUNCtion has neither current nor voltage on")
        self._setup = setup
        self.state = State.INITIATED

    def trigger(self) -> None:
        """Start logging now.

        Raises:
            ScpiError: -211 if no log is armed.
        """
        if self.state is not State.INITIATED:
            raise ScpiError(-211, "no external log waits for a trigger; INITiate:ELOG comes first")
        self._next_ps = self._bench.scheduler.now_ps
        self.state = State.RUNNING

    def fetch(self, maximum: int) -> NDArray[np.float64]:
        """Up to ``maximum`` records that have not been fetched, oldest first; removes them.

        A record is the current in amperes and then the voltage in volts, as far as they are logged; each is
        the average, followed by minimum and maximum if those are on. With nothing new, 20 ms of bench time
        pass first.

        Raises:
            ScpiError: -230 if no log runs or records were overwritten, -214 if the log still waits for a
            trigger.
        """
        if self._setup is None:
            raise ScpiError(-230, "no external log runs; INITiate:ELOG and a trigger come first")
        if self.state is State.INITIATED:
            raise ScpiError(-214, "the external log waits for a trigger that has not been sent")
        self.drop_overwritten()
        if self._available == 0:
            pass_time(self._bench, self._bench.scheduler.now_ps + EMPTY_FETCH_WAIT_PS)
        return self._take(min(maximum, self._available))

    def drop_overwritten(self) -> None:
        """Forget what the FIFO no longer holds.

        Raises:
            ScpiError: -230 if records were lost, once for each loss.
        """
        if self.state is not State.RUNNING or self._setup is None:
            return
        capacity = max(1, FIFO_PS // self._setup.period_ps)
        lost = self._available - capacity
        if lost > 0:
            self._next_ps += lost * self._setup.period_ps
            if self._silent_overflow:
                return
            # The instrument's own number for this is not known to us; -230 is the standard one that fits.
            raise ScpiError(-230, f"external log FIFO overflow: the oldest {lost} records are lost")

    @property
    def history_from_ps(self) -> int | None:
        """The earliest time whose current is still needed; ``None`` if no log runs."""
        return self._next_ps if self.state is State.RUNNING else None

    @property
    def _available(self) -> int:
        assert self._setup is not None
        return (self._bench.scheduler.now_ps - self._next_ps) // self._setup.period_ps

    def _take(self, records: int) -> NDArray[np.float64]:
        setup = self._setup
        assert setup is not None
        columns: list[NDArray[np.float64]] = []
        if setup.current:
            columns += self._current_columns(setup, records)
        if setup.voltage:
            true_v = np.full(records, self._terminal_v())
            average_v = self._voltmeter.read(true_v, setup.period_ps * 1e-12, setup.voltage_range_v)
            columns += [average_v] * (3 if setup.voltage_extremes else 1)  # the output's voltage is constant
        self._next_ps += records * setup.period_ps
        return np.column_stack(columns)

    def _current_columns(self, setup: ElogSetup, records: int) -> list[NDArray[np.float64]]:
        """Average and, if they are on, minimum and maximum of the samples of each period."""
        if not records:
            return [np.empty(0)] * (3 if setup.current_extremes else 1)
        edges_ps = self._next_ps + setup.period_ps * np.arange(records + 1, dtype=np.int64)
        arguments = (self._bench.mcu.supply, self._ammeter, edges_ps, setup.current_range_a)
        if setup.current_extremes:
            return list(averaging.extremes(*arguments).T)
        return [averaging.averages(*arguments)]
