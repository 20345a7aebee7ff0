# SPDX-License-Identifier: Apache-2.0
"""A file becomes a signal at the sensor's pin, or an error that says in a line what is wrong with it.

The user's word goes before the file's. Where the two differ, and where the reader took something for granted,
a note in :attr:`Recorded.notes` says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hil.errors import QuantityError
from hil.golden.data.analog_path import WINDOW_S
from hil.golden.data.pin_signal import PinSignal
from hil.golden.data.recordings import column_names
from hil.golden.data.recordings.channel import Channel, Layout, not_installed, refused
from hil.golden.data.recordings.kinds import channels
from hil.golden.data.recordings.resample import at_the_pin_s_rate
from hil.golden.data.recordings.sample_times import UnevenTimesError, on_even_times
from hil.golden.data.recordings.unit import Unit
from hil.golden.data.sensor import SENSOR, Sensor

PIN_V = (0.0, 3.0)
"""What the ADC can tell apart at a supply of 3 V."""
CLIPPED_AT_MOST = 0.01
"""Share of samples that may lie beyond the pin's range (a choice): more are a wrong scale."""
_SHORTEST_S = 1.02 * WINDOW_S  # a window by a slow clock
_RATE_AGREEMENT = 0.01
_LISTED = 8


@dataclass(frozen=True)
class ReadOptions:
    """What the user states about files."""

    rate_hz: float | None = None
    """Goes before what the file says."""
    channel: str | None = None
    """Name, number from 1, or letter of the axis, of the channel where a file has several."""
    layout: Layout | None = None
    """What a row of a table without names is; None lets its width decide."""
    axes: int | None = None
    """Of channels that are interleaved in each row."""
    keep_outliers: bool = False
    """Whether windows unlike all others of normal running stay among them."""
    unit: Unit | None = None
    """What 1 in the file means; goes before what the file says."""
    sensor: Sensor = field(default=SENSOR)
    """Makes volts at the pin of accelerations."""


@dataclass(frozen=True)
class Recorded:
    """A recording as a signal at the pin, and what is worth knowing of how it became that."""

    stretches: tuple[PinSignal, ...]
    """One, or one for each row of a file whose rows are recordings of their own."""
    channel: str
    rate_hz: float
    """At which it was sampled."""
    clipped: float
    """Share of samples beyond the range of the sensor's output or the ADC's input."""
    notes: tuple[str, ...] = ()
    """What was taken for granted, and where the file says otherwise than the user."""

    @property
    def signal(self) -> PinSignal:
        """All of it, one stretch after the other."""
        if len(self.stretches) == 1:
            return self.stretches[0]
        return PinSignal(self.stretches[0].name, np.concatenate([each.volts for each in self.stretches]))


def read_recording(file: Path, options: ReadOptions | None = None) -> Recorded:
    """Read one channel of a CSV, WAV, NPY, NPZ, MAT or TDMS file, or of Edge Impulse's JSON.

    The kind follows from the content where the name has no known ending.

    Raises:
        RecordingError: the file is missing, unreadable, empty, cut off, too short, of a wrong type, has a
            number that is none, several channels to choose from, uneven times, no stated rate or unit, a rate
            that cannot be resampled, or lies beyond the pin's range.
    """
    options = options or ReadOptions()
    try:
        if file.stat().st_size == 0:
            raise refused(file, "is empty")
        channel = _chosen(file, channels(file, options.layout, options.axes), options)
    except OSError as error:
        raise refused(file, error.strerror or str(error)) from error
    values = _checked(file, channel)
    rate_hz, values, notes = _timed(file, channel, values, options.rate_hz)
    unit, unit_notes = _unit(file, channel, options.unit)
    stretches = _long_enough(file, np.atleast_2d(values), rate_hz)
    volts = [at_the_pin_s_rate(unit.volts(each, options.sensor), rate_hz, file) for each in stretches]
    clipped = _clipped(file, np.concatenate(volts), unit, options.sensor)
    low_v, high_v = _range_v(unit, options.sensor)
    signals = tuple(PinSignal(str(file), np.clip(each, low_v, high_v)) for each in volts)
    return Recorded(signals, channel.name, rate_hz, clipped, (*channel.notes, *notes, *unit_notes))


def _range_v(unit: Unit, sensor: Sensor) -> tuple[float, float]:
    return PIN_V if unit.is_voltage else (sensor.low_v, sensor.high_v)


def _clipped(file: Path, volts: npt.NDArray[np.float64], unit: Unit, sensor: Sensor) -> float:
    low_v, high_v = _range_v(unit, sensor)
    clipped = float(np.mean((volts < low_v) | (volts > high_v)))
    if clipped > CLIPPED_AT_MOST:
        raise refused(
            file,
            f"{100 * clipped:.0f} % of it lies beyond the pin's {low_v:g} to {high_v:g} V: it reaches from "
            f"{volts.min():.3g} to {volts.max():.3g} V",
            hint="another --unit (V is at the pin, rest included) or another --sensitivity",
        )
    return clipped


