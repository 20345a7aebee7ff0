# SPDX-License-Identifier: Apache-2.0
"""The tests' verdicts, read from the run's JUnit file, and the verdict on the run as a whole."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from hil.measurement.limit import Outcome
from hil.results.journal import JournalEntry

BENCH_ERROR_PROPERTY = "bench_error"
"""JUnit property of a test during which the bench failed; its value is the error's text."""


class TestOutcome(StrEnum):
    """How a test ended."""

    __test__ = False  # the name begins with "Test", and pytest would collect it

    PASSED = "passed"
    FAILED = "failed"
    BENCH_ERROR = "bench error"
    """An instrument failed, or set-up or tear-down did: nothing is said about the device under test."""
    SKIPPED = "skipped"


@dataclass(frozen=True)
class TestVerdict:
    """One test of the run."""

    __test__ = False

    name: str
    outcome: TestOutcome
    message: str
    duration_s: float


class RunVerdict(StrEnum):
    """What the run says about the device under test."""

    PASS = "pass"
    FAIL = "fail"
    BENCH_ERROR = "bench error"
    NOTHING_TESTED = "nothing tested"
    INCOMPLETE = "incomplete"
    """What ran passed, but the run was ended before its last test."""


@dataclass(frozen=True)
class Verdict:
    """The run's verdict with its reason in a sentence."""

    outcome: RunVerdict
    sentence: str


def read_junit(path: Path) -> list[TestVerdict]:
    """Return the tests of a JUnit file in the order they ran; none if the run ended before the file was
    written.

    A test appears twice if both its call and its tear-down failed; the entries are joined, a bench error
    first.
    """
    if not path.exists():
        return []
    verdicts: dict[str, TestVerdict] = {}
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        verdict = _of_case(case)
        earlier = verdicts.get(verdict.name)
        if earlier is None or earlier.outcome in (TestOutcome.PASSED, TestOutcome.FAILED):
            verdicts[verdict.name] = verdict
    return list(verdicts.values())


def _of_case(case: ElementTree.Element) -> TestVerdict:
    name = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name', '')}"
    duration_s = float(case.get("time", "0"))
    bench_error = next(
        (p.get("value", "") for p in case.iter("property") if p.get("name") == BENCH_ERROR_PROPERTY), None
    )
    if bench_error is not None:
        return TestVerdict(name, TestOutcome.BENCH_ERROR, bench_error, duration_s)
    for tag, outcome in (
        ("error", TestOutcome.BENCH_ERROR),
        ("failure", TestOutcome.FAILED),
        ("skipped", TestOutcome.SKIPPED),
    ):
        element = case.find(tag)
        if element is not None:
            return TestVerdict(name, outcome, _first_statement(element.get("message", "")), duration_s)
    return TestVerdict(name, TestOutcome.PASSED, "", duration_s)


def _first_statement(message: str) -> str:
    """Drop the exception's class name that pytest writes before the message."""
    head, colon, rest = message.partition(": ")
    return rest if colon and head.replace(".", "").isidentifier() else message


def judge(tests: Sequence[TestVerdict], entries: Sequence[JournalEntry], exit_status: int | None) -> Verdict:
    """Return the verdict on the run: the device's failures first, then what kept the bench from finding out.

    Args:
        tests: the tests that ran.
        entries: the run's journal.
        exit_status: pytest's; 0 only where every collected test ran and passed, None where it never ended.
    """
    failed = sum(test.outcome is TestOutcome.FAILED for test in tests)
    bench = sum(test.outcome is TestOutcome.BENCH_ERROR for test in tests)
    passed = sum(test.outcome is TestOutcome.PASSED for test in tests)
    judged = [entry for entry in entries if entry.measurement.limit is not None]
    conforming = sum(entry.measurement.outcome is Outcome.PASS for entry in judged)
    ran = passed + failed + bench
    measured = f"{conforming} of {len(judged)} judged measurements conform with their limits"
    if failed:
        extra = f", and the bench failed in {bench} more" if bench else ""
        return Verdict(RunVerdict.FAIL, f"{failed} of {ran} tests failed{extra}; {measured}.")
    if bench:
        return Verdict(
            RunVerdict.BENCH_ERROR,
            f"The bench failed in {bench} of {ran} tests; they say nothing about the device. {measured}.",
        )
    if not ran:
        return Verdict(RunVerdict.NOTHING_TESTED, "No test ran to its end.")
    if exit_status != 0:
        return Verdict(
            RunVerdict.INCOMPLETE,
            f"The run was ended before its last test. The {ran} tests that ran passed; {measured}.",
        )
    return Verdict(RunVerdict.PASS, f"All {ran} tests passed; {measured}.")
