# SPDX-License-Identifier: Apache-2.0
"""What became of every test: ``tests.jsonl``, written ahead of what it tells and independent of pytest's
own reports.

One line per event: which tests were collected, that one begins, how each of its phases (set-up, call,
tear-down) ended, that it is finished, and how the run ended. A test whose last line is not there was
interrupted; one without any line was not run. So a verdict needs evidence for each collected test, and a run
that stops at any point leaves none too much.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from hil.results import json_lines
from hil.results.json_lines import JsonLines


class TestOutcome(StrEnum):
    """How a test ended."""

    __test__ = False  # the name begins with "Test", and pytest would collect it

    PASSED = "passed"
    FAILED = "failed"
    BENCH_ERROR = "bench error"
    """An instrument failed, or set-up or tear-down did: nothing is said about the device under test."""
    INCONCLUSIVE = "inconclusive"
    """A measurement's uncertainty reaches across its limit: the device neither failed nor passed."""
    SKIPPED = "skipped"
    INTERRUPTED = "interrupted"
    """It began, and the run was ended before it did."""
    NOT_RUN = "not run"
    """It was collected, and the run was ended before it began."""


class Phase(StrEnum):
    """A part of a test, as pytest names it."""

    SETUP = "setup"
    CALL = "call"
    TEARDOWN = "teardown"


_RERUN = "rerun"
"""How a phase ends after which its test is taken from the beginning (pytest-rerunfailures)."""


@dataclass(frozen=True)
class TestVerdict:
    """One test of the run."""

    __test__ = False

    name: str
    outcome: TestOutcome
    message: str = ""
    """Why it did not pass; empty if it did."""
    duration_s: float = 0.0
    attempts: int = 1
    """How often it was begun; more than once only where the user asked for reruns."""


@dataclass(frozen=True)
class TestRecord:
    """What a run says about its tests."""

    __test__ = False

    tests: tuple[TestVerdict, ...] = ()
    """In the order they were collected."""
    collected: bool = False
    """Whether the list of tests is complete: without it nobody knows what was not run."""
    deselected: int = 0
    """Tests that the user's selection (-k, --lf, ...) left out."""
    errors: tuple[str, ...] = ()
    """What went wrong outside any test: files that could not be collected, an internal error."""
    damages: tuple[str, ...] = ()
    """Lines of the file that cannot be read."""

    def count(self, outcome: TestOutcome) -> int:
        """How many tests ended so."""
        return sum(test.outcome is outcome for test in self.tests)


class TestLog:
    """Writes the file, and keeps what was said for as long as the process lives."""

    __test__ = False

    def __init__(self, path: Path) -> None:
        """Begin the file. Raises ResultsError."""
        self._lines = JsonLines(path)
        self._events: list[dict[str, Any]] = []

    def collected(self, tests: Sequence[str], deselected: int) -> None:
        """Say which tests will be run. Raises ResultsError, as all others do, if it cannot be written."""
        self._append({"event": "collected", "tests": list(tests), "deselected": deselected})

    def started(self, test: str) -> None:
        """Say that a test begins."""
        self._append({"event": "started", "test": test, "time_utc": _utc_now()})

    def phase(
        self, test: str, phase: str, outcome: str, *, message: str, duration_s: float, bench_error: bool
    ) -> None:
        """Say how a phase of a test ended: "passed", "failed", "inconclusive", "skipped" or "rerun"."""
        self._append(
            {
                "event": "phase",
                "test": test,
                "phase": phase,
                "outcome": outcome,
                "bench_error": bench_error,
                "message": message,
                "duration_s": duration_s,
            }
        )

    def finished(self, test: str) -> None:
        """Say that a test is done with, its tear-down included."""
        self._append({"event": "finished", "test": test})

    def error(self, message: str) -> None:
        """Say what went wrong outside any test."""
        self._append({"event": "error", "message": message})

    def record(self) -> TestRecord:
        """What was said so far, also where it could not be written."""
        return _record(self._events, ())

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._lines.close()

    def _append(self, event: dict[str, Any]) -> None:
        self._events.append(event)
        self._lines.append(event)


