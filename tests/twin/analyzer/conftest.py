# SPDX-License-Identifier: Apache-2.0
"""A bench whose time and current are known, and a stock PyVISA session on the analyzer that stands on it."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest
import pyvisa
from numpy.typing import NDArray

from hil.twin.analyzer import PowerAnalyzer, ScpiServer
from hil.twin.power.supply_trace import Threshold


class FakeSupply:
    """Draws ``current_of(time_s)`` integrated exactly: steps at the times in ``steps``."""

    def __init__(self) -> None:
        self.steps: list[tuple[int, float]] = [(0, 1e-6)]
        self.discarded_ps = 0
        self.now_a = 1e-6
        self._thresholds: list[Threshold] = []

    def threshold(self) -> Threshold:
        threshold = Threshold(lambda: threshold.compare(self.now_a))
        self._thresholds.append(threshold)
        return threshold

    def becomes(self, current_a: float) -> None:
        self.now_a = current_a
        for threshold in self._thresholds:
            threshold.compare(current_a)

    def step_times_ps(self, start_ps: int, end_ps: int) -> NDArray[np.int64]:
        return np.array([time for time, _ in self.steps if start_ps < time < end_ps], dtype=np.int64)

    def set(self, time_s: float, current_a: float) -> None:
        self.steps.append((round(time_s * 1e12), current_a))

    def mean_current_a(self, edges_ps: NDArray[np.int64]) -> NDArray[np.float64]:
        assert edges_ps[0] >= self.discarded_ps, "the analyzer asks for history it has given up"
        starts = np.array([start for start, _ in self.steps], dtype=np.float64)
        currents = np.array([current for _, current in self.steps])
        charge = np.concatenate(([0.0], np.cumsum(np.diff(starts) * currents[:-1])))
        index = np.searchsorted(starts, edges_ps, side="right") - 1
        at_edge = charge[index] + (edges_ps - starts[index]) * currents[index]
        return np.diff(at_edge) / np.diff(edges_ps)

    def discard_before(self, time_ps: int) -> None:
        assert time_ps >= self.discarded_ps
        self.discarded_ps = time_ps


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

    def after(self, delay_ps: int, action: Callable[[], None]) -> FakeEvent:
        event = FakeEvent(action)
        heapq.heappush(self._events, (self.now_ps + delay_ps, next(self._order), event))
        return event

    def advance_to(self, time_ps: int) -> None:
        while self._events and self._events[0][0] <= time_ps:
            self.now_ps, _, event = heapq.heappop(self._events)
            if event.action is not None:
                event.action()
        self.now_ps = time_ps


@dataclass
class FakeMcu:
    supply: FakeSupply = field(default_factory=FakeSupply)
    voltage_v: float = 0.0

    def set_supply_voltage(self, v: float) -> None:
        self.voltage_v = v


class FakeBench:
    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.scheduler = FakeScheduler()
        self.mcu = FakeMcu()

    @property
    def now_s(self) -> float:
        return self.scheduler.now_ps * 1e-12

    def rng(self, name: str) -> np.random.Generator:
        return np.random.default_rng([1, len(name)])

    def advance_to(self, time_ps: int) -> None:
        self.scheduler.advance_to(time_ps)

    def advance(self, seconds: float) -> None:
        with self.lock:
            self.advance_to(self.scheduler.now_ps + round(seconds * 1e12))


IDEAL = {
    "current_ranges": [
        {"full_scale_a": full_scale_a, "gain": 0.0, "offset_a": 0.0, "noise_rms_a": 0.0}
        for full_scale_a in (10e-6, 1e-3, 100e-3, 3.0)
    ],
    "voltage_ranges": [{"full_scale_v": 20.0, "gain": 0.0, "offset_v": 0.0}],
    "programming_gain_accuracy": 0.0,
    "programming_offset_accuracy_v": 0.0,
}
"""An instrument without errors, so that tests can ask for exact figures."""


@pytest.fixture
def bench() -> FakeBench:
    return FakeBench()


@pytest.fixture
def analyzer(bench: FakeBench) -> PowerAnalyzer:
    return PowerAnalyzer(bench, IDEAL)


@pytest.fixture
def server(analyzer: PowerAnalyzer) -> Iterator[ScpiServer]:
    server = analyzer.serve()
    yield server
    server.close()


@pytest.fixture
def scpi(server: ScpiServer) -> Iterator[pyvisa.resources.MessageBasedResource]:
    host, port = server.address.split(":")
    manager = pyvisa.ResourceManager("@py")
    session = manager.open_resource(
        f"TCPIP::{host}::{port}::SOCKET", read_termination="\n", write_termination="\n", timeout=5000
    )
    yield session
    session.close()
    manager.close()
