# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C and the other signals that end a process: between exchanges, not inside one."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING_SIGNALS = tuple(
    signal.Signals[name]
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    if name in signal.Signals.__members__
)
"""What ends a process in order: Ctrl-C; ``timeout``, systemd and CI systems; a terminal that closes; on
Windows Ctrl-Break and a console that closes."""

PATIENCE_S = 2.0
"""How long an exchange stays whole after the first signal. An assumption: a sound link answers sooner."""


class HeldBack:
    """The signals that arrived meanwhile."""

    def __init__(self) -> None:
        self.count = 0
        self.first_at_s = math.inf
        """On the monotonic clock."""
        self.first: tuple[int, FrameType | None] | None = None


@contextmanager
def held_back(patience_s: float = math.inf) -> Iterator[HeldBack]:
    """Hold ending signals back until what is inside is done; the first one says why and is delivered then.

    A further signal, ``patience_s`` or more after the first, is delivered at once.
    """
    held = HeldBack()
    handlers = {number: signal.getsignal(number) for number in ENDING_SIGNALS}
    listened = {number: handler for number, handler in handlers.items() if callable(handler)}
    if threading.current_thread() is not threading.main_thread() or not listened:
        yield held  # only the main thread is interrupted, and only where somebody listens
        return

    def hold_back(number: int, frame: FrameType | None) -> None:
        now_s = time.monotonic()
        held.count += 1
        held.first_at_s = min(held.first_at_s, now_s)
        held.first = held.first or (number, frame)
        if now_s - held.first_at_s >= patience_s:
            listened[signal.Signals(number)](number, frame)

    for number in listened:
        signal.signal(number, hold_back)
    try:
        yield held
    finally:
        for number, handler in listened.items():
            signal.signal(number, handler)
        if held.first is not None:
            listened[signal.Signals(held.first[0])](*held.first)


@contextmanager
def whole_exchange() -> Iterator[None]:
    """Hold ending signals back until the order inside has its answer.

    An exchange cut in half leaves its answer on the wire, where the shutdown's first question would take it
    for its own, or leaves a lock of the library held. What is inside must be bounded by a time-out; who
    cannot wait for that presses Ctrl-C again after two seconds.
    """
    with held_back(PATIENCE_S):
        yield
