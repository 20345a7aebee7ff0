# SPDX-License-Identifier: Apache-2.0
"""The internal data log: averages over a fixed time, written to a file of the instrument.

Unlike the scope's and the external log's, its settings are not the channel's alone: period, time and extremes
hold for the whole instrument, and stay as the last program left them until ``*RST``. With more parameters on
than a program expects, the instrument samples more slowly than it was asked to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from hil.twin.analyzer import averaging
from hil.twin.analyzer.bench import Bench
from hil.twin.analyzer.ranges import Meter
from hil.twin.analyzer.status import ScpiError

PERIOD_STEP_PS = 20_480_000
"""Shortest period of one parameter, and the step of all periods: 20.48 µs (N6705C User's Guide, Data Logger
Sampling Modes)."""

PERIOD_MAX_PS = 60 * 10**12
"""60 s (same section)."""

TIME_MAX_S = 99_999 * 3600.0
"""99,999 hours (N6705A User's Guide, data logger properties)."""

FILE_MAX_BYTES = 2_000_000_000
"""A longer file makes the instrument lengthen the period (same section)."""

DISK_BYTES = 1 << 28
"""Room on the virtual instrument's internal drive (ASSUMPTION: 256 MiB; the real one has 4 GB)."""

_BYTES_PER_VALUE = 4


@dataclass(frozen=True)
class DlogSetup:
    """The settings a log runs with, taken over at ``INITiate``."""

    period_s: float
    time_s: float
    offset: float
    """Part of the log that lies before the trigger, 0 to 1."""
    current: bool
    voltage: bool
    extremes: bool
    current_range_a: float | None
    voltage_range_v: float | None

    @property
    def parameters(self) -> int:
        """Values in a record."""
        return (self.current + self.voltage) * (3 if self.extremes else 1)

    @property
    def period_ps(self) -> int:
        """The period really used: as many steps of 20.48 µs as there are parameters, or more.

        ASSUMPTION: proportional, like the external log's; the guide says that more parameters take longer.
        """
        steps = max(round(self.period_s * 1e12 / PERIOD_STEP_PS), self.parameters)
        largest_file = self.time_s * 1e12 * self.parameters * _BYTES_PER_VALUE / FILE_MAX_BYTES
        return max(steps, -int(-largest_file // PERIOD_STEP_PS)) * PERIOD_STEP_PS

    @property
    def records(self) -> int:
        """Records of the whole log."""
        return max(1, round(self.time_s * 1e12 / self.period_ps))

    @property
    def bytes(self) -> int:
        """Length of the data in the file."""
        return self.records * self.parameters * _BYTES_PER_VALUE


@dataclass(frozen=True)
class Dlog:
    """A finished log: records in rows; voltage before current, each average, minimum, maximum."""

    setup: DlogSetup
    values: NDArray[np.float32]
    trigger_record: int

    @property
    def columns(self) -> list[str]:
        """The columns' names as the instrument exports them."""
        kinds = ("avg", "min", "max") if self.setup.extremes else ("avg",)
        quantities = [name for name, on in (("Volt", self.setup.voltage), ("Curr", self.setup.current)) if on]
        return [f"{quantity} {kind} 1" for quantity in quantities for kind in kinds]


class State(Enum):
    """Where the log stands."""

    IDLE = "idle"
    INITIATED = "waiting for a trigger"
    RUNNING = "logging"


class InternalLog:
    """Logs to one file at a time; ``store`` gets the name and the log once it is complete or aborted."""

    def __init__(
        self,
        bench: Bench,
        ammeter: Meter,
        voltmeter: Meter,
        terminal_v: Callable[[], float],
        store: Callable[[str, Dlog], None],
    ) -> None:
        self._bench = bench
        self._ammeter = ammeter
        self._voltmeter = voltmeter
        self._terminal_v = terminal_v
        self._store = store
        self._forget()

    def _forget(self) -> None:
        self.state = State.IDLE
        self._setup: DlogSetup | None = None
        self._name = ""
        self._parts: list[NDArray[np.float32]] = []
        self._taken = 0
        self._start_ps = 0
        self._initiated_ps = 0

    def initiate(self, name: str, setup: DlogSetup, free_bytes: int) -> None:
        """Arm with these settings for a file of this name.

        Raises:
            ScpiError: -213 while another log runs, -221 if nothing is to be logged, -254 without room.
        """
        self.update()
        if self.state is not State.IDLE:
            raise ScpiError(-213, "an internal log is under way; ABORt:DLOG ends it")
        if not setup.parameters:
            raise ScpiError(-221, "SENSe:DLOG:FUNCtion has neither current nor voltage on")
        if setup.bytes > free_bytes:
            raise ScpiError(-254, f"the log takes {setup.bytes} bytes, {free_bytes} are free")
        self._name, self._setup = name, setup
        self._initiated_ps = self._bench.scheduler.now_ps
        self.state = State.INITIATED

    def trigger(self) -> None:
        """Trigger now; what lies before the trigger comes from the time since ``INITiate``.

        Raises:
            ScpiError: -211 if no log is armed.
        """
        if self.state is not State.INITIATED or self._setup is None:
            raise ScpiError(-211, "no internal log waits for a trigger; INITiate:DLOG comes first")
        before_ps = round(self._setup.records * self._setup.offset) * self._setup.period_ps
        self._start_ps = max(self._bench.scheduler.now_ps - before_ps, self._initiated_ps)
        self.state = State.RUNNING

    def abort(self) -> None:
        """Stop; what was logged so far is in the file."""
        self.update()
        if self.state is State.RUNNING and self._taken:
            self._finish()
        self._forget()

    def reset(self) -> None:
        """Stop and forget."""
        self._forget()

    @property
    def history_from_ps(self) -> int | None:
        """The earliest time whose current is still needed; ``None`` if no log runs."""
        if self._setup is None:
            return None
        if self.state is State.RUNNING:
            return self._start_ps + self._taken * self._setup.period_ps
        before_ps = round(self._setup.records * self._setup.offset) * self._setup.period_ps
        return max(self._initiated_ps, self._bench.scheduler.now_ps - before_ps)

    def update(self) -> None:
        """Take the records that are over; store the log with the last one."""
        setup = self._setup
        if setup is None or self.state is not State.RUNNING:
            return
        over = (self._bench.scheduler.now_ps - self._start_ps) // setup.period_ps
        count = min(over, setup.records) - self._taken
        if count > 0:
            self._parts.append(self._take(setup, count))
            self._taken += count
        if self._taken == setup.records:
            self._finish()
            self._forget()

    def _take(self, setup: DlogSetup, count: int) -> NDArray[np.float32]:
        start_ps = self._start_ps + self._taken * setup.period_ps
        edges_ps = start_ps + setup.period_ps * np.arange(count + 1, dtype=np.int64)
        columns: list[NDArray[np.float64]] = []
        if setup.voltage:
            true_v = np.full(count, self._terminal_v())
            reading_v = self._voltmeter.read(true_v, setup.period_ps * 1e-12, setup.voltage_range_v)
            columns += [reading_v] * (3 if setup.extremes else 1)
        arguments = (self._bench.mcu.supply, self._ammeter, edges_ps, setup.current_range_a)
        if setup.current and setup.extremes:
            columns += list(averaging.extremes(*arguments).T)
        elif setup.current:
            columns.append(averaging.averages(*arguments))
        return np.column_stack(columns).astype(np.float32)

    def _finish(self) -> None:
        assert self._setup is not None
        trigger_record = round(self._setup.records * self._setup.offset)
        self._store(self._name, Dlog(self._setup, np.concatenate(self._parts), trigger_record))
