# SPDX-License-Identifier: Apache-2.0
"""A waveform on disk: Parquet with columns ``time_s`` and ``current_a``; phases and units in the file's
metadata.

Parquet opens in pandas, DuckDB, MATLAB and Excel's Power Query; the metadata keys begin with ``hil.``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hil.errors import ResultsError, one_line
from hil.measurement.phases import Phase, PhaseName
from hil.measurement.waveform import Waveform
from hil.places import put_in_place

METADATA_KEY = b"hil.waveform"


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
        "units": {"time_s": "s", "current_a": "A"},
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
    schema = pa.schema([("time_s", pa.float64()), ("current_a", pa.float64())])
    table = pa.table(
        {"time_s": stored.waveform.times_s, "current_a": stored.waveform.current_a}, schema=schema
    ).replace_schema_metadata({METADATA_KEY: json.dumps(described).encode()})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.new")
        pq.write_table(table, draft, compression="zstd", use_dictionary=False)
        put_in_place(draft, path)
    except OSError as error:
        raise ResultsError(str(error), where=str(path), operation="save waveform") from error


def load(path: Path) -> StoredWaveform:
    """Read a waveform back.

    Raises:
        ResultsError: if the file is not a waveform written by :func:`save`.
    """
    try:
        # The file as bytes: what is wrong with it is then Arrow's to say, not the file system's.
        table = pq.read_table(pa.BufferReader(path.read_bytes()))
        metadata = table.schema.metadata or {}
        if METADATA_KEY not in metadata:
            raise ValueError(f"a Parquet file without the key {METADATA_KEY.decode()}")
        described = json.loads(metadata[METADATA_KEY])
        waveform = Waveform(
            float(described["start_s"]),
            float(described["period_s"]),
            table.column("current_a").to_numpy().astype(np.float64),
        )
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
    except (
        AttributeError, KeyError, MemoryError, OSError, OverflowError, RecursionError, TypeError, ValueError,
        pa.ArrowException,
    ) as error:  # fmt: skip
        raise ResultsError(
            f"is no waveform ({type(error).__name__}: {one_line(error)})", where=str(path), operation="load waveform"
        ) from error


def _numbers(phases: Iterable[Phase]) -> list[float]:
    return [
        value for phase in phases for value in (phase.start_s, phase.end_s, phase.mean_a, phase.charge_c)
    ]
