# SPDX-License-Identifier: Apache-2.0
"""The measuring front end: ranges, seamless ranging, and the errors of a real instrument.

A range has a gain and an offset error, constant for one instrument: they are drawn once, uniformly inside the
accuracy the maker guarantees, from the bench's seed. On top comes white noise, which averages out over long
samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.twin.analyzer.noise_table import noise_rms
from hil.twin.errors import BenchConfigError

OVERLOAD = 9.9e37
"""What stands in the data for an overload (SCPI-99 volume 1, section 7.2.1.5: not a number)."""

SAMPLE_S = 5.12e-6
"""The shortest sample of the N6781A, 195 kSa/s (N6700C Operating and Service Guide,
SENSe:SWEep:TINTerval)."""


@dataclass(frozen=True)
class Range:
    """One measuring range.

    ``full_scale`` and ``offset_accuracy`` are in the quantity's unit (A or V), ``gain_accuracy`` is a
    fraction,
    ``noise_rms`` the standard deviation of one 5.12 µs sample.
    """

    full_scale: float
    gain_accuracy: float
    offset_accuracy: float
    noise_rms: float


def _assumed(full_scale: float, gain_accuracy: float, offset_accuracy: float) -> Range:
    """A range whose noise is assumed: a quarter of the offset accuracy in one 5.12 µs sample."""
    return Range(full_scale, gain_accuracy, offset_accuracy, noise_rms=offset_accuracy / 4)


# Assumption: 0.025 % + 8 nA is the maker's headline figure for the N6781A ("N6781A 2-quadrant SMU for battery
# drain analysis", technical overview); the other ranges, and all of the noise, want confirming against an
# instrument. The rig file overrides them.
DEFAULT_CURRENT_RANGES = (
    _assumed(10e-6, 0.025e-2, 8e-9),
    _assumed(1e-3, 0.025e-2, 100e-9),
    _assumed(100e-3, 0.025e-2, 10e-6),
    _assumed(3.0, 0.03e-2, 250e-6),
)

# Assumption, like the above: 0.025 % + 1.2 mV on the 20 V range.
DEFAULT_VOLTAGE_RANGES = (_assumed(20.0, 0.025e-2, 1.2e-3),)


def ranges_from_config(
    config: Mapping[str, Any], key: str, unit: str, default: Sequence[Range]
) -> tuple[Range, ...]:
    """The ranges in ``config[key]``, smallest first, or the default ones.

    Each entry has ``full_scale_<unit>``, ``gain`` (fraction), ``offset_<unit>`` and optionally
    ``noise_rms_<unit>`` (of one 5.12 µs sample; without it a quarter of the offset is assumed).

    Raises:
        BenchConfigError: an entry lacks a key or holds something that is not a number.
    """
    if key not in config:
        return tuple(default)
    ranges = []
    for entry in config[key]:
        try:
            offset = float(entry[f"offset_{unit}"])
            ranges.append(
                Range(
                    full_scale=float(entry[f"full_scale_{unit}"]),
                    gain_accuracy=float(entry["gain"]),
                    offset_accuracy=offset,
                    noise_rms=float(entry.get(f"noise_rms_{unit}", offset / 4)),
                )
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BenchConfigError(
                f"power analyzer: {key} = {entry!r}: expected numbers full_scale_{unit}, gain, offset_{unit} "
                f"and optionally noise_rms_{unit} ({error!r})"
            ) from error
    return tuple(sorted(ranges, key=lambda entry: entry.full_scale))


_ERRORS = ("uniform", "normal")


class Meter:
    """Turns true mean values into readings."""

    def __init__(
        self,
        ranges: Sequence[Range],
        rng: np.random.Generator,
        *,
        noise: Mapping[float, NDArray[np.float64]] | None = None,
        reversed_leads: bool = False,
        errors: str = "uniform",
    ) -> None:
        """Keyword arguments say what is peculiar about this meter.

        Args:
            ranges: smallest first.
            rng: draws the errors and the noise.
            noise: rows of :mod:`hil.twin.analyzer.noise_table` by full scale; ranges without one keep their
                own white noise.
            reversed_leads: they turn the sign of what is measured.
            errors: of gain and offset are "uniform" within the accuracy, or "normal" with the accuracy as two
                standard deviations, so that one in twenty exceeds it.
        """
        self.ranges = tuple(ranges)
        self._sign = -1.0 if reversed_leads else 1.0
        self._rows = {
            index: noise[entry.full_scale]
            for index, entry in enumerate(self.ranges)
            if noise is not None and entry.full_scale in noise
        }
        self._full_scales = np.array([entry.full_scale for entry in self.ranges])
        if errors not in _ERRORS:
            raise BenchConfigError(f"power analyzer: errors: expected one of {_ERRORS}, not {errors!r}")

        def drawn(accuracy: float) -> float:
            return accuracy * (rng.uniform(-1, 1) if errors == "uniform" else rng.standard_normal() / 2)

        self._gains = 1.0 + np.array([drawn(entry.gain_accuracy) for entry in self.ranges])
        self._offsets = np.array([drawn(entry.offset_accuracy) for entry in self.ranges])
        self._noises = np.array([entry.noise_rms for entry in self.ranges])
        self._rng = rng

    def range_for(self, value: float) -> float:
        """Full scale of the smallest range that holds ``value``; the largest range if none does."""
        index = int(np.searchsorted(self._full_scales, abs(value)))
        return float(self._full_scales[min(index, len(self.ranges) - 1)])

    def read(
        self, true: NDArray[np.float64], sample_s: float | NDArray[np.float64], fixed_range: float | None
    ) -> NDArray[np.float64]:
        """Readings for the true means of consecutive samples.

        With ``fixed_range`` (a full scale) everything is measured on that range; without, each sample on the
        smallest range that holds it (seamless ranging). What exceeds the range reads 9.9E37. Noise shrinks
        with the square root of the sample's length, as white noise does.
        """
        if fixed_range is None:
            index = np.searchsorted(self._full_scales, np.abs(true))
        else:
            index = np.full(true.shape, np.searchsorted(self._full_scales, fixed_range))
        index = np.minimum(index, len(self.ranges) - 1)
        noise = self._rng.standard_normal(true.shape) * self._noise_rms(index, sample_s)
        readings = self._sign * true * self._gains[index] + self._offsets[index] + noise
        return np.where(np.abs(true) > self._full_scales[index], OVERLOAD, readings)

    def _noise_rms(
        self, index: NDArray[np.intp], sample_s: float | NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Of readings on the ranges ``index``, each averaged over its ``sample_s``."""
        sample_s = np.broadcast_to(np.asarray(sample_s, dtype=np.float64), index.shape)
        rms: NDArray[np.float64] = self._noises[index] / np.sqrt(sample_s / SAMPLE_S)
        for number, row in self._rows.items():
            on_range = index == number
            rms[on_range] = noise_rms(row, sample_s[on_range])
        return rms