def _long_enough(file: Path, stretches: npt.NDArray[np.float64], rate_hz: float) -> npt.NDArray[np.float64]:
    """Stretches of a window by a slow clock; those of the firmware's own length are lengthened to it."""
    length = stretches.shape[1]
    wanted = math.ceil(_SHORTEST_S * rate_hz)
    if length >= wanted:
        return stretches
    if (
        len(stretches) > 1 and length >= WINDOW_S * rate_hz
    ):  # its own mirror image, turned, goes on without a step
        return np.pad(stretches, ((0, 0), (0, wanted - length)), mode="reflect", reflect_type="odd")
    what = "each row is " if len(stretches) > 1 else ""
    raise refused(
        file,
        f"{what}{length / rate_hz:.3g} s long",
        expected=f"at least a window, {_SHORTEST_S:.3f} s",
        hint="longer rows; or --layout stream, if the rows follow each other without a gap" if what else "",
    )


def _chosen(file: Path, found: list[Channel], options: ReadOptions) -> Channel:
    wanted = options.channel
    listed = ", ".join(f"{number}: {channel.name!r}" for number, channel in enumerate(found[:_LISTED], 1))
    offered = listed if len(found) <= _LISTED else f"{listed}, and so on"
    if not found:
        raise refused(file, "holds times and nothing else")
    if wanted is None:
        if len(found) == 1:
            return found[0]
        if options.layout is None and all(channel.name.startswith("column ") for channel in found):
            raise refused(
                file,
                f"has {len(found)} columns without names",
                expected="to be told what a row is",
                hint="--layout rows (each row is a stretch of its own), --layout stream (the rows follow "
                f"each other), or --channel 1 to {len(found)} (each column is a channel)",
            )
        raise refused(
            file, f"has {len(found)} channels ({offered})", hint="state the channel to use with --channel"
        )
    for fits in (
        lambda channel: channel.name == wanted,
        lambda channel: column_names.means(channel.name, wanted),
    ):
        named = [channel for channel in found if fits(channel)]
        if len(named) == 1:
            return named[0]
    if wanted.isdecimal() and 1 <= int(wanted) <= len(found):
        return found[int(wanted) - 1]
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
            f"({values.flat[wrong[0]]})",
            hint="cut the recording around the gap",
        )
    return values


def _timed(
    file: Path, channel: Channel, values: npt.NDArray[np.float64], stated_hz: float | None
) -> tuple[float, npt.NDArray[np.float64], list[str]]:
    """The sampling rate, the values at even times, and what is to be told."""
    told_hz, positions, notes = channel.rate_hz, None, []
    if channel.times is not None and channel.times.values.size == values.shape[-1]:
        try:
            even = channel.times.even()
        except UnevenTimesError as error:
            if stated_hz is None:
                raise refused(file, str(error), hint=error.hint) from error
            return stated_hz, values, [f"{error}: its times are not used, --rate is"]
        told_hz, positions = even.rate_hz, even.positions
        notes = [even.note] if even.note else []
    if stated_hz is not None:
        if told_hz is not None and abs(stated_hz / told_hz - 1) > _RATE_AGREEMENT:
            notes = [f"the file says {told_hz:.6g} Hz: the stated {stated_hz:.6g} Hz are used"]
            return stated_hz, values, notes
        if told_hz is None or positions is None:
            return stated_hz, values, notes
    if told_hz is None:
        raise refused(file, "states no sampling rate", hint='state it, for example with --rate "12 kHz"')
    if not told_hz > 0:
        raise refused(file, f"states a sampling rate of {told_hz:g} Hz")
    if positions is not None:
        try:
            values = on_even_times(values, positions)
        except ImportError as error:
            raise not_installed(file, "scipy") from error
    return told_hz, values, notes


def _unit(file: Path, channel: Channel, stated: Unit | None) -> tuple[Unit, list[str]]:
    if channel.unit is None:
        if stated is None:
            raise refused(
                file,
                f"{channel.name!r} has no unit",
                hint='--unit V (at the sensor\'s pin), --unit g, or --unit "50 g" (full scale of a WAV file)',
            )
        return stated, []
    try:
        told = Unit.parse(channel.unit)
    except QuantityError as error:
        if stated is not None:
            return stated, [f"{channel.name!r} is in {channel.unit!r}: the stated unit is used"]
        raise refused(
            file,
            f"{channel.name!r} is in {channel.unit!r}",
            expected=error.expected,
            hint="state it with --unit",
        ) from error
    if stated is None or stated == told:
        return told, []
    return stated, [f"{channel.name!r} is in {channel.unit!r} by the file: the stated unit is used"]
