# SPDX-License-Identifier: Apache-2.0
"""The way down: complete whatever happens."""

import signal
import socket
import sys
import threading
import time
from pathlib import Path

import pytest

from hil.config import load_rig
from hil.config.models import ClockConfig
from hil.errors import ConnectError, RigError
from hil.rig import bench as bench_module
from hil.rig.bench import Bench
from hil.rig.switching import Act
from hil.rig.teardown import HURRIED_LIMIT_S, Step, run_steps


def test_failures_are_collected_and_stop_nothing() -> None:
    done: list[str] = []

    def fail() -> None:
        raise ConnectError("gone", where="daq")

    errors = run_steps(
        [
            Step("one", lambda: done.append("one"), 1.0),
            Step("two", fail, 1.0),
            Step("three", lambda: done.append("three"), 1.0),
        ]
    )
    assert done == ["one", "three"]
    assert [str(error) for error in errors] == ["daq: gone"]


def test_a_stuck_step_is_left_behind() -> None:
    never, done = threading.Event(), list[str]()
    errors = run_steps(
        [
            Step("supply off", lambda: never.wait() and None, 0.05),
            Step("next", lambda: done.append("next"), 1.0),
        ]
    )
    never.set()
    assert done == ["next"]
    assert [str(error) for error in errors] == ["shutdown: supply off: not done within 0.05 s"]
    assert isinstance(errors[0], RigError)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, ZeroDivisionError, TimeoutError])
def test_an_interrupt_or_a_bug_is_raised_after_the_last_step(interruption: type[BaseException]) -> None:
    done: list[str] = []

    def interrupted() -> None:
        raise interruption

    with pytest.raises(interruption):
        run_steps([Step("one", interrupted, 1.0), Step("two", lambda: done.append("two"), 1.0)])
    assert done == ["two"]


def test_a_hurry_leaves_behind_what_switches_nothing_off_and_nothing_else() -> None:
    never, done = threading.Event(), list[str]()
    steps = [
        Step("released", lambda: never.wait() and None, 60.0),
        Step("supply off", lambda: never.wait(1.5 * HURRIED_LIMIT_S) or done.append("off"), 60.0, True),
    ]
    assert run_steps(steps, hurried=lambda: True) == []
    never.set()
    assert done == ["off"]


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
def test_a_signal_during_the_way_down_waits_for_its_end() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        run_steps(
            [
                Step("one", lambda: signal.raise_signal(signal.SIGINT), 5.0),
                Step("two", lambda: done.append("two"), 5.0),
            ]
        )
    assert done == ["two"]


def test_a_clock_that_owes_an_answer_keeps_no_bench_from_its_way_down() -> None:
    bare = load_rig(Path(__file__).resolve().parents[2] / "rig_configs" / "sim.toml")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        clock = ClockConfig(address=f"tcp://token@127.0.0.1:{silent.getsockname()[1]}")
        bench = Bench(bare.model_copy(update={"clock": clock, "service": None}))
        bench.go_down()
        began_s = time.monotonic()
        for _ in range(20):
            bench.switching.note(Act.OUTPUTS_AT_REST)
        assert time.monotonic() - began_s < 20 * bench_module._CLOCK_ON_THE_WAY_DOWN_S
        assert {entry.time_s for entry in bench.switching.entries} == {None}
