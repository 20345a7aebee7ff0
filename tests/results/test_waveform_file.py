# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hil.errors import ResultsError
from hil.measurement.phases import Phase, PhaseName
from hil.measurement.waveform import Waveform
from hil.results import waveform_file
from hil.results.waveform_file import StoredWaveform

STORED = StoredWaveform(
    "duty cycle",
    Waveform(100.25, 102.4e-6, np.random.default_rng(2).uniform(1e-6, 1e-2, 5000)),
    (
        Phase(PhaseName.SLEEP, 100.25, 100.3, 1e-6, 5e-8),
        Phase(PhaseName.SAMPLING, 100.3, 100.762, 2e-4, 9e-5),
    ),
    3.0004,
)


def test_what_is_saved_is_loaded_to_the_bit(tmp_path: Path) -> None:
    path = tmp_path / "waveforms" / "duty_cycle.parquet"
    waveform_file.save(path, STORED)
    loaded = waveform_file.load(path)
    assert loaded.waveform.current_a.tobytes() == STORED.waveform.current_a.tobytes()
    assert (loaded.waveform.start_s, loaded.waveform.period_s) == (100.25, 102.4e-6)
    assert (loaded.name, loaded.phases, loaded.supply_voltage_v) == ("duty cycle", STORED.phases, 3.0004)


def test_any_parquet_reader_finds_the_columns(tmp_path: Path) -> None:
    waveform_file.save(tmp_path / "w.parquet", STORED)
    table = pq.read_table(tmp_path / "w.parquet")
    assert table.column_names == ["time_s", "current_a"]
    assert table["time_s"][1].as_py() == pytest.approx(100.25 + 102.4e-6)


def test_a_foreign_parquet_file_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"current_a": [1.0]}), tmp_path / "w.parquet")
    with pytest.raises(ResultsError, match="without the key"):
        waveform_file.load(tmp_path / "w.parquet")


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w.parquet").write_bytes(b"not parquet")
    with pytest.raises(ResultsError, match="load waveform"):
        waveform_file.load(tmp_path / "w.parquet")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "waveforms").write_text("a file where the folder should be", "utf-8")
    with pytest.raises(ResultsError, match="save waveform"):
        waveform_file.save(tmp_path / "waveforms" / "w.parquet", STORED)
