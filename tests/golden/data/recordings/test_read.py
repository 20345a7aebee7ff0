# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nptdms import ChannelObject, TdmsWriter
from scipy.io import wavfile

from hil.errors import RecordingError
from hil.golden.data.recordings import ReadOptions, read_recording
from hil.golden.data.recordings.unit import Unit
from hil.golden.data.sensor import Sensor
from hil.golden.data.vibration import vibration
from hil.golden.features import features

G, VOLTS = Unit.parse("g"), Unit.parse("V")
Writer = Callable[[Path, np.ndarray, float], None]


def write_csv(file: Path, values: np.ndarray, rate_hz: float) -> None:
    times = np.arange(values.size) / rate_hz
    rows = "\n".join(f"{time:.6f},{value:.9g}" for time, value in zip(times, values, strict=True))
    file.write_text(f"time [s],acceleration [g]\n{rows}\n", "utf-8")


def write_tdms(file: Path, values: np.ndarray, rate_hz: float, unit: str = "g", **more: np.ndarray) -> None:
    properties = {"wf_increment": 1 / rate_hz, "unit_string": unit}
    with TdmsWriter(file) as writer:
        channels = {"bearing": values, **more}
        writer.write_segment(
            [ChannelObject("run", name, data, properties) for name, data in channels.items()]
        )


def write_wav(file: Path, values: np.ndarray, rate_hz: float) -> None:
    """2 g are full scale."""
    wavfile.write(file, round(rate_hz), np.rint(values / 2.0 * 32768).astype(np.int16))


def write_npy(file: Path, values: np.ndarray, rate_hz: float) -> None:
    np.save(file, values)


FORMATS: dict[str, tuple[Writer, ReadOptions]] = {
    "a.csv": (write_csv, ReadOptions()),
    "a.tdms": (write_tdms, ReadOptions()),
    "a.wav": (write_wav, ReadOptions(unit=Unit.parse("2 g"))),
    "a.npy": (write_npy, ReadOptions(unit=G, rate_hz=12_800.0)),
}


def machine_g(rate_hz: float, seed: int = 11, fault: str | None = None) -> np.ndarray:
    """A machine's acceleration, as a sensor with a range of its own would record it."""
    recorder = Sensor(sensitivity_v_per_g=1.0, bias_v=0.0, low_v=-50.0, high_v=50.0)
    return vibration(5.0, rate_hz, fault=fault, severity=1.0 if fault else 0.0, seed=seed, sensor=recorder)


def at_2_khz(volts: np.ndarray) -> np.ndarray:
    """Windows of codes out of the middle of a signal at 10 kHz."""
    codes = np.clip(np.rint(volts[5000::5] / 3.0 * 4096), 0, 4095).astype(np.uint16)
    return codes[: 6 * 1024].reshape(6, 1024)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_signal_that_was_recorded(name: str, tmp_path: Path):
    write, options = FORMATS[name]
    write(tmp_path / name, machine_g(12_800.0), 12_800.0)
    recorded = read_recording(tmp_path / name, options)
    assert recorded.rate_hz == pytest.approx(12_800.0, rel=1e-5)
    assert recorded.signal.rate_hz == 10_000.0
    expected = vibration(5.0, 10_000.0, seed=11)
    assert recorded.signal.volts.size == expected.size
    # Away from the edges, and but for what the filter takes between 900 and 960 Hz, the same voltages.
    difference = (recorded.signal.volts - expected)[1000:-1000]
    assert difference.std() < 0.15 * expected.std()
    # So the network sees the same but in the last bands.
    first, second = (features(at_2_khz(volts)).astype(int) for volts in (recorded.signal.volts, expected))
    assert np.abs(first - second)[:, :28].max() <= 1


def test_volts_at_the_pin_stay_what_they_are(tmp_path: Path):
    volts = vibration(2.0, 10_000.0, seed=3)
    np.save(tmp_path / "pin.npy", 1e3 * volts)
    signal = read_recording(tmp_path / "pin.npy", ReadOptions(rate_hz=10_000.0, unit=Unit.parse("mV"))).signal
    assert signal.volts.mean() == pytest.approx(1.5, abs=1e-3)


