# SPDX-License-Identifier: Apache-2.0
"""The way down: complete whatever happens."""

import signal
import sys
import threading

import pytest

from hil.errors import ConnectError, RigError
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
