# SPDX-License-Identifier: Apache-2.0
import signal
import sys

import pytest

from hil.instruments.interrupts import held_back, whole_exchange


def interrupt_within(steps: list[str], times: int) -> None:
    with whole_exchange():
        for _ in range(times):
            signal.raise_signal(signal.SIGINT)
        steps.append("answer")


def test_ctrl_c_waits_for_the_answer_and_is_not_lost():
    steps: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        interrupt_within(steps, times=1)
    assert steps == ["answer"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_exchange_inside_another_ends_with_the_outer_one():
    steps: list[str] = []

    def nested() -> None:
        with whole_exchange():
            interrupt_within(steps, times=1)
            steps.append("the outer answer")

    with pytest.raises(KeyboardInterrupt):
        nested()
    assert steps == ["answer", "the outer answer"]


def test_further_ones_wait_as_well_and_come_through_once():
    steps: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        interrupt_within(steps, times=10)
    assert steps == ["answer"]


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
def test_of_several_kinds_the_first_is_told() -> None:
    met: list[int] = []
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, lambda number, _frame: met.append(number)) for number in numbers]
    try:
        with whole_exchange():
            for number in numbers:
                signal.raise_signal(number)
            assert met == []
        assert met == [signal.SIGTERM]
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def test_one_after_the_patience_does_not_wait():
    steps: list[str] = []

    def stuck() -> None:
        with held_back(patience_s=0.0):
            interrupt_within(steps, times=1)
            steps.append("the answer that never came")

    with pytest.raises(KeyboardInterrupt):
        stuck()
    assert steps == ["answer"]


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGHUP")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_what_nobody_listens_to_is_not_held_back(name: str):
    number = signal.Signals[name]
    assert signal.getsignal(number) is signal.SIG_DFL
    with whole_exchange():
        assert signal.getsignal(number) is signal.SIG_DFL


def test_an_error_inside_is_not_hidden_when_nobody_interrupts():
    with pytest.raises(ValueError, match="from inside"), whole_exchange():
        raise ValueError("from inside")