def test_the_sensor_s_sensitivity_counts(tmp_path: Path):
    np.save(tmp_path / "a.npy", machine_g(10_000.0))
    options = ReadOptions(rate_hz=10_000.0, unit=G)
    half = replace(options, sensor=Sensor(sensitivity_v_per_g=0.4))
    first, second = (read_recording(tmp_path / "a.npy", each).signal.volts for each in (options, half))
    np.testing.assert_allclose(first - 1.5, 2 * (second - 1.5), atol=1e-9)


def test_integers_of_every_width_are_parts_of_full_scale(tmp_path: Path):
    values = 0.5 * np.sin(2 * np.pi * 50 * np.arange(20_000) / 10_000)
    kinds: list[np.ndarray] = [
        np.rint(values * 128 + 128).astype(np.uint8),
        np.rint(values * 2**15).astype(np.int16),
        np.rint(values * 2**31).astype(np.int32),
        values.astype(np.float32),
        values,
    ]
    for kind in kinds:
        wavfile.write(tmp_path / "a.wav", 10_000, kind)
        signal = read_recording(tmp_path / "a.wav", ReadOptions(unit=G)).signal
        assert np.abs(signal.volts[2_000:18_000] - 1.5).max() == pytest.approx(0.4, rel=0.02), kind.dtype


def test_a_channel_is_chosen_by_name_or_number(tmp_path: Path):
    quiet, loud = 0.1 * machine_g(10_000.0), machine_g(10_000.0)
    write_tdms(tmp_path / "two.tdms", quiet, 10_000.0, loud=loud)
    by_name = read_recording(tmp_path / "two.tdms", ReadOptions(channel="run/loud"))
    by_number = read_recording(tmp_path / "two.tdms", ReadOptions(channel="2"))
    assert by_name.channel == by_number.channel == "run/loud"
    assert (
        by_name.signal.volts.std()
        > 5 * read_recording(tmp_path / "two.tdms", ReadOptions(channel="1")).signal.volts.std()
    )
    with pytest.raises(
        RecordingError, match=r"has 2 channels \(1: 'run/bearing', 2: 'run/loud'\); try: state"
    ):
        read_recording(tmp_path / "two.tdms")
    with pytest.raises(RecordingError, match=r"no channel '3'; expected one of 1"):
        read_recording(tmp_path / "two.tdms", ReadOptions(channel="3"))


DAMAGED = 150
STATED = ReadOptions(rate_hz=10_000.0, unit=G)
FINE = 0.1 * np.sin(np.arange(10_000))


def with_value(value: float) -> np.ndarray:
    values = FINE.copy()
    values[1234] = value
    return values


@pytest.mark.parametrize(
    ("values", "options", "told"),
    [
        (with_value(np.nan), STATED, r"1 of 10000 samples are no numbers, the first is sample 1235 \(nan\)"),
        (with_value(np.inf), STATED, r"1 of 10000 samples .* \(inf\)"),
        (FINE[:5000], STATED, r"0.5 s long; expected at least a window, 0.522 s"),
        (FINE[:0], STATED, r"'channel 1' is empty"),
        (np.array(0.5), STATED, r"an array of shape \(\)"),
        (FINE.reshape(10, 10, 100), STATED, r"an array of shape \(10, 10, 100\)"),
        (FINE.reshape(2, 5000), STATED, "has 2 channels"),
        (FINE.astype(complex), STATED, "an array of complex128; expected integers or floats"),
        (FINE > 0, STATED, "an array of bool"),
        (np.array(["0.5"] * 10_000), STATED, "an array of <U3"),
        (np.array([{"a": 1}] * 10), STATED, "no NPY or NPZ file or damaged"),
        (FINE, ReadOptions(unit=G), "states no sampling rate; try: .*--rate"),
        (FINE, ReadOptions(rate_hz=1e4), "'channel 1' has no unit; try: --unit V"),
        (
            FINE,
            replace(STATED, rate_hz=1_000.0),
            "sampled at 1000 Hz; expected at least the firmware's 2000 Hz",
        ),
        (
            50 * FINE,
            STATED,
            r"% of it lies beyond the pin's 0.05 to 2.95 V: it reaches from -.*--sensitivity",
        ),
        (FINE, replace(STATED, unit=VOLTS), r"% of it lies beyond the pin's 0 to 3 V"),
    ],
)
def test_what_is_wrong_is_one_clear_line(values: Any, options: ReadOptions, told: str, tmp_path: Path):
    file = tmp_path / "wrong.npy"
    np.save(file, values, allow_pickle=True)
    with pytest.raises(RecordingError, match=told) as refused:
        read_recording(file, options)
    assert str(refused.value).startswith(f"{file}: read: ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", FORMATS)
