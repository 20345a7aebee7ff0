# SPDX-License-Identifier: Apache-2.0
"""Recordings as people have them: each shape becomes the signal, or one line that says what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from hil.errors import RecordingError
from hil.golden.data.recordings import Layout, ReadOptions, read_recording
from hil.golden.data.recordings.unit import Unit

RATE_HZ = 4000.0
COUNT = 3000
SECONDS = np.arange(COUNT) / RATE_HZ
WAVE_G = np.sin(2 * np.pi * 70.0 * SECONDS)
G = ReadOptions(unit=Unit.parse("g"))
X = ReadOptions(unit=Unit.parse("g"), channel="x")
STATED = ReadOptions(unit=Unit.parse("g"), rate_hz=RATE_HZ)
ROWS = ReadOptions(unit=Unit.parse("g"), rate_hz=RATE_HZ, layout=Layout.ROWS)
STREAM = ReadOptions(unit=Unit.parse("g"), rate_hz=RATE_HZ, layout=Layout.STREAM)


def lines(head: str, row: Callable[[int, float], str]) -> str:
    return head + "".join(row(number, value) + "\n" for number, value in enumerate(WAVE_G))


def stamp(number: int) -> str:
    return str(np.datetime64("2024-01-01T23:59:59.500000") + number * np.timedelta64(250, "us")).replace(
        "T", " "
    )


def table(width: int) -> str:
    return "".join(",".join(f"{value:.6f}" for value in row) + "\n" for row in WAVE_G.reshape(-1, width))


TEXTS: dict[str, tuple[str, str, ReadOptions]] = {
    "seconds in the name": (
        "a.csv",
        lines("time_s,acc_g\n", lambda n, v: f"{n / RATE_HZ:.5f},{v:.6f}"),
        ReadOptions(),
    ),
    "milliseconds, axes": ("a.csv", lines("timestamp,accX,accY\n", lambda n, v: f"{n / 4:.2f},{v:.6f},0"), X),
    "microseconds": (
        "a.csv",
        lines("Time (us);Vib [g]\n", lambda n, v: f"{n * 250};{v:.6f}".replace(".", ",")),
        G,
    ),
    "ISO stamps": (
        "a.csv",
        lines("datetime,vibration_g\n", lambda n, v: f"{stamp(n)},{v:.6f}"),
        ReadOptions(),
    ),
    "a counter, rate and unit above": (
        "a.csv",
        lines("# Sample rate: 4 kHz\n# Unit: g\nIndex,X\n", lambda n, v: f"{n},{v:.6f}"),
        ReadOptions(),
    ),
    "the head of a measuring program": (
        "a.txt",
        lines("Sampling rate\t4000 Hz\nUnit:\tg\nNo.\tCh1\n", lambda n, v: f"{n + 1}\t{v:.6f}"),
        ReadOptions(),
    ),
    "no ending": (
        "recording",
        lines("# t acc_g\n", lambda n, v: f"{n / RATE_HZ:.5f} {v:.6f}"),
        ReadOptions(),
    ),
    "a separator at each end": ("a.csv", lines("acc_g,\n", lambda n, v: f"{v:.6f},"), STATED),
    "a column of words": ("a.csv", lines("acc_g,state\n", lambda n, v: f"{v:.6f},running"), STATED),
    "rows that go on": ("a.csv", table(8), STREAM),
    "rows of 1000": ("a.csv", table(1000), STREAM),
}


@pytest.mark.parametrize("shape", TEXTS)
def test_a_text_becomes_the_signal(shape: str, tmp_path: Path) -> None:
    name, text, options = TEXTS[shape]
    (tmp_path / name).write_text(text, "utf-8")
    is_the_wave(tmp_path / name, options)


def is_the_wave(file: Path, options: ReadOptions) -> None:
    recorded = read_recording(file, options)
    assert recorded.rate_hz == pytest.approx(RATE_HZ, rel=1e-4)
    volts = recorded.signal.volts
    at_s = np.arange(volts.size) / recorded.signal.rate_hz
    assert recorded.signal.duration_s == pytest.approx(COUNT / RATE_HZ, abs=1e-3)
    expected = 1.5 + 0.8 * np.sin(2 * np.pi * 70.0 * at_s)
    assert np.abs(volts - expected)[1000:-1000].max() < 0.01


def edge_impulse(rate_hz: float = RATE_HZ, **payload: object) -> dict[str, object]:
    sensors = [{"name": "accX", "units": "m/s2"}, {"name": "accY", "units": "m/s2"}]
    values = np.column_stack([9.80665 * WAVE_G, 0 * WAVE_G]).tolist()
    given = {"interval_ms": 1e3 / rate_hz, "sensors": sensors, "values": values, **payload}
    return {"protected": {"ver": "v1"}, "signature": "00", "payload": given}


def test_edge_impulse_s_json(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text(json.dumps(edge_impulse()), "utf-8")
    is_the_wave(file, ReadOptions(channel="accX"))
    for wrong in (
        {"values": [[1, 2], [3]]},
        {"interval_ms": 0},
        {"interval_ms": 10**400},
        {"interval_ms": float("inf")},
        {"values": [1, 2, 3]},
        {"sensors": None},
    ):
        file.write_text(json.dumps(edge_impulse(**wrong)), "utf-8")
        with pytest.raises(RecordingError):
            read_recording(file, ReadOptions(channel="accX"))


def test_matlab_s_files(tmp_path: Path) -> None:
    file = tmp_path / "X097.mat"
    savemat(file, {"X097_DE_time": WAVE_G[:, np.newaxis], "X097RPM": 1796})
    is_the_wave(file, STATED)
    savemat(file, {"bearing": {"sr": RATE_HZ, "gs": WAVE_G, "load": 270}})
    is_the_wave(file, G)
    savemat(file, {"t": SECONDS, "acc": np.column_stack([WAVE_G, 0 * WAVE_G])})
    is_the_wave(file, ReadOptions(unit=G.unit, channel="acc 1"))
    file.write_bytes(b"MATLAB 7.3 MAT-file, " + bytes(600))
    with pytest.raises(RecordingError, match=r"MAT file") as refused:
        read_recording(file, STATED)
    assert "\n" not in str(refused.value)


def test_numpy_s_archives(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", fs=RATE_HZ, vibration=WAVE_G)
    is_the_wave(tmp_path / "a.npz", G)
    np.savez(tmp_path / "b.npz", time=SECONDS * 1e3, x=WAVE_G, y=0 * WAVE_G)
    is_the_wave(tmp_path / "b.npz", X)
    np.savez(tmp_path / "c.npz", words=np.array(["a"]))
    with pytest.raises(RecordingError, match="holds no array of numbers"):
        read_recording(tmp_path / "c.npz", STATED)


@pytest.mark.parametrize("ending", ["csv", "npy"])
def test_each_row_a_stretch_of_its_own(ending: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    windows = rng.normal(0.0, 0.1, (30, 2048))  # 512 ms at 4 kHz, the firmware's own window
    file = tmp_path / f"regular.{ending}"
    if ending == "csv":
        np.savetxt(file, windows, fmt="%.4f", delimiter=",")
    else:
        np.save(file, windows)
    recorded = read_recording(file, STATED)
    assert len(recorded.stretches) == 30
    assert all(stretch.duration_s >= 0.522 for stretch in recorded.stretches)
    (note,) = recorded.notes
    assert note == "30 rows of 2048 numbers without names: each row read as a stretch of its own"
    with pytest.raises(RecordingError, match=r"each row is 0.205 s long; .*--layout stream, if the rows"):
        read_recording(file, ReadOptions(unit=G.unit, rate_hz=10_000.0))


def test_axes_that_are_interleaved_in_a_row(tmp_path: Path) -> None:
    file = tmp_path / "regular.csv"
    interleaved = np.column_stack([0 * WAVE_G, WAVE_G, 0 * WAVE_G]).reshape(1, -1)
    np.savetxt(file, np.repeat(interleaved, 2, axis=0), fmt="%.6f", delimiter=" ")
    recorded = read_recording(file, ReadOptions(unit=G.unit, rate_hz=RATE_HZ, axes=3, channel="axis 2"))
    assert [stretch.duration_s for stretch in recorded.stretches] == [pytest.approx(0.75)] * 2
    assert recorded.signal.volts.std() == pytest.approx(0.8 / np.sqrt(2), rel=0.02)
    with pytest.raises(RecordingError, match="rows of 9000 numbers; expected a multiple of the 7"):
        read_recording(file, ReadOptions(unit=G.unit, rate_hz=RATE_HZ, axes=7))


def test_a_table_of_few_columns_without_names_is_a_question(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(table(8), "utf-8")
    with pytest.raises(
        RecordingError, match=r"has 8 columns without names; .*--layout rows .*--channel 1 to 8"
    ):
        read_recording(tmp_path / "a.csv", STATED)


def test_many_channels_are_not_all_listed(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **{f"sensor{index}": WAVE_G for index in range(400)})
    with pytest.raises(RecordingError, match="has 400 channels") as refused:
        read_recording(tmp_path / "a.npz", STATED)
    assert len(str(refused.value)) < 400


def test_what_the_user_states_goes_before_the_file_and_is_told(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(TEXTS["a counter, rate and unit above"][1], "utf-8")
    recorded = read_recording(file, ReadOptions(rate_hz=2000.0, unit=Unit.parse("0.5 g")))
    assert recorded.rate_hz == 2000.0
    assert recorded.notes == (
        "the file says 4000 Hz: the stated 2000 Hz are used",
        "'X' is in 'g' by the file: the stated unit is used",
    )
    gap = TEXTS["seconds in the name"][1].replace("0.01250,", "0.01290,")
    file.write_text(gap, "utf-8")
    with pytest.raises(RecordingError, match=r"uneven times: between samples 50 and 51 lie 2\.60 periods"):
        read_recording(file)
    (note,) = read_recording(file, ReadOptions(rate_hz=RATE_HZ)).notes
    assert note.endswith("its times are not used, --rate is")
