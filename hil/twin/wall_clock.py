# SPDX-License-Identifier: Apache-2.0
"""Ties bench time to the clock on the wall, for programs that know of no other time.

A script that sleeps, polls, waits in another thread or asks a person expects a second of the bench to take a
second. So nobody may move bench time further than the wall has come, but for ``LEAD_S``. Whoever waits for a
later instant lets go of the bench's lock meanwhile, and others have their turn.
"""

from __future__ import annotations

import threading
import time
from typing import Protocol

from hil.twin.bench_lock import BenchLock

_PS_PER_S = 1_000_000_000_000

STEP_S = 0.01
"""How often the bench is brought up to the wall clock (ASSUMPTION: a person notices nothing shorter)."""

LEAD_S = 0.01
"""How far the bench may be ahead. A debugger's transfers and a poll take microseconds of bench time each; a
wait on the wall for every one of them would take milliseconds."""

SLICE_S = 0.02
"""The most that passes in one go, so that other clients get their turn on a part that computes."""

LAG_S = 0.2
"""How far the bench may fall behind before it gives up catching up. Without an end, it would fall behind for
ever with a part that it computes slower than a real one runs."""


class WalledBench(Protocol):
    """What the wall clock needs of the bench."""

    @property
    def lock(self) -> BenchLock:
        """Held by whoever touches the machine."""

    @property
    def now_s(self) -> float:
        """Bench time in seconds."""

    def follow(self, pace: WallClock | None) -> None:
        """Ask ``pace`` how far time may go from now on."""

    def advance(self, seconds: float) -> None:
        """Let bench time pass."""


class WallClock:
    """Keeps the bench at the wall's pace from its construction until :meth:`close`."""

    def __init__(self, bench: WalledBench) -> None:
        self._bench = bench
        self._stop = threading.Event()
        self.lost_s = 0.0
        """Time on the wall that the bench could not keep up with and has given up, in s."""
        with bench.lock:
            self._offset_s = bench.now_s - time.monotonic()
            bench.follow(self)
        self._thread = threading.Thread(target=self._run, name="wall clock", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let go of bench time; a step under way is finished."""
        self._stop.set()
        with self._bench.lock:
            self._bench.follow(None)

    def reachable_ps(self, wanted_ps: int) -> int:
        """How far bench time may go now towards ``wanted_ps``, in ps; comes back when it may go at all.

        The bench's lock must be held; others may have it meanwhile, and may have moved time.
        """
        while True:
            ahead_s = self._bench.now_s - self._wall_s() - LEAD_S
            # Others get their turn in any case: this one may come back at once.
            self._bench.lock.wait(min(max(ahead_s, 0.0), STEP_S))
            if self._stop.is_set():
                return wanted_ps
            now_s = self._bench.now_s
            reachable_s = min(self._wall_s() + LEAD_S, now_s + SLICE_S)
            if reachable_s > now_s:
                return min(wanted_ps, round(reachable_s * _PS_PER_S))

    def _wall_s(self) -> float:
        """The bench time that it is on the wall, in s."""
        wall_s = self._offset_s + time.monotonic()
        lag_s = wall_s - self._bench.now_s - LAG_S
        if lag_s > 0:
            self.lost_s += lag_s
            self._offset_s -= lag_s
            wall_s -= lag_s
        return wall_s

    def _run(self) -> None:
        while not self._stop.wait(STEP_S):
            with self._bench.lock:
                behind_s = self._wall_s() - self._bench.now_s
                if behind_s > 0:
                    self._bench.advance(behind_s)
