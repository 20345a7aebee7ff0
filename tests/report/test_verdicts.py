# SPDX-License-Identifier: Apache-2.0
"""The verdict needs evidence for every test; nothing else makes a PASS."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hil.measurement.limit import Limit
from hil.measurement.measurement import Measurement
from hil.report.verdicts import RunVerdict, exit_status_of, judge
from hil.results.journal import JournalEntry
from hil.results.run import RunDescription
from hil.results.test_log import TestLog, TestRecord

ENTRY = JournalEntry(1, "t", Measurement("m", 1.0, "A", 0.1, Limit.at_most(2.0, "s")), "")


@pytest.fixture
def log(tmp_path: Path) -> TestLog:
    return TestLog(tmp_path / "tests.jsonl")


def go(log: TestLog, name: str, call: str = "passed", *, bench: bool = False) -> None:
    log.started(name)
    log.phase(name, "setup", "passed", message="", duration_s=0.1, bench_error=False)
    log.phase(name, "call", call, message="why", duration_s=0.1, bench_error=bench)
    log.phase(name, "teardown", "passed", message="", duration_s=0.1, bench_error=False)
    log.finished(name)


def ended(status: int | None, **how: object) -> RunDescription:
    return RunDescription("sim", "", exit_status=status, **how)  # type: ignore[arg-type]


def outcome(record: TestRecord, run: RunDescription) -> RunVerdict:
    return judge(record, [], run).outcome


def test_every_collected_test_that_passed_makes_a_pass(log: TestLog) -> None:
    log.collected(["a", "b"], 3)
    go(log, "a")
    go(log, "b", "skipped")
    assert exit_status_of(log.record(), ended(0)) == 0
    verdict = judge(log.record(), [ENTRY], ended(0))
    assert verdict.outcome is RunVerdict.PASS
    assert verdict.sentence == (
        "All 1 test passed. 1 of 1 judged measurements conform with their limits. "
        "1 test skipped. 3 tests not selected."
    )


def interrupted_in_its_call(log: TestLog) -> None:
    log.started("b")
    log.phase("b", "setup", "passed", message="", duration_s=0.1, bench_error=False)


def interrupted_in_its_tear_down(log: TestLog) -> None:
    interrupted_in_its_call(log)
    log.phase("b", "call", "passed", message="", duration_s=0.1, bench_error=False)


def never_begun(log: TestLog) -> None:
    pass


def without_a_call(log: TestLog) -> None:
    interrupted_in_its_call(log)
    log.phase("b", "teardown", "passed", message="", duration_s=0.1, bench_error=False)
    log.finished("b")


def with_an_error_outside(log: TestLog) -> None:
    go(log, "b")
    log.error("test_c.py: SyntaxError")


@pytest.mark.parametrize(
    ("short", "told"),
    [
        (interrupted_in_its_call, "b was interrupted in its call."),
        (interrupted_in_its_tear_down, "b was interrupted in its teardown."),
        (never_begun, "1 of 2 tests did not begin."),
        (without_a_call, "b was interrupted"),
        (with_an_error_outside, "Outside the tests: test_c.py: SyntaxError."),
    ],
)
@pytest.mark.parametrize("status", [0, 2, None])
def test_whatever_is_missing_there_is_no_pass(
    log: TestLog, short: Callable[[TestLog], None], told: str, status: int | None
) -> None:
    log.collected(["a", "b"], 0)
    go(log, "a")
    short(log)
    assert exit_status_of(log.record(), ended(status)) != 0
    verdict = judge(log.record(), [], ended(status))
    assert verdict.outcome is RunVerdict.INCOMPLETE
    assert told in verdict.sentence


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (ended(143, ended_by="SIGTERM"), RunVerdict.INCOMPLETE),
        (ended(None), RunVerdict.INCOMPLETE),
        (ended(3), RunVerdict.INCOMPLETE),
        (ended(0, record_errors=["disk full"]), RunVerdict.INCOMPLETE),
        (ended(10, shutdown_errors=["supply off: no answer"]), RunVerdict.BENCH_ERROR),
    ],
)
def test_the_run_s_own_end_can_take_the_pass_away(
    log: TestLog, run: RunDescription, expected: RunVerdict
) -> None:
    log.collected(["a"], 0)
    go(log, "a")
    assert outcome(log.record(), run) is expected


def test_a_list_of_tests_that_was_never_written_is_no_pass(log: TestLog) -> None:
    go(log, "a")
    assert outcome(log.record(), ended(0)) is RunVerdict.INCOMPLETE


def test_the_device_s_failures_come_before_the_bench_s(log: TestLog) -> None:
    log.collected(["a", "b"], 0)
    go(log, "a", "failed", bench=True)
    assert outcome(log.record(), ended(10)) is RunVerdict.BENCH_ERROR
    assert exit_status_of(log.record(), ended(10)) == 10
    go(log, "b", "failed")
    assert outcome(log.record(), ended(1)) is RunVerdict.FAIL
    assert exit_status_of(log.record(), ended(1)) == 1


def test_what_the_device_failed_stays_so_when_the_bench_fails_after_it(log: TestLog) -> None:
    log.collected(["a"], 0)
    log.started("a")
    log.phase("a", "call", "failed", message="8 s", duration_s=0.1, bench_error=False)
    log.phase("a", "teardown", "failed", message="no answer", duration_s=0.1, bench_error=True)
    log.finished("a")
    assert outcome(log.record(), ended(1)) is RunVerdict.FAIL


def test_what_cannot_be_decided_is_neither_pass_nor_failure(log: TestLog) -> None:
    log.collected(["a", "b", "c"], 0)
    go(log, "a")
    go(log, "b", "inconclusive")
    assert outcome(log.record(), ended(2)) is RunVerdict.INCOMPLETE, "c has not run"
    go(log, "c")
    verdict = judge(log.record(), [], ended(11))
    assert verdict.outcome is RunVerdict.INCONCLUSIVE
    assert verdict.sentence.startswith("1 of 3 tests could not be decided: ")
    assert exit_status_of(log.record(), ended(11)) == 11


def test_a_failure_of_device_or_bench_comes_before_what_cannot_be_decided(log: TestLog) -> None:
    log.collected(["a", "b", "c"], 0)
    go(log, "a", "inconclusive")
    go(log, "b", "failed", bench=True)
    assert exit_status_of(log.record(), ended(10)) == 10
    assert outcome(log.record(), ended(10)) is RunVerdict.BENCH_ERROR
    go(log, "c", "failed")
    verdict = judge(log.record(), [], ended(1))
    assert verdict.outcome is RunVerdict.FAIL
    assert (
        "1 of 3 tests failed, and the bench failed in 1 more, and 1 more could not be decided."
        in verdict.sentence
    )


def test_only_skips_are_nothing_tested(log: TestLog) -> None:
    log.collected(["a"], 0)
    go(log, "a", "skipped")
    assert exit_status_of(log.record(), ended(5)) == 5
    assert outcome(log.record(), ended(5)) is RunVerdict.NOTHING_TESTED


def test_a_test_that_passed_at_its_second_attempt_is_told(log: TestLog) -> None:
    log.collected(["a"], 0)
    log.started("a")
    log.phase("a", "setup", "passed", message="", duration_s=0.1, bench_error=False)
    log.phase("a", "call", "rerun", message="8 s", duration_s=0.1, bench_error=False)
    go(log, "a")
    verdict = judge(log.record(), [], ended(0))
    assert verdict.outcome is RunVerdict.PASS
    assert "1 test begun more than once: a." in verdict.sentence


@pytest.mark.parametrize("became", ["passed", "skipped"])
def test_a_broken_limit_never_stands_under_a_plain_pass(log: TestLog, became: str) -> None:
    log.collected(["a", "b"], 0)
    go(log, "a", became)
    go(log, "b")
    broken = JournalEntry(1, "a", Measurement("latency", 3.0, "s", 0.1, Limit.at_most(2.0, "s")), "")
    assert exit_status_of(log.record(), ended(11), [broken]) == 11
    verdict = judge(log.record(), [broken], ended(11))
    assert verdict.outcome is RunVerdict.INCONCLUSIVE
    assert "a limit was broken by latency (a): at an attempt that was taken again" in verdict.sentence
