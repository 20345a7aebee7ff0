# SPDX-License-Identifier: Apache-2.0
"""A file becomes a signal at the sensor's pin, or an error that says in a line what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hil.errors import QuantityError
from hil.golden.data.analog_path import WINDOW_S
from hil.golden.data.pin_signal import PinSignal
from hil.golden.data.recordings.channel import Channel, refused
from hil.golden.data.recordings.csv_file import read_csv
from hil.golden.data.recordings.npy_file import read_npy
from hil.golden.data.recordings.resample import at_the_pin_s_rate
from hil.golden.data.recordings.tdms_file import read_tdms
from hil.golden.data.recordings.unit import Unit
from hil.golden.data.recordings.wav_file import read_wav
from hil.golden.data.sensor import SENSOR, Sensor

READERS: dict[str, Callable[[Path], list[Channel]]] = {
    ".csv": read_csv,
    ".txt": read_csv,
    ".wav": read_wav,
    ".npy": read_npy,
    ".tdms": read_tdms,
}
PIN_V = (0.0, 3.0)
"""What the ADC can tell apart at a supply of 3 V."""
CLIPPED_AT_MOST = 0.01
"""Share of samples that may lie beyond the pin's range (a choice): more are a wrong scale."""
_SHORTEST_S = 1.02 * WINDOW_S  # a window by a slow clock
_RATE_AGREEMENT = 0.01


@dataclass(frozen=True)
class ReadOptions:
    """What the user states about files."""

    rate_hz: float | None = None
    """For files that state none; where both do, they must agree."""
    channel: str | None = None
    """Name, or number from 1, of the channel where a file has several."""
    unit: Unit | None = None
    """What 1 in the file means; goes before what the file says."""
    sensor: Sensor = field(default=SENSOR)
    """Makes volts at the pin of accelerations."""


@dataclass(frozen=True)
class Recorded:
    """A recording as a signal at the pin, and what is worth knowing of how it became that."""

    signal: PinSignal
    channel: str
    rate_hz: float
    """At which it was sampled."""
    clipped: float
    """Share of samples beyond the range of the sensor's output or the ADC's input."""


def read_recording(file: Path, options: ReadOptions | None = None) -> Recorded:
    """Read one channel of a CSV, WAV, NPY or TDMS file.

    Raises:
        RecordingError: the file is missing, unreadable, empty, cut off, too short, of a wrong type, has a
            number that is none, several channels to choose from, no stated rate or unit, a rate that
            contradicts the stated one or cannot be resampled, or lies beyond the pin's range.
    """
    options = options or ReadOptions()
    reader = READERS.get(file.suffix.lower())
    if reader is None:
        raise refused(file, f"a file of type {file.suffix or 'unknown'!r}", expected=", ".join(READERS))
    try:
        if file.stat().st_size == 0:
            raise refused(file, "is empty")
        channel = _chosen(file, reader(file), options.channel)
    except OSError as error:
        raise refused(file, error.strerror or str(error)) from error
    values = _checked(file, channel)
    rate_hz = _rate_hz(file, channel, options.rate_hz)
    if values.size < _SHORTEST_S * rate_hz:
        raise refused(
            file, f"{values.size / rate_hz:.3g} s long", expected=f"at least a window, {_SHORTEST_S:.3f} s"
        )
    unit = _unit(file, channel, options.unit)
    volts = at_the_pin_s_rate(unit.volts(values, options.sensor), rate_hz, file)
    low_v, high_v = PIN_V if unit.is_voltage else (options.sensor.low_v, options.sensor.high_v)
    clipped = float(np.mean((volts < low_v) | (volts > high_v)))
    if clipped > CLIPPED_AT_MOST:
        raise refused(
            file,
            f"{100 * clipped:.0f} % of it lies beyond the pin's {low_v:g} to {high_v:g} V: it reaches from "
            f"{volts.min():.3g} to {volts.max():.3g} V",
            hint="another --unit (V is at the pin, rest included) or another --sensitivity",
        )
    signal = PinSignal(str(file), np.clip(volts, low_v, high_v))
    return Recorded(signal, channel.name, rate_hz, clipped)


def _chosen(file: Path, channels: list[Channel], wanted: str | None) -> Channel:
    offered = ", ".join(f"{number}: {channel.name!r}" for number, channel in enumerate(channels, 1))
    if not channels:
        raise refused(file, "holds times and nothing else")
    if wanted is None:
        if len(channels) > 1:
            raise refused(file, f"has {len(channels)} channels ({offered})", hint="state the channel to use")
        return channels[0]
    named = [channel for channel in channels if channel.name == wanted]
    if len(named) == 1:
        return named[0]
    if wanted.isdecimal() and 1 <= int(wanted) <= len(channels):
        return channels[int(wanted) - 1]
    raise refused(file, f"no channel {wanted!r}", expected=f"one of {offered}")


def _checked(file: Path, channel: Channel) -> npt.NDArray[np.float64]:
    values = np.asarray(channel.values)
    if values.dtype.kind not in "iuf":
        raise refused(file, f"{channel.name!r} holds {values.dtype}", expected="integers or floats")
    if values.size == 0:
        raise refused(file, f"{channel.name!r} is empty", expected="samples")
    values = values.astype(np.float64)
    wrong = np.flatnonzero(~np.isfinite(values))
    if wrong.size:
        raise refused(
            file,
            f"{wrong.size} of {values.size} samples are no numbers, the first is sample {wrong[0] + 1} "
            f"({values[wrong[0]]})",
            hint="cut the recording around the gap",
        )
    return values


def _rate_hz(file: Path, channel: Channel, stated_hz: float | None) -> float:
    if channel.rate_hz is None:
        if stated_hz is None:
            raise refused(file, "states no sampling rate", hint='state it, for example with --rate "12 kHz"')
        return stated_hz
    if stated_hz is not None and abs(stated_hz / channel.rate_hz - 1) > _RATE_AGREEMENT:
        raise refused(file, f"states {channel.rate_hz:g} Hz", expected=f"the stated rate of {stated_hz:g} Hz")
    if not channel.rate_hz > 0:
        raise refused(file, f"states a sampling rate of {channel.rate_hz:g} Hz")
    return channel.rate_hz


def _unit(file: Path, channel: Channel, stated: Unit | None) -> Unit:
    if stated is not None:
        return stated
    if channel.unit is None:
        raise refused(
            file,
            f"{channel.name!r} has no unit",
            hint='--unit V (at the sensor\'s pin), --unit g, or --unit "50 g" (full scale of a WAV file)',
        )
    try:
        return Unit.parse(channel.unit)
    except QuantityError as error:
        raise refused(
            file,
            f"{channel.name!r} is in {channel.unit!r}",
            expected=error.expected,
            hint="state it with --unit",
        ) from error
