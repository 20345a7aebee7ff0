# SPDX-License-Identifier: Apache-2.0
import json
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
    path = tmp_path / "waveforms" / "duty_cycle.npz"
    waveform_file.save(path, STORED)
    loaded = waveform_file.load(path)
    assert loaded.waveform.current_a.tobytes() == STORED.waveform.current_a.tobytes()
    assert (loaded.waveform.start_s, loaded.waveform.period_s) == (100.25, 102.4e-6)
    assert (loaded.name, loaded.phases, loaded.supply_voltage_v) == ("duty cycle", STORED.phases, 3.0004)


def test_numpy_alone_reads_it(tmp_path: Path) -> None:
    waveform_file.save(tmp_path / "w.npz", STORED)
    with np.load(tmp_path / "w.npz") as archive:
        assert archive["current_a"].shape == (5000,)
        assert json.loads(str(archive["description"]))["period_s"] == 102.4e-6


def test_the_same_waveform_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        waveform_file.save(tmp_path / name, STORED)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_other_programs_get_columns_with_their_units(tmp_path: Path) -> None:
    waveform_file.save(tmp_path / "w.npz", STORED)
    done = CliRunner().invoke(_typer, ["waveform", str(tmp_path / "w.npz")])
    assert done.exit_code == 0, done.output
    lines = (tmp_path / "w.csv").read_text("ascii").splitlines()
    assert lines[0] == "time_s,current_a"
    columns = np.loadtxt(lines[1:], delimiter=",")
    assert columns[:, 0] == pytest.approx(STORED.waveform.times_s, abs=1e-9)
    assert columns[:, 1] == pytest.approx(STORED.waveform.current_a, rel=1e-11)


def of_another_array(path: Path) -> None:
    np.savez(path, current_a=np.ones(3))


def of_whole_numbers(path: Path) -> None:
    np.savez(path, current_a=np.ones(3, int), description=np.array("{}"))


def of_one_array(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.ones(3))


def of_objects(path: Path) -> None:
    np.savez(path, current_a=np.array([{}], object), description=np.array("{}"), allow_pickle=True)


def of_text(path: Path) -> None:
    path.write_bytes(b"no archive")


@pytest.mark.parametrize("write", [of_another_array, of_whole_numbers, of_one_array, of_objects, of_text])
def test_a_foreign_file_is_refused(write: Callable[[Path], None], tmp_path: Path) -> None:
    write(tmp_path / "w.npz")
    with pytest.raises(ResultsError, match="is no waveform"):
        waveform_file.load(tmp_path / "w.npz")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "waveforms").write_text("a file where the folder should be", "utf-8")
    with pytest.raises(ResultsError, match="save waveform"):
        waveform_file.save(tmp_path / "waveforms" / "w.npz", STORED)
