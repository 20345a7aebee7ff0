# SPDX-License-Identifier: Apache-2.0
"""A bench of a few lines, and stock nidaqmx sessions on the device that stands on it."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable, Iterator

import grpc
import nidaqmx
import numpy as np
import pytest

from hil.twin.daq import Daq, DaqServer


class FakeEvent:
    def __init__(self, action: Callable[[], None]) -> None:
        self.action: Callable[[], None] | None = action

    def cancel(self) -> None:
        self.action = None


class FakeScheduler:
    def __init__(self) -> None:
        self.now_ps = 0
        self._events: list[tuple[int, int, FakeEvent]] = []
        self._order = itertools.count()
        self._stop = False

    def at(self, time_ps: int, action: Callable[[], None]) -> FakeEvent:
        event = FakeEvent(action)
        heapq.heappush(self._events, (max(time_ps, self.now_ps), next(self._order), event))
        return event

    def request_stop(self) -> None:
        self._stop = True

    def advance_until(self, condition: Callable[[], bool], limit_ps: int) -> bool:
        self._stop = False
        while not condition() and not self._stop:
            if not self._events or self._events[0][0] > limit_ps:
                self.now_ps = max(self.now_ps, limit_ps)
                break
            self.now_ps, _, event = heapq.heappop(self._events)
            if event.action is not None:
                event.action()
        return condition()


class FakeBench:
    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.scheduler = FakeScheduler()

    @property
    def now_s(self) -> float:
        return self.scheduler.now_ps * 1e-12

    def rng(self, name: str) -> np.random.Generator:
        return np.random.default_rng([1, len(name)])

    def advance_until(self, condition: Callable[[], bool], limit_s: float) -> bool:
        return self.scheduler.advance_until(condition, self.scheduler.now_ps + round(limit_s * 1e12))

    def advance(self, seconds: float) -> None:
        with self.lock:
            self.advance_until(lambda: False, seconds)

    def pulses(self, drive: Callable[[int, bool | None], None], times_s: list[float]) -> None:
        """Toggle a wire at these times from now, rising first."""
        with self.lock:
            for number, time_s in enumerate(times_s):
                time_ps = self.scheduler.now_ps + round(time_s * 1e12)
                level = number % 2 == 0
                self.scheduler.at(time_ps, lambda time_ps=time_ps, level=level: drive(time_ps, level))


IDEAL = {
    "timebase_accuracy_ppm": 0,
    "ao_gain_accuracy": 0,
    "ao_offset_accuracy_v": 0,
    "ai_gain_accuracy": 0,
    "ai_offset_accuracy": 0,
    "ai_noise_rms": 0,
}
"""A device without errors, so that tests can ask for exact figures."""


@pytest.fixture
def bench() -> FakeBench:
    return FakeBench()


@pytest.fixture
def daq(bench: FakeBench) -> Daq:
    return Daq(bench, IDEAL)


@pytest.fixture
def daq_server(daq: Daq) -> Iterator[DaqServer]:
    server = daq.serve()
    yield server
    server.close()


@pytest.fixture
def connect(daq_server: DaqServer) -> Iterator[Callable[[], nidaqmx.GrpcSessionOptions]]:
    """Make a client with a connection of its own."""
    channels: list[grpc.Channel] = []

    def open_session() -> nidaqmx.GrpcSessionOptions:
        options = [("grpc.max_receive_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
        channels.append(grpc.insecure_channel(daq_server.address, options=options))
        return nidaqmx.GrpcSessionOptions(channels[-1], "")

    yield open_session
    for channel in channels:
        channel.close()


@pytest.fixture
def session(connect: Callable[[], nidaqmx.GrpcSessionOptions]) -> nidaqmx.GrpcSessionOptions:
    return connect()
