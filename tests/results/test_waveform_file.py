# SPDX-License-Identifier: Apache-2.0
import json
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from hil.cli.app import _typer
from hil.errors import ResultsError
from hil.measurement.phases import Phase, PhaseName
from hil.measurement.waveform import Waveform
from hil.results import waveform_file
from hil.results.log_file import LogWriter
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


def test_what_is_saved_is_loaded_as_float32(tmp_path: Path) -> None:
    path = tmp_path / "waveforms" / "duty_cycle.hlog"
    waveform_file.save(path, STORED)
    loaded = waveform_file.load(path)
    assert (loaded.waveform.current_a == STORED.waveform.current_a.astype(np.float32)).all()
    assert (loaded.waveform.start_s, loaded.waveform.period_s) == (100.25, 102.4e-6)
    assert (loaded.name, loaded.phases, loaded.supply_voltage_v) == ("duty cycle", STORED.phases, 3.0004)


def test_zlib_and_numpy_alone_read_it_as_the_documentation_says(tmp_path: Path) -> None:
    waveform_file.save(tmp_path / "w.hlog", STORED)
    data = (tmp_path / "w.hlog").read_bytes()
    assert data[:8] == b"HILLOG1\n"
    offset, parts, described = 8, [], {}
    while data[offset : offset + 1] != b"I":
        kind, _, _, first, count, length, _ = struct.unpack_from("<cBHQIII", data, offset)
        content = data[offset + 24 : offset + 24 + length]
        offset += 24 + length
        if kind == b"D":
            described = json.loads(zlib.decompress(content))
        elif kind == b"S":
            assert first == sum(part.size for part in parts)
            (deflated,) = struct.unpack_from("<I", content)
            upper = np.frombuffer(zlib.decompress(content[4 : 4 + deflated], -15), "<u2")
            lower = np.frombuffer(content[4 + deflated :], "<u2")
            parts.append((upper.astype("<u4") << 16 | lower).view("<f4"))
    assert (np.concatenate(parts) == STORED.waveform.current_a.astype(np.float32)).all()
    assert described["period_s"] == 102.4e-6


def test_the_same_waveform_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.hlog", "b.hlog"):
        waveform_file.save(tmp_path / name, STORED)
    assert (tmp_path / "a.hlog").read_bytes() == (tmp_path / "b.hlog").read_bytes()


def test_other_programs_get_columns_with_their_units(tmp_path: Path) -> None:
    waveform_file.save(tmp_path / "w.hlog", STORED)
    done = CliRunner().invoke(_typer, ["waveform", str(tmp_path / "w.hlog")])
    assert done.exit_code == 0, done.output
    lines = (tmp_path / "w.csv").read_text("ascii").splitlines()
    assert lines[0] == "time_s,current_a"
    columns = np.loadtxt(lines[1:], delimiter=",")
    assert columns[:, 0] == pytest.approx(STORED.waveform.times_s, abs=1e-9)
    assert columns[:, 1] == pytest.approx(STORED.waveform.current_a, rel=1e-7)


def test_parquet_has_the_same_columns(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="an extra")
    waveform_file.save(tmp_path / "w.hlog", STORED)
    done = CliRunner().invoke(
        _typer, ["waveform", str(tmp_path / "w.hlog"), "--output", str(tmp_path / "w.parquet")]
    )
    assert done.exit_code == 0, done.output
    table = parquet.read_table(tmp_path / "w.parquet")
    assert table.column_names == ["time_s", "current_a"]
    assert table["time_s"].to_numpy() == pytest.approx(STORED.waveform.times_s)
    assert (table["current_a"].to_numpy() == STORED.waveform.current_a.astype(np.float32)).all()


def test_parquet_without_pyarrow_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    waveform_file.save(tmp_path / "w.hlog", STORED)
    with (
        waveform_file.opened(tmp_path / "w.hlog") as kept,
        pytest.raises(ResultsError, match=r"hil-rig\[parquet\]"),
    ):
        waveform_file.write_parquet(tmp_path / "w.parquet", kept)


def of_text(path: Path) -> None:
    path.write_bytes(b"no log")


def of_nothing(path: Path) -> None:
    path.write_bytes(b"")


def of_no_samples(path: Path) -> None:
    LogWriter(path, {"quantity": "current_a"}).close()


def of_another_quantity(path: Path) -> None:
    with LogWriter(path, {"quantity": "voltage_v"}) as log:
        log.append(np.ones(3))


def of_no_period(path: Path) -> None:
    with LogWriter(path, {"quantity": "current_a", "phases": [], "period_s": 0}) as log:
        log.append(np.ones(3))


@pytest.mark.parametrize("write", [of_text, of_nothing, of_no_samples, of_another_quantity, of_no_period])
def test_a_foreign_file_is_refused(write: Callable[[Path], None], tmp_path: Path) -> None:
    write(tmp_path / "w.hlog")
    with pytest.raises(ResultsError, match="is no waveform"):
        waveform_file.load(tmp_path / "w.hlog")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "waveforms").write_text("a file where the folder should be", "utf-8")
    with pytest.raises(ResultsError, match="save waveform"):
        waveform_file.save(tmp_path / "waveforms" / "w.hlog", STORED)
