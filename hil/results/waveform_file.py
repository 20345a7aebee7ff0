# SPDX-License-Identifier: Apache-2.0
"""A waveform on disk: a NumPy archive with the array ``current_a`` and, as JSON, ``description``.

The description holds name, beginning, sampling period, supply voltage and phases. ``numpy.load`` reads such a
file anywhere; ``hil waveform`` writes it as CSV for a spreadsheet, MATLAB or a data frame.
"""

from __future__ import annotations

import json
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hil.errors import ResultsError, one_line
from hil.measurement.phases import Phase, PhaseName
from hil.measurement.waveform import Waveform
from hil.places import put_in_place

SUFFIX = ".npz"
_DAMAGES = (
    *(ArithmeticError, AttributeError, EOFError, IndexError, KeyError, MemoryError, NotImplementedError),
    *(OSError, RecursionError, RuntimeError, SyntaxError, TypeError, ValueError, struct.error),
)
"""What NumPy, zipfile and json say of a damaged file."""


@dataclass(frozen=True)
class StoredWaveform:
    """A waveform with what was said about it."""

    name: str
    waveform: Waveform
    phases: tuple[Phase, ...]
    supply_voltage_v: float
    """Measured at the device while the waveform was taken; for energies."""


def save(path: Path, stored: StoredWaveform) -> None:
    """Write a waveform; an existing file is replaced.

    Raises:
        ResultsError: if the file cannot be written.
    """
    described = {
        "name": stored.name,
        "start_s": stored.waveform.start_s,
        "period_s": stored.waveform.period_s,
        "supply_voltage_v": stored.supply_voltage_v,
        "phases": [
            {
                "name": str(phase.name),
                "start_s": phase.start_s,
                "end_s": phase.end_s,
                "mean_a": phase.mean_a,
                "charge_c": phase.charge_c,
            }
            for phase in stored.phases
        ],
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.new")
        with draft.open("wb") as file:
            np.savez_compressed(
                file, current_a=stored.waveform.current_a, description=np.array(json.dumps(described))
            )
        put_in_place(draft, path)
    except OSError as error:
        raise ResultsError(str(error), where=str(path), operation="save waveform") from error


def load(path: Path) -> StoredWaveform:
    """Read a waveform back.

    Raises:
        ResultsError: if the file is not a waveform written by :func:`save`.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ValueError("a single array")
            described = json.loads(str(archive["description"][()]))
            current_a = archive["current_a"]
        if current_a.ndim != 1 or current_a.dtype != np.float64:
            raise ValueError(f"currents of type {current_a.dtype} in {current_a.ndim} dimensions")
        waveform = Waveform(float(described["start_s"]), float(described["period_s"]), current_a)
        phases = tuple(
            Phase(
                PhaseName(p["name"]), *(float(p[key]) for key in ("start_s", "end_s", "mean_a", "charge_c"))
            )
            for p in described["phases"]
        )
        supply_voltage_v = float(described["supply_voltage_v"])
        if not all(math.isfinite(value) for value in (supply_voltage_v, *_numbers(phases))):
            raise ValueError("a number that is not finite")
        return StoredWaveform(str(described["name"]), waveform, phases, supply_voltage_v)
    except (*_DAMAGES, zipfile.BadZipFile, zlib.error, tokenize.TokenError) as error:
        raise ResultsError(
            f"is no waveform ({type(error).__name__}: {one_line(error)})",
            where=str(path),
            operation="load waveform",
        ) from error


def write_csv(path: Path, stored: StoredWaveform) -> None:
    """Write time and current in two columns with their units, for other programs.

    Raises:
        ResultsError: if the file cannot be written.
    """
    columns = np.column_stack((stored.waveform.times_s, stored.waveform.current_a))
    draft = path.with_name(f"{path.name}.new")
    try:
        np.savetxt(draft, columns, "%.12g", delimiter=",", header="time_s,current_a", comments="")
        put_in_place(draft, path)
    except OSError as error:
        raise ResultsError(str(error), where=str(path), operation="write waveform") from error


def _numbers(phases: Iterable[Phase]) -> list[float]:
    return [value for phase in phases for value in (phase.start_s, phase.end_s, phase.mean_a, phase.charge_c)]
