# SPDX-License-Identifier: Apache-2.0
"""The journal: one line of JSON per measurement, on disk before the next one is taken.

A line is complete or absent, also after a power cut (:mod:`hil.results.json_lines`).
``time_utc`` is the only field that knows the time of day, so two runs with the same seed differ in nothing
else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from hil.errors import ResultsError
from hil.measurement.decision import GUARDED, DecisionRule, RuleKind
from hil.measurement.limit import Limit
from hil.measurement.measurement import Measurement
from hil.measurement.uncertainty import Estimate
from hil.results import budget_json, json_lines
from hil.results.json_lines import JsonLines


@dataclass(frozen=True)
class JournalEntry:
    """A measurement with its place in the run."""

    sequence: int
    """Counts from 1 within the run; a gap means lost lines."""
    test: str
    """The test that took it, as pytest names it (``tests/hil/test_sleep.py::test_...``)."""
    measurement: Measurement
    time_utc: str
    """ISO 8601, UTC."""
    temperature: Estimate | None = None
    """Around the part, in °C, measured just after; None on a rig without a thermometer."""

    def to_json(self) -> dict[str, Any]:
        """Return the entry as the journal spells it."""
        measured = self.measurement
        limit = measured.limit
        return {
            "sequence": self.sequence,
            "test": self.test,
            "name": measured.name,
            "value": measured.value,
            "unit": measured.unit,
            "expanded_uncertainty": measured.expanded_uncertainty,
            "budget": measured.budget and budget_json.to_json(measured.budget),
            "limit": limit
            and {
                "lower": limit.lower,
                "upper": limit.upper,
                "source": limit.source,
                "rule": {"kind": str(limit.rule.kind), "least_probability": limit.rule.least_probability},
            },
            "conformance_probability": measured.conformance_probability,
            "statement": measured.statement,
            "outcome": str(measured.outcome),
            "notes": list(measured.notes),
            "headline": measured.headline,
            **(
                {
                    "temperature_c": self.temperature.value,
                    "temperature_expanded_c": self.temperature.expanded_uncertainty,
                }
                if self.temperature is not None
                else {}
            ),
            "time_utc": self.time_utc,
        }

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> JournalEntry:
        """Read an entry back; the outcome follows from the numbers."""
        limit = fields["limit"]
        measurement = Measurement(
            name=str(fields["name"]),
            value=fields["value"],
            unit=str(fields["unit"]),
            expanded_uncertainty=fields["expanded_uncertainty"],
            limit=limit and _limit(limit),
            notes=tuple(str(note) for note in fields["notes"]),
            headline=bool(fields["headline"]),
            budget=budget_json.from_json(fields.get("budget")),
        )
        return cls(
            int(fields["sequence"]),
            str(fields["test"]),
            measurement,
            str(fields["time_utc"]),
            _temperature(fields),
        )


def _limit(fields: dict[str, Any]) -> Limit:
    """Read a limit back; one of an earlier version has the rule that was the only one."""
    rule = fields.get("rule")
    return Limit(
        fields["lower"],
        fields["upper"],
        str(fields["source"]),
        GUARDED if rule is None else DecisionRule(RuleKind(rule["kind"]), rule["least_probability"]),
    )


def _temperature(fields: dict[str, Any]) -> Estimate | None:
    if fields.get("temperature_c") is None:
        return None
    return Estimate(float(fields["temperature_c"]), float(fields.get("temperature_expanded_c", 0.0)))


def _utc_now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Journal:
    """Appends measurements to ``path``. Use as a context manager or call :meth:`close`."""

    def __init__(self, path: Path, time_utc: Callable[[], str] = _utc_now) -> None:
        """Open the journal; one that exists goes on. Raises ResultsError."""
        self._sequence = max((entry.sequence for entry in read(path)), default=0) if path.exists() else 0
        self._lines = JsonLines(path)
        self._time_utc = time_utc

    def append(
        self, test: str, measurement: Measurement, temperature: Estimate | None = None
    ) -> JournalEntry:
        """Write one measurement and return when it is on the disk.

        Args:
            test: as pytest names it.
            measurement: what it has measured.
            temperature: around the part, in °C, where it was measured.

        Raises:
            ResultsError: if it does not get there.
        """
        entry = JournalEntry(self._sequence + 1, test, measurement, self._time_utc(), temperature)
        self._lines.append(entry.to_json())
        self._sequence += 1
        return entry

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._lines.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read(path: Path) -> list[JournalEntry]:
    """Return the entries of a journal. A last line that was cut off by a crash is left out.

    Raises:
        ResultsError: if another line is not an entry.
    """
    entries, damages = salvage(path)
    if damages:
        raise ResultsError(
            damages[0],
            where=str(path),
            operation="read",
            hint="the file was edited or damaged; restore it from a backup",
        )
    return entries


def salvage(path: Path) -> tuple[list[JournalEntry], list[str]]:
    """Return the entries that a damaged journal still has, and a sentence for each line that is none.

    Raises:
        ResultsError: the file cannot be read at all.
    """
    entries, damages = [], []
    for line in json_lines.read(path):
        error = line.error
        if line.fields is not None:
            try:
                entries.append(JournalEntry.from_json(line.fields))
                continue
            except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as wrong:
                error = f"{type(wrong).__name__}: {wrong}"
        damages.append(f"line {line.number} is not a journal entry ({error})")
    return entries, damages
