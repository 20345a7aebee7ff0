# SPDX-License-Identifier: Apache-2.0
"""The bench's lock: a thread holds it while it touches the machine, and lets waiting threads in."""

from __future__ import annotations

import threading
import time
from types import TracebackType

_HAND_OVER_S = 50e-6
"""How long a thread that lets go stays away if others wait (ASSUMPTION: enough to wake up)."""


class BenchLock:
    """A fair re-entrant lock: releasing it lets a waiting thread run first.

    A thread that releases Python's own lock and takes it again at once gets it before the threads that wait.
    A long sleep in slices would shut them out until its end.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._released = threading.Condition(self._lock)
        self._counting = threading.Lock()
        self._waiting = 0
        self._depth = 0

    def acquire(self, timeout: float = -1) -> bool:
        """Take the lock; whether it came within ``timeout`` seconds on the wall (-1: wait for ever)."""
        if not self._lock.acquire(blocking=False):
            with self._counting:
                self._waiting += 1
            try:
                if not self._lock.acquire(timeout=timeout):
                    return False
            finally:
                with self._counting:
                    self._waiting -= 1
        self._depth += 1
        return True

    def release(self) -> None:
        """Let go, and let somebody who waits have it."""
        self._depth -= 1
        outermost = not self._depth
        self._lock.release()
        if outermost and self._waiting:
            time.sleep(_HAND_OVER_S)

    def wait(self, timeout_s: float) -> None:
        """Let go for ``timeout_s`` seconds on the wall, and take it again as often as it was held."""
        depth, self._depth = self._depth, 0
        self._released.wait(timeout_s)
        self._depth = depth

    def __enter__(self) -> BenchLock:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()
