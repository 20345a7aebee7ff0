# SPDX-License-Identifier: Apache-2.0
"""Software events: what a task tells its client without being asked."""

from __future__ import annotations

from enum import IntEnum
from queue import SimpleQueue

from hil.twin.daq.errors import Code, DaqmxError


class EveryN(IntEnum):
    """``DAQmx_Val_EveryNSamplesEventType`` values."""

    ACQUIRED_INTO_BUFFER = 1
    TRANSFERRED_FROM_BUFFER = 2


class Signal(IntEnum):
    """Hardware events that a client can register for (``DAQmx_Val_`` values of RegisterSignalEvent)."""

    COUNTER_OUTPUT = 12494
    CHANGE_DETECTION = 12511
    SAMPLE_CLOCK = 12487


class TaskEvents:
    """The events one task's client has registered for.

    Everything here is called with the bench's lock held; only the queues are read without it. ``None`` in a
    queue ends its stream.
    """

    def __init__(self) -> None:
        self._interval = 0
        self._every_n: SimpleQueue[int | None] | None = None
        self._done: SimpleQueue[int | None] | None = None
        self._signals: dict[Signal, SimpleQueue[int | None]] = {}

    def register_every_n(self, interval: int) -> SimpleQueue[int | None]:
        """An item in the queue for every ``interval`` samples per channel.

        Raises:
            DaqmxError: -200880 an interval of zero, -200966 registered already.
        """
        if interval < 1:
            raise DaqmxError(Code.EVERY_N_INTERVAL_ZERO, "Every 0 samples: expected 1 or more.")
        if self._every_n is not None:
            raise DaqmxError(
                Code.EVERY_N_ALREADY_REGISTERED, "The task's every-N-samples event has a callback already."
            )
        self._interval, self._every_n = interval, SimpleQueue()
        return self._every_n

    def register_done(self) -> SimpleQueue[int | None]:
        """One item in the queue, the task's status, each time the task finishes by itself.

        Raises:
            DaqmxError: -200950 registered already.
        """
        if self._done is not None:
            raise DaqmxError(Code.DONE_ALREADY_REGISTERED, "The task's done event has a callback already.")
        self._done = SimpleQueue()
        return self._done

    def register_signal(self, signal: Signal) -> SimpleQueue[int | None]:
        """An item in the queue for every such event.

        Raises:
            DaqmxError: -200967 registered already.
        """
        if signal in self._signals:
            raise DaqmxError(
                Code.SIGNAL_ALREADY_REGISTERED, f"The {signal.name} event has a callback already."
            )
        self._signals[signal] = SimpleQueue()
        return self._signals[signal]

    def unregister_signal(self, signal: Signal) -> None:
        """End the stream; no error if there is none."""
        queue = self._signals.pop(signal, None)
        if queue is not None:
            queue.put(None)

    def signal(self, signal: Signal) -> None:
        """A hardware event."""
        if signal in self._signals:
            self._signals[signal].put(int(signal))

    def unregister_every_n(self) -> None:
        """End the stream; no error if there is none."""
        if self._every_n is not None:
            self._every_n.put(None)
            self._every_n = None

    def unregister_done(self) -> None:
        """End the stream; no error if there is none."""
        if self._done is not None:
            self._done.put(None)
            self._done = None

    def close(self) -> None:
        """End all streams: the task is cleared."""
        self.unregister_every_n()
        self.unregister_done()
        for signal in tuple(self._signals):
            self.unregister_signal(signal)

    def acquired(self, count: int) -> None:
        """The task has acquired its sample number ``count``."""
        if self._every_n is not None and count % self._interval == 0:
            self._every_n.put(self._interval)

    def finished(self) -> None:
        """The task has finished by itself, without an error."""
        if self._done is not None:
            self._done.put(0)
