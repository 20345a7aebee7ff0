# SPDX-License-Identifier: Apache-2.0
"""Ties bench time to the wall clock, for live demonstrations."""

from __future__ import annotations

import threading
import time
from contextlib import AbstractContextManager
from typing import Protocol

STEP_S = 0.01


class RealTimeBench(Protocol):
    """What the wall clock needs of the bench."""

    @property
    def lock(self) -> AbstractContextManager[object]:
        """Held by whoever touches the machine."""

    @property
    def now_s(self) -> float:
        """Bench time in seconds."""

    def advance(self, seconds: float) -> None:
        """Let bench time pass."""


class RealTime:
    """A thread that keeps bench time from falling behind the wall clock.

    A client that waits still jumps ahead; the bench then rests until the wall clock has caught up.
    """

    def __init__(self, bench: RealTimeBench) -> None:
        self._bench = bench
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="real time", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let go of bench time; a step under way is finished."""
        self._stop.set()

    def _run(self) -> None:
        with self._bench.lock:
            offset_s = self._bench.now_s - time.monotonic()
        while not self._stop.wait(STEP_S):
            with self._bench.lock:
                behind_s = offset_s + time.monotonic() - self._bench.now_s
                if behind_s > 0:
                    self._bench.advance(behind_s)
