# SPDX-License-Identifier: Apache-2.0
"""The folder of one run, ``results/<UTC time>-<rig>/``, and the description of what was tested on what.

::

    run.json        the bench: configuration, instruments, image hash, versions, seed, assumptions
    tests.jsonl     what became of every test, see hil.results.test_log
    journal.jsonl   the measurements, see hil.results.journal
    switching.jsonl what was switched, in which order, see hil.rig.switching
    guardian.json   what the guardian did, if it had to, see hil.rig.guardian
    waveforms/      one log each, see hil.results.waveform_file
    tables/         one JSON file each, see hil.results.result_table
    junit.xml       the tests' verdicts, as CI systems read them; nothing of hil-rig reads it
    report.html     all of it for people
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hil.errors import ResultsError, one_line
from hil.places import put_in_place


FORMAT = 2
"""Of ``run.json``. It grows where a field changes its meaning; a new field alone changes nothing."""


@dataclass
class RunDescription:
    """What a run was made with. Filled in as the bench comes up, and written after every change."""

    rig: str
    started_utc: str
    config_file: str = ""
    format: int = FORMAT
    config_text: str = ""
    config_sha256: str = ""
    """Of the rig file as it lies on the disk."""
    board: str = ""
    seed: int | None = None
    """The seed of the virtual bench's noise; None where the bench has none."""
    firmware_path: str = ""
    firmware_sha256: str = ""
    firmware_commit: str = ""
    """Of the git checkout that the image lies in; empty where there is none. The image may be older."""
    firmware_branch: str = ""
    firmware_modified: bool | None = None
    """Whether that checkout had changes that no commit has; None where there is none."""
    firmware_built_with: list[str] = field(default_factory=list)
    """The compilers that the image's debug information names, with their flags as far as it has them."""
    model_crc32: str = ""
    model_sha256: str = ""
    model_source: str = ""
    """Where the network that the image was held against comes from."""
    bring_up: str = ""
    """The results of the bench's bring-up, as their file has them; empty where there was none."""
    instruments: dict[str, str] = field(default_factory=dict)
    """Role to identity, as the instrument itself states it."""
    calibration_dates: dict[str, str] = field(default_factory=dict)
    """Role to the day of the last calibration, ISO 8601, where the rig file names it."""
    calibration_due: dict[str, str] = field(default_factory=dict)
    """Role to the last day on which the calibration holds."""
    versions: dict[str, str] = field(default_factory=dict)
    assumptions: list[str] = field(default_factory=list)
    """What no source gave and was taken for granted, one statement each."""
    bench_assumptions: list[str] = field(default_factory=list)
    """The same, of a bench that is itself a model."""
    bench_remarks: list[str] = field(default_factory=list)
    """What a bench that is itself a model was asked for in the run and does not model."""
    finished_utc: str = ""
    exit_status: int | None = None
    """None while the run has not come to its end, whatever ended it."""
    ended_by: str = ""
    """What ended the run before its time: a signal's name, or its deadline."""
    verdict: str = ""
    """Of :mod:`hil.report.verdicts`; empty while the run has not come to its end."""
    verdict_reason: str = ""
    record_errors: list[str] = field(default_factory=list)
    """What could not be put on the run's record, so that nothing is proven by it."""
    shutdown_errors: list[str] = field(default_factory=list)
    """Steps of the way down that failed, so that an output may still be on."""


class RunFolder:
    """Paths of a run's files, and the writing of ``run.json``."""

    def __init__(
        self, path: Path, description: RunDescription, unknown: Mapping[str, Any] | None = None
    ) -> None:
        self.path = path
        self.description = description
        self.unknown = dict(unknown or {})
        """Fields that a later version has written. They stay in the file."""

    @property
    def journal_path(self) -> Path:
        """``journal.jsonl``."""
        return self.path / "journal.jsonl"

    @property
    def test_log_path(self) -> Path:
        """``tests.jsonl``."""
        return self.path / "tests.jsonl"

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

        Raises:
            ResultsError: it cannot be written; the earlier one is still there.
        """
        text = json.dumps(asdict(self.description) | self.unknown, indent=2, ensure_ascii=False) + "\n"
        replace_file(self.path / "run.json", text)


def replace_file(target: Path, text: str) -> None:
    """Write a file beside ``target`` and put it in its place, so that a reader finds the old or the new one.

    Raises:
        ResultsError: it cannot be written; ``target`` is as it was.
    """
    draft = target.with_name(f"{target.name}.new")
    try:
        draft.write_bytes(text.encode("utf-8", "backslashreplace"))
        put_in_place(draft, target)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise ResultsError(str(error), where=str(target), operation="write") from error


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
    try:
        run.write_description()
    except ResultsError:  # a full disk: no empty folder that looks like a run
        with contextlib.suppress(OSError):
            path.rmdir()
        raise
    return run


def load(path: Path) -> RunFolder:
    """Open the folder of an earlier run, also of another version's: what this one does not know is kept.

    Raises:
        ResultsError: if there is no readable ``run.json`` in it.
    """
    from pydantic import TypeAdapter  # which a run that only writes has no need of

    try:
        described: dict[str, Any] = json.loads((path / "run.json").read_text(encoding="utf-8"))
        known = {item.name for item in fields(RunDescription)}
        description = TypeAdapter(RunDescription).validate_python(
            {name: value for name, value in described.items() if name in known}
        )
        datetime.fromisoformat(description.started_utc)
        datetime.fromisoformat(description.finished_utc or description.started_utc)
    except (AttributeError, OSError, RecursionError, ValueError) as error:  # ValidationError is a ValueError
        raise ResultsError(
            f"is not a run folder ({one_line(error)})",
            where=str(path),
            operation="load",
            expected="a readable run.json",
        ) from error
    unknown = {name: value for name, value in described.items() if name not in known}
    return RunFolder(path, description, unknown)


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