def test_the_stated_rate_goes_before_the_file_s_and_the_difference_is_told(name: str, tmp_path: Path):
    write, options = FORMATS[name]
    write(tmp_path / name, machine_g(12_800.0), 12_800.0)
    if name == "a.npy":  # states none
        return
    other = read_recording(tmp_path / name, replace(options, rate_hz=25_600.0))
    assert other.rate_hz == 25_600.0
    assert other.notes == ("the file says 12800 Hz: the stated 25600 Hz are used",)
    assert read_recording(tmp_path / name, replace(options, rate_hz=12_800.0)).notes == ()


@pytest.mark.parametrize("name", FORMATS)
def test_files_cut_off_anywhere_are_refused_or_whole(name: str, tmp_path: Path):
    write, options = FORMATS[name]
    write(tmp_path / name, machine_g(12_800.0)[:8_000], 12_800.0)
    whole = (tmp_path / name).read_bytes()
    samples = read_recording(tmp_path / name, options).signal.volts.size
    for size in [*range(0, 400, 13), len(whole) // 2, len(whole) - 1]:
        (tmp_path / name).write_bytes(whole[:size])
        # A text file that ends between two lines does not show it, but the window's length does.
        if name == "a.csv" and size == len(whole) - 1:
            assert read_recording(tmp_path / name, options).signal.volts.size == samples
            continue
        if name == "a.csv" and size == len(whole) // 2:
            continue
        with pytest.raises(RecordingError) as refused:
            read_recording(tmp_path / name, options)
        assert "\n" not in str(refused.value), size


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_files_give_a_signal_or_one_line(name: str, tmp_path: Path):
    write, options = FORMATS[name]
    write(tmp_path / name, machine_g(12_800.0)[:8_000], 12_800.0)
    whole = (tmp_path / name).read_bytes()
    rng = np.random.default_rng(81)
    refused = accepted = 0
    for _ in range(DAMAGED):
        damaged = bytearray(whole)
        for position in rng.integers(0, 300, 3):
            damaged[position] = rng.integers(0, 256)
        (tmp_path / name).write_bytes(damaged)
        try:
            read_recording(tmp_path / name, options)
        except RecordingError as error:
            refused += "\n" not in str(error)
        else:
            accepted += 1
    assert refused > 10
    assert refused + accepted == DAMAGED


@pytest.mark.parametrize("name", ["a.wav", "a.tdms", "a.npy", "a.csv"])
def test_foreign_files_are_refused(name: str, tmp_path: Path):
    for content in (b"", b"hello\n", bytes(range(256)) * 8, b"\x89PNG\r\n\x1a\n" + bytes(64)):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(RecordingError):
            read_recording(tmp_path / name, STATED)


def test_a_missing_file_and_an_unknown_type_are_named(tmp_path: Path):
    with pytest.raises(RecordingError, match=r"gone\.wav: read: No such file or directory"):
        read_recording(tmp_path / "gone.wav", STATED)
    (tmp_path / "data.bin").write_bytes(bytes(100))
    with pytest.raises(
        RecordingError, match=r"neither ending '\.bin' nor content of a recording; expected a"
    ):
        read_recording(tmp_path / "data.bin", STATED)
