# SPDX-License-Identifier: Apache-2.0
"""Two runs side by side: which measurements differ by more than their uncertainties, and what else does."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from hil.history.runs import Run
from hil.measurement.uncertainty import Estimate, normalized_error
from hil.results.journal import JournalEntry

_COMPARED = {
    "rig": "rig",
    "board": "board",
    "firmware_sha256": "image",
    "firmware_commit": "firmware's commit",
    "firmware_branch": "firmware's branch",
    "firmware_modified": "firmware's checkout modified",
    "model_sha256": "model",
    "seed": "seed",
    "verdict": "verdict",
}


@dataclass(frozen=True)
class Pair:
    """One measurand in both runs."""

    first: JournalEntry
    second: JournalEntry

    @property
    def normalized_error(self) -> float | None:
        """E_n; None where neither value has an uncertainty, as of something counted."""
        a, b = self.first.measurement, self.second.measurement
        if a.expanded_uncertainty == b.expanded_uncertainty == 0:
            return None
        return normalized_error(
            Estimate(a.value, a.expanded_uncertainty), Estimate(b.value, b.expanded_uncertainty)
        )

    @property
    def differs(self) -> bool:
        """Whether the values differ by more than their uncertainties, E_n above 1; a count by anything."""
        error = self.normalized_error
        return self.first.measurement.value != self.second.measurement.value if error is None else error > 1


@dataclass(frozen=True)
class Comparison:
    """What two runs have in common, and what not."""

    pairs: list[Pair]
    only_first: list[JournalEntry]
    only_second: list[JournalEntry]
    changes: list[tuple[str, str, str]]
    """What differs between bench and firmware: its name, and how each run has it."""
    configuration: list[str]
    """The lines of the rig file that differ, as a diff writes them."""


def compare(first: Run, second: Run) -> Comparison:
    """Compare two runs, measurement by measurement: the same test, name and unit, in the order taken."""
    a, b = _by_key(first), _by_key(second)
    return Comparison(
        [Pair(entry, b[key]) for key, entry in a.items() if key in b],
        [entry for key, entry in a.items() if key not in b],
        [entry for key, entry in b.items() if key not in a],
        list(_changes(first, second)),
        list(_configuration(first, second)),
    )


def _by_key(run: Run) -> dict[tuple[str, str, str, int], JournalEntry]:
    """The entries by what was measured; a test that measures one thing twice has a first and a second."""
    found: dict[tuple[str, str, str, int], JournalEntry] = {}
    for entry in run.entries():
        name, unit = entry.measurement.name, entry.measurement.unit
        count = sum(key[:3] == (entry.test, name, unit) for key in found)
        found[entry.test, name, unit, count] = entry
    return found


def _changes(first: Run, second: Run) -> Iterator[tuple[str, str, str]]:
    a, b = first.description, second.description
    for field, name in _COMPARED.items():
        if getattr(a, field) != getattr(b, field):
            yield name, _shown(getattr(a, field)), _shown(getattr(b, field))
    for kind, ours, theirs in (
        ("instrument", a.instruments, b.instruments),
        ("version of", a.versions, b.versions),
    ):
        for key in sorted(ours.keys() | theirs.keys()):
            if ours.get(key) != theirs.get(key):
                yield f"{kind} {key}", _shown(ours.get(key)), _shown(theirs.get(key))


def _shown(value: object) -> str:
    return "–" if value in (None, "") else str(value)


def _configuration(first: Run, second: Run) -> Iterator[str]:
    a, b = (run.description.config_text.splitlines() for run in (first, second))
    for line in difflib.unified_diff(a, b, lineterm="", n=0):
        if not line.startswith(("---", "+++", "@@")):
            yield line
