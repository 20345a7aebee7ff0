# SPDX-License-Identifier: Apache-2.0
"""The order of switching as the virtual bench itself sees it, through the instruments' own protocols.

Random uses by several processes in a row, some of which are killed in the middle of what they do.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from hil.config import RigConfig, load_rig, resolve
from hil.firmware.image import Image, Segment
from hil.instruments.protocols import Board, Clock
from hil.rig.bench import Bench
from hil.rig.safe_state import safe_state_steps
from hil.rig.states import BoardStates, State
from hil.rig.switching import find_violations
from hil.rig.teardown import run_steps
from hil.twin import bench as twin
from hil.twin import bench_config

SIM = Path(__file__).resolve().parents[2] / "rig_configs" / "sim.toml"
IMAGE = Image(Path("a.elf"), "a", 0x0800_0000, (Segment(0x0800_0000, b"a"),), {})
MINIMUM_V = 1.71
"""Lowest operating VDD (DS10198 Rev 8, table 23)."""
DRIVEN_V = 0.01
"""An output at 0 V has its offset of well under a millivolt."""
SEEDS = range(3)
PROCESSES, ORDERS = 3, 3


class Killed(BaseException):
    """The process is gone."""


class Watch:
    """Judges the virtual bench whenever its supply, its relay or its analog output changes."""

    def __init__(self, bench: twin.Bench) -> None:
        self._bench = bench
        self.violations: list[str] = []
        self.changes = 0
        output = bench.daq.analog_outputs["ao0"]
        for owner, name in ((bench.analyzer.channel.source, "apply"), (output, "hold"), (output, "generate")):
            setattr(owner, name, self._judged(getattr(owner, name), name))
        bench.isolation_changed.connect(lambda: self._judge("relay"))

    def _judged(self, function: Callable[..., None], name: str) -> Callable[..., None]:
        def judged(*arguments: Any) -> None:
            function(*arguments)
            self._judge(name)

        return judged

    def _judge(self, what: str) -> None:
        bench = self._bench
        self.changes += 1
        output_v = bench.daq.analog_outputs["ao0"].voltage_v(bench.scheduler.now_ps)
        feeds = [
            name
            for name, holds in (
                ("lines closed", not bench.debug_lines_isolated),
                (f"{output_v:.2f} V at ao0", abs(output_v) > DRIVEN_V),
            )
            if holds
        ]
        # The analyzer's own output: what closed lines feed into VDD is no supply.
        supplied_v = bench.analyzer.channel.source.board_v
        if feeds and supplied_v < MINIMUM_V:
            self.violations.append(f"{what}: {feeds} at {supplied_v:.2f} V")


class Outside:
    """Clock and debug probe of a process; one of their calls may be its last."""

    def __init__(self, bench: twin.Bench, last_call: int | None) -> None:
        self._bench, self._calls_left = bench, last_call

    def _call(self) -> None:
        if self._calls_left is not None:
            self._calls_left -= 1
            if self._calls_left < 0:
                raise Killed

    def now_s(self) -> float:
        return self._bench.now_s

    def sleep(self, duration_s: float) -> None:
        self._call()
        with self._bench.lock:
            self._bench.advance(duration_s)

    def connect(self, *, under_reset: bool) -> None:
        self._call()

    def program(self, _segments: object, _progress: object) -> bool:
        self._call()
        return True

    def reset(self, *, halt: bool) -> None:
        self._call()

    def resume(self) -> None:
        self._call()

    def detach(self) -> None:
        self._call()

    def abandon(self) -> None:
        """Nothing to end."""

    def clear(self) -> None:
        """No console has received anything."""

    def close(self) -> None:
        """Nothing to release."""


class ProcessBench(Bench):
    """The controller's bench: real drivers for DAQ and analyzer, the rest from outside."""

    def __init__(self, config: RigConfig, outside: Outside) -> None:
        super().__init__(config)
        self._outside: Any = outside

    @property
    def clock(self) -> Clock:  # type: ignore[override]
        return self._outside  # type: ignore[no-any-return]

    @property
    def board(self) -> Board:  # type: ignore[override]
        return self._outside  # type: ignore[no-any-return]


@contextmanager
def process_on(bench: twin.Bench, outside: Outside) -> Iterator[ProcessBench]:
    """A process on the bench. Its connections end with it, and with them the DAQ's tasks, but no output."""
    daq, analyzer = bench.daq.serve(), bench.analyzer.serve()
    addresses = dict.fromkeys(("probe", "console", "clock", "hands"), "127.0.0.1:1")
    config = resolve(load_rig(SIM), {**addresses, "daq": daq.address, "power_analyzer": analyzer.address})
    process = ProcessBench(config.model_copy(update={"console": None}), outside)
    try:
        yield process
    except Killed:
        if process.opened("power_analyzer"):
            cast(Any, process.power_analyzer)._supply._link.close()
    finally:
        analyzer.close()
        daq.close()


def use(process: ProcessBench, rng: random.Random, make_states: Callable[[Bench], BoardStates]) -> None:
    """Some random orders, and the way down."""
    states = make_states(process)
    for _ in range(ORDERS):
        states.to(rng.choice(list(State)), IMAGE, restart=rng.random() < 0.5)
        if states.supplied and rng.random() < 0.7:
            process.daq.play("Dev1/ao0", np.full(64, 1.0), 1000.0, repeat=True)
        if states.state is State.MEASURING:
            with states.console_lines():
                pass
    assert run_steps(safe_state_steps(process)) == []
    assert not find_violations(process.switching.entries, MINIMUM_V, has_lines=True, outputs=["Dev1"])


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_feeds_the_virtual_part_while_it_is_unpowered(seed: int) -> None:
    rng = random.Random(seed)
    bench = twin.Bench(bench_config.load(SIM))
    watch = Watch(bench)
    for _ in range(PROCESSES):
        last_call = rng.randrange(1, 12) if rng.random() < 0.5 else None
        with process_on(bench, Outside(bench, last_call)) as process:
            use(process, rng, BoardStates)
            assert bench.mcu.supply_voltage_v == 0.0
    assert watch.violations == []
    assert watch.changes > PROCESSES


class CutsTheSupplyFirst(BoardStates):
    """The supply goes off with lines and outputs as they are."""

    def _switch_off(self) -> None:
        self._bench.power_analyzer.supply_off()
        super()._switch_off()


def test_the_virtual_bench_sees_a_supply_that_is_cut_first() -> None:
    bench = twin.Bench(bench_config.load(SIM))
    watch = Watch(bench)
    with process_on(bench, Outside(bench, None)) as process:
        states = CutsTheSupplyFirst(process)
        states.to(State.RUNNING, IMAGE)
        process.daq.play("Dev1/ao0", np.full(64, 1.0), 1000.0, repeat=True)
        states.to(State.OFF)
        run_steps(safe_state_steps(process))
        assert find_violations(process.switching.entries, MINIMUM_V, has_lines=True, outputs=["Dev1"])
    assert any("lines closed" in text and "V at ao0" in text for text in watch.violations)