def read(path: Path) -> TestRecord:
    """Return what the file says; lines that cannot be read are named among the damages.

    Raises:
        ResultsError: the file cannot be read at all.
    """
    lines = json_lines.read(path)
    damages = [f"line {line.number} is not readable ({line.error})" for line in lines if line.fields is None]
    return _record([line.fields for line in lines if line.fields is not None], damages)


def _utc_now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@dataclass
class _Seen:
    """What the file says about one test, so far."""

    began: bool = False
    finished: bool = False
    attempts: int = 1
    phases: dict[Phase, tuple[str, bool, str]] = field(default_factory=dict)
    """Outcome, whether the bench failed, and message; of the latest attempt."""
    duration_s: float = 0.0

    def note(self, event: dict[str, Any]) -> None:
        outcome = str(event["outcome"])
        self.duration_s += float(event["duration_s"])
        if outcome == _RERUN:
            self.attempts += 1
            self.phases.clear()
        else:
            phase = Phase(event["phase"])
            self.phases[phase] = (outcome, bool(event["bench_error"]), str(event["message"]))

    def verdict(self, name: str) -> TestVerdict:
        outcome, message = self._outcome()
        return TestVerdict(name, outcome, message, self.duration_s, self.attempts)

    def _outcome(self) -> tuple[TestOutcome, str]:
        if not self.began:
            return TestOutcome.NOT_RUN, ""
        failed = [(bench, message) for outcome, bench, message in self.phases.values() if outcome == "failed"]
        # The device's failure comes first: the bench still worked when it was seen.
        for bench, message in sorted(failed, key=lambda told: told[0]):
            return TestOutcome.BENCH_ERROR if bench else TestOutcome.FAILED, message
        if not self.finished or Phase.TEARDOWN not in self.phases:
            return TestOutcome.INTERRUPTED, _place(self.phases)
        for outcome, _, message in self.phases.values():
            if outcome == TestOutcome.INCONCLUSIVE:
                return TestOutcome.INCONCLUSIVE, message
        for outcome, _, message in self.phases.values():
            if outcome == "skipped":
                return TestOutcome.SKIPPED, message
        if self.phases.get(Phase.CALL, ("",))[0] != "passed":
            return TestOutcome.INTERRUPTED, "its call has no result"
        return TestOutcome.PASSED, ""


def _place(done: Collection[Phase]) -> str:
    """Where a test was, from the phases that it had behind it."""
    return next((f"in its {phase}" for phase in Phase if phase not in done), "after its teardown")


def _record(events: Sequence[dict[str, Any]], damages: Sequence[str]) -> TestRecord:
    seen: dict[str, _Seen] = {}
    collected, deselected = False, 0
    errors: list[str] = []
    wrong = list(damages)
    for number, event in enumerate(events, start=1):
        try:
            match event["event"]:
                case "collected":
                    collected, deselected = True, int(event["deselected"])
                    for test in event["tests"]:
                        seen.setdefault(str(test), _Seen())
                case "started":
                    seen.setdefault(str(event["test"]), _Seen()).began = True
                case "phase":
                    seen.setdefault(str(event["test"]), _Seen()).note(event)
                case "finished":
                    seen.setdefault(str(event["test"]), _Seen()).finished = True
                case "error":
                    errors.append(str(event["message"]))
                case _:
                    wrong.append(f"event {number} is not known ({str(event['event'])[:40]!r})")
        except (KeyError, OverflowError, TypeError, ValueError) as error:
            wrong.append(f"event {number} makes no sense ({type(error).__name__}: {error})")
    tests = tuple(entry.verdict(name) for name, entry in seen.items())
    return TestRecord(tests, collected, deselected, tuple(errors), tuple(wrong))
