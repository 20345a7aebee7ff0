# SPDX-License-Identifier: Apache-2.0
"""A waveform on disk: a log (:mod:`hil.results.log_file`) of its currents, with what is said about it.

The description holds name, beginning, sampling period, supply voltage and phases. A log can be appended while it
is measured, and opened later with constant memory; ``hil waveform`` writes it for other programs.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from hil.errors import ResultsError, one_line
from hil.measurement.phases import Phase, PhaseName
from hil.measurement.waveform import Waveform
from hil.places import put_in_place
from hil.results.log_file import LogFile, LogWriter

SUFFIX = ".hlog"
_PHASE_NUMBERS = ("start_s", "end_s", "mean_a", "charge_c")


@dataclass(frozen=True)
class StoredWaveform:
    """A waveform with what was said about it."""

    name: str
    waveform: Waveform
    phases: tuple[Phase, ...]
    supply_voltage_v: float
    """Measured at the device while the waveform was taken; for energies."""


class WaveformWriter:
    """Appends a current to disk as it is measured. Close it, or use it as a context.

    What was appended is there also if the process is killed, but for the last second.
    """

    def __init__(
        self, path: Path, name: str, *, start_s: float, period_s: float, supply_voltage_v: float
    ) -> None:
        """Begin the file, in place of an earlier one.

        Args:
            path: of the file.
            name: of the waveform, for the report.
            start_s: beginning of the first sample on the bench clock.
            period_s: sampling period.
            supply_voltage_v: at the device.

        Raises:
            ResultsError: it cannot be written.
        """
        self._described = {
            "name": name,
            "quantity": "current_a",
            "start_s": start_s,
            "period_s": period_s,
            "supply_voltage_v": supply_voltage_v,
            "phases": [],
        }
        self._log = LogWriter(path, self._described)

    def append(self, current_a: NDArray[Any]) -> None:
        """Take the next samples, in amperes. They are stored as float32: to six parts in 10^8.

        Raises:
            ResultsError: they cannot be written, or one of them is no finite number.
        """
        self._log.append(current_a)

    def phases(self, phases: Iterable[Phase]) -> None:
        """State the phases, in place of earlier ones."""
        rows = [
            {"name": str(phase.name)} | {key: getattr(phase, key) for key in _PHASE_NUMBERS}
            for phase in phases
        ]
        self._log.describe(self._described | {"phases": rows})

    def close(self) -> None:
        """Write what is left."""
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True)
class OpenWaveform:
    """A waveform that stays on the disk, also one whose writer was killed."""

    log: LogFile
    name: str
    start_s: float
    period_s: float
    phases: tuple[Phase, ...]
    supply_voltage_v: float
    samples: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "samples", self.log.samples)

    def read(self, first: int, last: int) -> Waveform:
        """Samples ``first`` to ``last`` (exclusive).

        Raises:
            ResultsError: they are damaged.
        """
        try:
            current_a = self.log.read(first, last).astype(np.float64)
            return Waveform(self.start_s + first * self.period_s, self.period_s, current_a)
        except ValueError as error:
            raise ResultsError(str(error), where=str(self.log.path), operation="load waveform") from error

    def chunks(self) -> Iterator[NDArray[np.float32]]:
        """All samples, in amperes, a part at a time.

        Raises:
            ResultsError: they are damaged.
        """
        for _, chunk in self.log.chunks():
            yield chunk


def save(path: Path, stored: StoredWaveform) -> None:
    """Write a waveform; an existing file is replaced in one step.

    Raises:
        ResultsError: if the file cannot be written.
    """
    waveform = stored.waveform
    draft = path.with_name(f"{path.name}.new")
    with WaveformWriter(
        draft,
        stored.name,
        start_s=waveform.start_s,
        period_s=waveform.period_s,
        supply_voltage_v=stored.supply_voltage_v,
    ) as writer:
        if stored.phases:
            writer.phases(stored.phases)
        writer.append(waveform.current_a)
    try:
        put_in_place(draft, path)
    except OSError as error:
        raise ResultsError(str(error), where=str(path), operation="save waveform") from error


@contextmanager
def opened(path: Path) -> Iterator[OpenWaveform]:
    """Open a waveform; its samples stay on the disk.

    Raises:
        ResultsError: the file is no waveform.
    """
    with LogFile(path) as log:
        yield _described(log)


def load(path: Path) -> StoredWaveform:
    """Read a whole waveform back.

    Raises:
        ResultsError: if the file is not a waveform written by :func:`save`.
    """
    with opened(path) as kept:
        return StoredWaveform(kept.name, kept.read(0, kept.samples), kept.phases, kept.supply_voltage_v)


def write_csv(path: Path, kept: OpenWaveform) -> None:
    """Write time and current in two columns with their units, for other programs.

    Raises:
        ResultsError: if the file cannot be written.
    """
    draft = path.with_name(f"{path.name}.new")
    try:
        with draft.open("w", encoding="ascii", newline="\n") as file:
            file.write("time_s,current_a\n")
            first = 0
            for chunk in kept.chunks():
                times_s = kept.start_s + (first + np.arange(chunk.size)) * kept.period_s
                np.savetxt(file, np.column_stack((times_s, chunk)), ("%.12g", "%.9g"), delimiter=",")
                first += chunk.size
        put_in_place(draft, path)
    except OSError as error:
        raise ResultsError(str(error), where=str(path), operation="write waveform") from error


def write_parquet(path: Path, kept: OpenWaveform) -> None:
    """Write time and current as two columns of a Parquet file, a row group for each chunk; needs pyarrow.

    Raises:
        ResultsError: the file cannot be written, or pyarrow is not installed.
    """
    try:
        arrow, parquet = (importlib.import_module(name) for name in ("pyarrow", "pyarrow.parquet"))
    except ImportError as error:
        raise ResultsError(
            "pyarrow is not installed",
            where=str(path),
            operation="write waveform",
            hint="pip install 'hil-rig[parquet]', or write CSV",
        ) from error
    schema = arrow.schema([("time_s", arrow.float64()), ("current_a", arrow.float32())])
    draft = path.with_name(f"{path.name}.new")
    try:
        with parquet.ParquetWriter(str(draft), schema) as writer:
            first = 0
            for chunk in kept.chunks():
                times_s = kept.start_s + (first + np.arange(chunk.size)) * kept.period_s
                writer.write_table(arrow.table([times_s, chunk], schema=schema))
                first += chunk.size
        put_in_place(draft, path)
    except OSError as error:
        raise ResultsError(str(error), where=str(path), operation="write waveform") from error


def _described(log: LogFile) -> OpenWaveform:
    described = log.description
    try:
        if described["quantity"] != "current_a":
            raise ValueError(f"it holds {described['quantity']!r}")
        phases = tuple(
            Phase(PhaseName(row["name"]), *(float(row[key]) for key in _PHASE_NUMBERS))
            for row in described["phases"]
        )
        start_s, period_s, supply_voltage_v = (
            float(described[key]) for key in ("start_s", "period_s", "supply_voltage_v")
        )
        numbers: Sequence[float] = (start_s, period_s, supply_voltage_v, *_numbers(phases))
        if not all(math.isfinite(value) for value in numbers) or not period_s > 0:
            raise ValueError("a number that is not finite")
        return OpenWaveform(log, str(described["name"]), start_s, period_s, phases, supply_voltage_v)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise ResultsError(
            f"is no waveform ({type(error).__name__}: {one_line(error)})",
            where=str(log.path),
            operation="load waveform",
        ) from error


def _numbers(phases: Iterable[Phase]) -> list[float]:
    return [getattr(phase, key) for phase in phases for key in _PHASE_NUMBERS]
