# SPDX-License-Identifier: Apache-2.0
"""The verdict on a run: what its tests' record and its journal prove."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from hil.measurement.limit import Outcome
from hil.results.journal import JournalEntry
from hil.results.run import RunDescription
from hil.results.test_log import TestOutcome, TestRecord


class RunVerdict(StrEnum):
    """What the run says about the device under test."""

    PASS = "pass"
    FAIL = "fail"
    BENCH_ERROR = "bench error"
    INCONCLUSIVE = "inconclusive"
    """Every test ran and none failed, but for some the measurement was too uncertain to tell, or a limit was
    broken and the test has not failed: it passed at a later attempt, or was expected to fail."""
    NOTHING_TESTED = "nothing tested"
    INCOMPLETE = "incomplete"
    """What ran passed, but it is not proven that every test did."""


@dataclass(frozen=True)
class Verdict:
    """The run's verdict with its reason in a sentence or two."""

    outcome: RunVerdict
    sentence: str


DEVICE_FAILED, INCOMPLETE, NOTHING_TESTED, BENCH_FAILED, INCONCLUSIVE = 1, 2, 5, 10, 11
"""Exit statuses of a run that came to its end; 1, 2 and 5 mean what they do in pytest, which uses 0 to 6."""


def exit_status_of(record: TestRecord, run: RunDescription, entries: Sequence[JournalEntry] = ()) -> int:
    """The exit status that a run earns by its tests, its record and its journal; 0 only where judge() can say
    PASS.
    """
    if record.count(TestOutcome.FAILED):
        return DEVICE_FAILED
    if record.count(TestOutcome.BENCH_ERROR) or run.record_errors or run.shutdown_errors:
        return BENCH_FAILED
    if record.errors or record.damages or not record.collected:
        return INCOMPLETE
    if record.count(TestOutcome.INTERRUPTED) or record.count(TestOutcome.NOT_RUN):
        return INCOMPLETE
    if record.count(TestOutcome.INCONCLUSIVE) or _broken_and_passed(record, entries):
        return INCONCLUSIVE
    return 0 if record.count(TestOutcome.PASSED) else NOTHING_TESTED


def judge(record: TestRecord, entries: Sequence[JournalEntry], run: RunDescription) -> Verdict:
    """Return the verdict on the run: the device's failures first, then what kept the bench from finding out.

    Args:
        record: what became of each test.
        entries: the run's journal.
        run: how the run ended.
    """
    failed, bench = record.count(TestOutcome.FAILED), record.count(TestOutcome.BENCH_ERROR)
    unsure = record.count(TestOutcome.INCONCLUSIVE)
    ran = record.count(TestOutcome.PASSED) + failed + bench + unsure
    short = _shortfall(record, run, entries)
    told = [_measured(entries), *short, *_also(record)]
    if failed:
        extra = f", and the bench failed in {bench} more" if bench else ""
        extra += f", and {unsure} more could not be decided" if unsure else ""
        return _verdict(RunVerdict.FAIL, f"{failed} of {_tests(ran)} failed{extra}", *told)
    if bench:
        return _verdict(
            RunVerdict.BENCH_ERROR,
            f"The bench failed in {bench} of {_tests(ran)}, which say nothing about the device",
            *told,
        )
    if run.shutdown_errors:
        return _verdict(RunVerdict.BENCH_ERROR, f"{_tests(ran)} passed", *told)
    if not ran:
        return _verdict(RunVerdict.NOTHING_TESTED, "No test ran to its end", *short, *_also(record))
    if short:
        undecided = (f"{_tests(unsure)} could not be decided",) if unsure else ()
        done = (f"{_tests(ran - unsure)} passed", *undecided, _measured(entries))
        return _verdict(RunVerdict.INCOMPLETE, *short, *done, *_also(record))
    if broken := _broken_and_passed(record, entries):
        return _verdict(
            RunVerdict.INCONCLUSIVE,
            f"No test failed, but a limit was broken by {_few(broken)}: at an attempt that was taken again, "
            "or in a test that was expected to fail",
            *told,
        )
    if unsure:
        return _verdict(
            RunVerdict.INCONCLUSIVE,
            f"{unsure} of {_tests(ran)} could not be decided: an uncertainty reaches across a limit",
            *told,
        )
    return _verdict(RunVerdict.PASS, f"All {_tests(ran)} passed", *told)


def _verdict(outcome: RunVerdict, *sentences: str) -> Verdict:
    return Verdict(outcome, " ".join(f"{sentence}." for sentence in sentences))


def _tests(count: int) -> str:
    return "1 test" if count == 1 else f"{count} tests"


def _broken_and_passed(record: TestRecord, entries: Sequence[JournalEntry]) -> list[str]:
    """Measurements that broke their limit in tests that have not failed by the run's end."""
    fine = {test.name for test in record.tests if test.outcome in (TestOutcome.PASSED, TestOutcome.SKIPPED)}
    return [
        f"{entry.measurement.name} ({entry.test})"
        for entry in entries
        if entry.measurement.outcome is Outcome.FAIL and entry.test in fine
    ]


def _few(names: Sequence[str]) -> str:
    """The first names, and that there are more."""
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")


_NAMED = 3


def _measured(entries: Sequence[JournalEntry]) -> str:
    judged = [entry for entry in entries if entry.measurement.limit is not None]
    conforming = sum(entry.measurement.outcome is Outcome.PASS for entry in judged)
    return f"{conforming} of {len(judged)} judged measurements conform with their limits"


def _shortfall(record: TestRecord, run: RunDescription, entries: Sequence[JournalEntry]) -> list[str]:
    """What is missing for a verdict on every test, one sentence each."""
    told = []
    if run.shutdown_errors:
        told.append(f"The bench was not left safe: {'; '.join(run.shutdown_errors)}")
    if run.ended_by:
        told.append(f"The run was ended by {run.ended_by}")
    elif run.exit_status is None:
        told.append("The run never came to its end")
    for test in record.tests:
        if test.outcome is TestOutcome.INTERRUPTED:
            told.append(f"{test.name} was interrupted {test.message}")
    not_run = record.count(TestOutcome.NOT_RUN)
    if not_run:
        told.append(f"{not_run} of {_tests(len(record.tests))} did not begin")
    if not record.collected:
        told.append("The list of tests was never complete")
    told += [f"Outside the tests: {error}" for error in record.errors]
    told += [f"Not on the record: {error}" for error in run.record_errors]
    if record.damages:
        told.append("The record of the tests is damaged")
    if not told and run.exit_status != exit_status_of(record, run, entries):
        told.append(f"The run ended with status {run.exit_status}")
    return told


def _also(record: TestRecord) -> list[str]:
    """What a reader must know whatever the verdict."""
    told = []
    skipped = record.count(TestOutcome.SKIPPED)
    if skipped:
        told.append(f"{_tests(skipped)} skipped")
    if record.deselected:
        told.append(f"{_tests(record.deselected)} not selected")
    again = [test.name for test in record.tests if test.attempts > 1]
    if again:
        told.append(f"{_tests(len(again))} begun more than once: {_few(again)}")
    return told
