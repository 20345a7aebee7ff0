# SPDX-License-Identifier: Apache-2.0
"""The folder of one run, ``results/<UTC time>-<rig>/``, and the description of what was tested on what.

::

    run.json        the bench: configuration, instruments, image hash, versions, seed, assumptions
    journal.jsonl   the measurements, see hil.results.journal
    waveforms/      one Parquet file each, see hil.results.waveform_file
    tables/         one JSON file each, see hil.results.result_table
    junit.xml       the tests' verdicts, as CI systems read them
    report.html     all of it for people
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hil.errors import ResultsError


@dataclass
class RunDescription:
    """What a run was made with. Filled in as the bench comes up, and written after every change."""

    rig: str
    started_utc: str
    config_file: str = ""
    config_text: str = ""
    board: str = ""
    seed: int | None = None
    """The seed of the virtual bench's noise; None where the bench has none."""
    firmware_path: str = ""
    firmware_sha256: str = ""
    model_crc32: str = ""
    instruments: dict[str, str] = field(default_factory=dict)
    """Role to identity, as the instrument itself states it."""
    versions: dict[str, str] = field(default_factory=dict)
    assumptions: list[str] = field(default_factory=list)
    """What no source gave and was taken for granted, one statement each."""
    bench_assumptions: list[str] = field(default_factory=list)
    """The same, of a bench that is itself a model."""
    finished_utc: str = ""
    exit_status: int | None = None


class RunFolder:
    """Paths of a run's files, and the writing of ``run.json``."""

    def __init__(self, path: Path, description: RunDescription) -> None:
        self.path = path
        self.description = description

    @property
    def journal_path(self) -> Path:
        """``journal.jsonl``."""
        return self.path / "journal.jsonl"

    @property
    def junit_path(self) -> Path:
        """``junit.xml``."""
        return self.path / "junit.xml"

    @property
    def report_path(self) -> Path:
        """``report.html``."""
        return self.path / "report.html"

    @property
    def waveform_folder(self) -> Path:
        """``waveforms``."""
        return self.path / "waveforms"

    @property
    def table_folder(self) -> Path:
        """``tables``."""
        return self.path / "tables"

    def write_description(self) -> None:
        """Write ``run.json``, replacing the earlier one in one step so that a crash leaves the old or the
        new.
        """
        target = self.path / "run.json"
        draft = target.with_suffix(".json.new")
        draft.write_text(json.dumps(asdict(self.description), indent=2, ensure_ascii=False) + "\n", "utf-8")
        draft.replace(target)


def create(results: Path, rig: str) -> RunFolder:
    """Make the folder of a new run under ``results`` and write its first ``run.json``.

    Raises:
        ResultsError: if the folder cannot be made.
    """
    started = datetime.now(UTC)
    name = f"{started:%Y%m%dT%H%M%SZ}-{rig}"
    try:
        results.mkdir(parents=True, exist_ok=True)
        path = _make_first_free(results, name)
    except OSError as error:
        raise ResultsError(
            f"cannot be made ({error.strerror})",
            where=str(results / name),
            operation="create run folder",
            hint="name a writable folder with --results",
        ) from error
    run = RunFolder(path, RunDescription(rig=rig, started_utc=started.isoformat(timespec="seconds")))
    run.write_description()
    run.journal_path.touch()
    return run


def load(path: Path) -> RunFolder:
    """Open the folder of an earlier run.

    Raises:
        ResultsError: if there is no readable ``run.json`` in it.
    """
    try:
        fields: dict[str, Any] = json.loads((path / "run.json").read_text(encoding="utf-8"))
        return RunFolder(path, RunDescription(**fields))
    except (OSError, ValueError, TypeError) as error:
        raise ResultsError(
            f"is not a run folder ({error})",
            where=str(path),
            operation="load",
            expected="a readable run.json",
        ) from error


def _make_first_free(results: Path, name: str) -> Path:
    """Two runs may start in one second: the later one gets a number."""
    number = 1
    while True:
        path = results / (name if number == 1 else f"{name}-{number}")
        try:
            path.mkdir()
        except FileExistsError:
            number += 1
        else:
            return path
