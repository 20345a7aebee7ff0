# SPDX-License-Identifier: Apache-2.0
"""The scope: one triggered acquisition of up to 512 K samples into memory."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from hil.twin.analyzer import averaging
from hil.twin.analyzer.bench import Bench, pass_time
from hil.twin.analyzer.ranges import Meter
from hil.twin.analyzer.status import ScpiError

TINT_MIN_PS = 5_120_000
TINT_MAX_PS = 40_000_000_000
"""Shortest and longest sample interval: 5.12 µs and 40 ms (SENSe:SWEep:TINTerval of the N678xA)."""

POINTS_MAX = 512 * 1024
"""Most samples of one acquisition (SENSe:SWEep:POINts)."""


def quantise_tint_ps(interval_s: float) -> int:
    """The sample interval the instrument really uses: the nearest of 5.12 µs * 2^n, at most 40 ms, in
    picoseconds.
    """
    interval_ps = interval_s * 1e12
    candidates = [TINT_MIN_PS << n for n in range(13)] + [TINT_MAX_PS]
    return min(candidates, key=lambda candidate: abs(candidate - interval_ps))


class State(Enum):
    """Where the acquisition stands."""

    IDLE = "idle"
    INITIATED = "waiting for a trigger"
    TRIGGERED = "sampling"


@dataclass(frozen=True)
class Sweep:
    """The settings an acquisition runs with, taken over at ``INITiate``."""

    tint_ps: int
    points: int
    offset_points: int
    current_range_a: float | None
    voltage_range_v: float | None


class Acquisition:
    """Samples the supply current (and the output voltage) around a trigger."""

    def __init__(self, bench: Bench, ammeter: Meter, voltmeter: Meter) -> None:
        self._bench = bench
        self._ammeter = ammeter
        self._voltmeter = voltmeter
        self.reset()

    def reset(self) -> None:
        """Forget the acquisition and its data."""
        self.state = State.IDLE
        self._sweep: Sweep | None = None
        self._initiated_ps = 0
        self._edges_ps: NDArray[np.int64] | None = None
        self._current_a: NDArray[np.float64] | None = None
        self._voltage_v: NDArray[np.float64] | None = None
        self._terminal_v = 0.0

    def abort(self) -> None:
        """Stop; an unfinished acquisition is lost, a finished one stays."""
        if not self.complete:
            self.reset()

    @property
    def complete(self) -> bool:
        """Whether there is a finished acquisition to fetch."""
        return self._edges_ps is not None and self._bench.scheduler.now_ps >= int(self._edges_ps[-1])

    @property
    def busy(self) -> bool:
        """Initiated or sampling."""
        return self.state is not State.IDLE and not self.complete

    @property
    def waiting_for_trigger(self) -> bool:
        """Initiated, but not triggered."""
        return self.state is State.INITIATED

    def initiate(self, sweep: Sweep) -> None:
        """Arm with these settings.

        Raises:
            ScpiError: -213 while another acquisition runs.
        """
        if self.busy:
            raise ScpiError(-213, "an acquisition is under way; ABORt:ACQuire ends it")
        self.reset()
        self._sweep = sweep
        self._initiated_ps = self._bench.scheduler.now_ps
        self.state = State.INITIATED

    def trigger(self, terminal_v: float) -> None:
        """Trigger now. Samples before the trigger come from the time since ``INITiate``.

        A trigger that comes before the pre-trigger samples are there acts as soon as they are.

        Raises:
            ScpiError: -211 if nothing is armed.
        """
        if self.state is not State.INITIATED or self._sweep is None:
            raise ScpiError(-211, "no acquisition waits for a trigger; INITiate:ACQuire comes first")
        sweep = self._sweep
        start_ps = max(self._bench.scheduler.now_ps + sweep.offset_points * sweep.tint_ps, self._initiated_ps)
        self._edges_ps = start_ps + sweep.tint_ps * np.arange(sweep.points + 1, dtype=np.int64)
        self._terminal_v = terminal_v
        self.state = State.TRIGGERED

    def wait(self) -> None:
        """Let bench time pass until the acquisition is complete.

        Raises:
            ScpiError: -230 if there is none, -214 if nobody has triggered it.
        """
        if self.state is State.IDLE:
            raise ScpiError(-230, "nothing has been acquired; INITiate:ACQuire and a trigger come first")
        if self._edges_ps is None:
            raise ScpiError(-214, "the acquisition waits for a trigger that has not been sent")
        if not self.complete:
            pass_time(self._bench, int(self._edges_ps[-1]))
        self.digitise()

    def digitise(self) -> None:
        """Once complete, turn the supply trace into readings, so that the trace may be forgotten."""
        if not self.complete or self._current_a is not None or self._sweep is None or self._edges_ps is None:
            return
        sample_s = self._sweep.tint_ps * 1e-12
        self._current_a = averaging.averages(
            self._bench.mcu.supply, self._ammeter, self._edges_ps, self._sweep.current_range_a
        )
        true_v = np.full(self._sweep.points, self._terminal_v)
        self._voltage_v = self._voltmeter.read(true_v, sample_s, self._sweep.voltage_range_v)

    def current_a(self) -> NDArray[np.float64]:
        """The current samples in amperes; waits for them (see :meth:`wait`)."""
        self.wait()
        assert self._current_a is not None
        return self._current_a

    def voltage_v(self) -> NDArray[np.float64]:
        """The voltage samples in volts; waits for them (see :meth:`wait`).

        The output voltage is taken as it stood at the trigger.
        """
        self.wait()
        assert self._voltage_v is not None
        return self._voltage_v

    @property
    def history_from_ps(self) -> int | None:
        """The earliest time whose current is still needed; ``None`` if none is."""
        if self._sweep is None or self._current_a is not None:
            return None
        if self._edges_ps is not None:
            return int(self._edges_ps[0])
        pre_trigger_ps = -min(self._sweep.offset_points, 0) * self._sweep.tint_ps
        return max(self._initiated_ps, self._bench.scheduler.now_ps - pre_trigger_ps)
