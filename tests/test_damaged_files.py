# SPDX-License-Identifier: Apache-2.0
"""Each file from outside, damaged at random: it is read, or refused with an error of our own.

``HIL_MUTATIONS=10000`` damages each kind of file so often; ``HIL_SEED`` repeats a run.
"""

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from random import randrange
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat, wavfile

from hil.config import load_rig
from hil.errors import HilError
from hil.firmware.build import build
from hil.firmware.image import Image
from hil.golden.data.recordings.read import ReadOptions, read_recording
from hil.golden.data.recordings.unit import Unit
from hil.golden.tflite_model import read_model_file
from hil.measurement.limit import Limit
from hil.measurement.measurement import Measurement
from hil.measurement.phases import Phase, PhaseName
from hil.measurement.waveform import Waveform
from hil.pytest_plugin import requirements
from hil.results import journal, result_table, run, test_log, waveform_file
from hil.results.result_table import Cell, ResultTable, Row
from hil.results.waveform_file import StoredWaveform

REPOSITORY = Path(__file__).resolve().parents[1]

HOSTILE = [
    *(b"nan", b"inf", b"-1", b"0", b"1e400", b"9" * 400, b'""', b"null", b"true", b"[]", b"{}", b'"'),
    *(b"[" * 3000, b"\x00", b"\xff\xfe", b"\x1b[2J", b"</script>", b"\r\n", b"\xed\xa0\x80"),
    *(b"1e20", b"=", b","),
]
"""What is written in the place of a word."""


def damaged(content: bytes, rng: random.Random) -> bytes:
    """``content`` with one to three damages."""
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(content) + 1)
        length = min(rng.choice([1, 1, 4, 16, 200]), len(content) - at)
        match rng.randrange(6):
            case 0:
                content = content[:at]
            case 1:
                content = content[:at] + content[at + length :]
            case 2:
                content = content[: at + length] + content[at:]
            case 3:
                content = content[:at] + rng.randbytes(length) + content[at + length :]
            case 4:
                content = content[:at] + rng.choice(HOSTILE) + content[at + length :]
            case _:
                words = content.split(b" ")
                words[rng.randrange(len(words))] = rng.choice(HOSTILE)
                content = b" ".join(words)
    return content


def a_journal(path: Path) -> None:
    with journal.Journal(path) as written:
        for value in (1e-6, 2e-6):
            written.append("a.py::test", Measurement("i", value, "A", 1e-9, Limit.at_most(3e-6, "table 45")))


def a_test_log(path: Path) -> None:
    log = test_log.TestLog(path)
    log.collected(["a.py::test"], 0)
    log.started("a.py::test")
    log.phase("a.py::test", "setup", "passed", message="", duration_s=0.5, bench_error=False)
    log.finished("a.py::test")
    log.close()


def a_table(path: Path) -> None:
    row = Row("80 MHz", (Cell(1.0, 0.1, "C"), Cell(text="no")))
    result_table.save(path, ResultTable("plans", "Plan", ("charge", "cheapest"), (row,)))


def a_waveform(path: Path) -> None:
    waveform = Waveform(1.0, 1e-3, np.linspace(1e-6, 1e-3, 200))
    phases = (Phase(PhaseName.SLEEP, 1.0, 1.1, 1e-6, 5e-8),)
    waveform_file.save(path, StoredWaveform("w", waveform, phases, 3.0))


def a_run(path: Path) -> None:
    folder = run.create(path.parent / "made", "sim")
    path.write_bytes((folder.path / "run.json").read_bytes())


SIGNAL_V = (1.5 + 0.5 * np.sin(np.arange(6000) / 9.0)).astype(np.float32)


def a_csv(path: Path) -> None:
    path.write_text("x [V]\n" + "\n".join(f"{value:.4f}" for value in SIGNAL_V), "utf-8")


ARRAYS = {"x": SIGNAL_V, "fs": 6000.0}
NESTED = {"run": {**ARRAYS, "notes": ["bench", "2"]}}


def an_edge_impulse_file(path: Path) -> None:
    sensors = [{"name": "x", "units": "V"}]
    payload = {"interval_ms": 1 / 6, "sensors": sensors, "values": SIGNAL_V[:, np.newaxis].tolist()}
    path.write_text(json.dumps({"payload": payload}), "utf-8")


def recording(path: Path) -> Any:
    return read_recording(path, ReadOptions(rate_hz=6000.0, unit=Unit.parse("V")))


def copied(source: str) -> Callable[[Path], None]:
    return lambda path: path.write_bytes((REPOSITORY / source).read_bytes()) and None


KINDS: dict[str, tuple[str, Callable[[Path], None], Callable[[Path], Any]]] = {
    "rig": ("rig.toml", copied("rig_configs/sim.toml"), lambda path: load_rig(str(path))),
    "requirements": ("requirements.toml", copied("firmware/requirements.toml"), requirements.load),
    "model": ("model.tflite", copied("firmware/model/anomaly.tflite"), read_model_file),
    "image": ("image.elf", lambda path: path.write_bytes(build().read_bytes()) and None, Image.load),
    "CSV": ("r.csv", a_csv, recording),
    "WAV": ("r.wav", lambda path: wavfile.write(path, 6000, SIGNAL_V), recording),
    "NPZ": ("r.npz", lambda path: np.savez_compressed(path, x=SIGNAL_V, fs=6000), recording),
    "MAT 4": ("r.mat", lambda path: savemat(path, ARRAYS, format="4"), recording),
    "MAT 5": ("r.mat", lambda path: savemat(path, NESTED), recording),
    "MAT 7": ("r.mat", lambda path: savemat(path, NESTED, do_compression=True), recording),
    "JSON": ("r.json", an_edge_impulse_file, recording),
    "NPY": ("r.npy", lambda path: np.save(path, SIGNAL_V), recording),
    "journal": ("journal.jsonl", a_journal, journal.read),
    "tests": ("tests.jsonl", a_test_log, test_log.read),
    "run": ("run.json", a_run, lambda path: run.load(path.parent)),
    "table": ("table.json", a_table, result_table.load),
    "waveform": ("w.hlog", a_waveform, waveform_file.load),
}
"""Each kind of file: its name, what writes a sound one, what reads it."""


@pytest.mark.filterwarnings("ignore")  # a reader's words about a damaged file
@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_is_read_or_refused(kind: str, tmp_path: Path) -> None:
    mutations = int(os.environ.get("HIL_MUTATIONS", "150"))
    seed = int(os.environ.get("HIL_SEED", "") or randrange(10**6))
    print(f"HIL_SEED={seed}")
    name, write, read = KINDS[kind]
    path = tmp_path / name
    write(path)
    sound = path.read_bytes()
    read(path)
    rng = random.Random(seed)
    for number in range(mutations):
        path.write_bytes(damaged(sound, rng))
        told = ""
        try:
            read(path)
        except HilError as error:
            told = str(error)
        except Exception as error:
            raise AssertionError(f"mutation {number} of seed {seed}: {type(error).__name__}") from error
        assert "\n" not in told, f"mutation {number} of seed {seed}: more than a line"
