# SPDX-License-Identifier: Apache-2.0
"""The runs of a folder, in the order of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hil.errors import ResultsError
from hil.results import journal, run
from hil.results.journal import JournalEntry
from hil.results.run import RunDescription


@dataclass(frozen=True)
class Run:
    """One run, as its folder tells it."""

    path: Path
    description: RunDescription

    @property
    def started(self) -> datetime:
        """When it began, in UTC."""
        return datetime.fromisoformat(self.description.started_utc)

    @property
    def firmware(self) -> str:
        """The firmware in a word: its commit, or where none is known its image's hash."""
        described = self.description
        if described.firmware_commit:
            return described.firmware_commit[:9] + ("*" if described.firmware_modified else "")
        return described.firmware_sha256[:9] or "–"

    def entries(self) -> list[JournalEntry]:
        """The measurements, as far as the journal can be read; none where there is no journal."""
        path = self.path / "journal.jsonl"
        return journal.salvage(path)[0] if path.exists() else []

    @classmethod
    def load(cls, path: Path) -> Run:
        """Read a run's folder.

        Raises:
            ResultsError: it is none.
        """
        return cls(path, run.load(path).description)


def runs_in(results: Path, rig: str | None = None) -> tuple[list[Run], list[str]]:
    """Return the runs below a folder in the order of time, and a sentence for each folder that is none.

    Args:
        results: the folder of the runs' folders.
        rig: leave out the runs on other rigs.

    Raises:
        ResultsError: there is no such folder.
    """
    if not results.is_dir():
        raise ResultsError(
            "is no folder",
            where=str(results),
            operation="read runs",
            hint="name the folder that pytest --hil-results wrote to",
        )
    found, damages = [], []
    for path in _folders(results):
        try:
            one = Run.load(path)
        except ResultsError as error:
            damages.append(str(error))
            continue
        if rig is None or one.description.rig == rig:
            found.append(one)
    return sorted(found, key=lambda one: (one.started, one.path.name)), damages


def _folders(results: Path) -> Iterator[Path]:
    for path in sorted(results.iterdir()):
        if (path / "run.json").exists():
            yield path
