# SPDX-License-Identifier: Apache-2.0
"""One channel as a file holds it, and the error of a file that cannot be used."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy.typing as npt

from hil.errors import RecordingError
from hil.golden.data.recordings.sample_times import SampleTimes


class Layout(StrEnum):
    """What the rows of a table of numbers are."""

    COLUMNS = "columns"
    """Each column is a channel, each row an instant."""
    ROWS = "rows"
    """Each row is a stretch of its own: what lies between two rows was not recorded."""
    STREAM = "stream"
    """The rows follow each other without a gap."""


@dataclass(frozen=True)
class Channel:
    """Numbers of one channel, in the unit of the file."""

    name: str
    values: npt.NDArray[Any]
    """[samples], or [stretches, samples] where the file holds stretches with gaps between them."""
    rate_hz: float | None
    """As the file states it."""
    unit: str | None = None
    """As the file states it."""
    times: SampleTimes | None = None
    """One for each sample; tell the rate unless the user does."""
    notes: tuple[str, ...] = ()
    """What the reader took for granted, to be told."""


def refused(file: Path, message: str, *, expected: str = "", hint: str = "") -> RecordingError:
    """The error for a file that cannot be used; names out of the file may hold line ends."""
    return RecordingError(
        " ".join(message.split()), where=str(file), operation="read", expected=expected, hint=hint
    )


def not_installed(file: Path, package: str) -> RecordingError:
    """The error for a file whose reader is an extra that is missing."""
    return refused(file, f"needs the package {package}", hint="pip install 'hil-rig[recordings]'")
