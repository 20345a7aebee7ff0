# SPDX-License-Identifier: Apache-2.0
"""The way down: complete whatever happens."""

import threading

import pytest

from hil.errors import ConnectError, RigError
from hil.rig.teardown import Step, run_steps


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
