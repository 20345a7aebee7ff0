# SPDX-License-Identifier: Apache-2.0
"""Folders of runs for tests: written as a run writes them, with measurements that a test names."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hil.measurement.measurement import Measurement
from hil.measurement.uncertainty import Estimate
from hil.results import run
from hil.results.journal import Journal

TEST = "tests/hil/test_duty_cycle.py::test_average_current"


@dataclass
class Nights:
    """Writes one run after another, a day apart."""

    results: Path
    count: int = 0

    def add(
        self,
        measured: Sequence[Measurement],
        *,
        rig: str = "bench",
        test: str = TEST,
        temperature: Estimate | None = None,
        **described: Any,
    ) -> Path:
        """Write one run with its measurements; ``described`` goes into run.json."""
        folder = run.create(self.results, rig)
        folder.description.started_utc = (
            f"2026-{1 + self.count // 28:02}-{1 + self.count % 28:02}T02:00:00+00:00"
        )
        folder.description.verdict = "pass"
        for name, value in described.items():
            setattr(folder.description, name, value)
        folder.write_description()
        with Journal(folder.journal_path) as journal:
            for one in measured:
                journal.append(test, one, temperature)
        self.count += 1
        return folder.path


def current(value_a: float, expanded_a: float = 1e-8, name: str = "average current") -> Measurement:
    """A current with its expanded uncertainty, in A."""
    return Measurement(name, value_a, "A", expanded_a)
