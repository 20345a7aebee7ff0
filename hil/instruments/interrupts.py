# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C between exchanges, not inside one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def whole_exchange() -> Iterator[None]:
    """Hold Ctrl-C back until the order inside has its answer.

    An exchange cut in half leaves its answer on the wire, where the shutdown's first question would take it
    for its own, or leaves a lock of the library held. What is inside must be bounded by a time-out; who
    cannot wait for that presses Ctrl-C again.
    """
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield  # only the main thread is interrupted, and only where somebody listens
        return
    held_back: list[tuple[int, FrameType | None]] = []

    def hold_back_once(number: int, frame: FrameType | None) -> None:
        if held_back:
            handler(number, frame)
        held_back.append((number, frame))

    signal.signal(signal.SIGINT, hold_back_once)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if held_back:
            handler(*held_back[-1])
