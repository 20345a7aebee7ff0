# SPDX-License-Identifier: Apache-2.0
"""The column of times of a recording: its unit, the sampling rate, and how even the samples are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

UNITS_S = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_PLAUSIBLE_HZ = (10.0, 200e3)
"""Of a recorded vibration (a choice): decides between the units that a bare number can have."""
_EVEN = 0.1
"""Of a period that a time may lie beside an even grid and still be read as on it (a choice)."""
_ROUNDED = 0.6
"""Of its last digit that a rounded time lies beside the fitted grid: half, and a tenth for the fit."""
_GAP = 1.5
"""Periods from which a step means that a sample is missing."""


class UnevenTimesError(ValueError):
    """The times cannot be those of one recording, or their unit is open; the text says what and how much."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class EvenTimes:
    """A sampling rate, and where the samples must be taken anew to be even."""

    rate_hz: float
    positions: npt.NDArray[np.float64] | None
    """In periods, where each sample was taken; None if that is its number."""
    note: str | None = None


@dataclass(frozen=True)
class SampleTimes:
    """The times of the samples as the file holds them."""

    values: npt.NDArray[np.float64]
    unit: str | None
    """Of UNITS_S; None where the file does not say."""
    name: str = "time"

    def even(self) -> EvenTimes:
        """The sampling rate, and what jitter has to be undone.

        Times that were rounded when they were written are told apart from jitter: they lie within half of
        their last digit of an even grid.

        Raises:
            UnevenTimesError: the times do not rise, a sample is missing, or two units are as likely.
        """
        values = self.values
        if values.size < 2 or not np.all(np.isfinite(values)) or values[-1] <= values[0]:
            raise UnevenTimesError("its times do not rise", "state --rate, if no sample is missing")
        index = np.arange(values.size, dtype=np.float64)
        period, start = np.polyfit(index, values, 1)
        if values.size == 2 or period <= 0:
            period, start = (values[-1] - values[0]) / (values.size - 1), values[0]
        steps = np.diff(values) / period
        digit = _last_digit(values) / period
        beside = float(np.abs((values - start) / period - index).max())
        rounded = beside <= _ROUNDED * digit + 1e-6
        self._refuse_gaps(steps, coarse=rounded and digit > 1.0, repeats=rounded)
        factor_s, told = self._unit_s(float(period))
        rate_hz = 1.0 / (period * factor_s)
        if rounded and digit > 1.0:
            note = f"its times have one digit for {digit:.1f} samples: a missing sample would not show"
            return EvenTimes(rate_hz, None, _joined(told, note))
        if rounded or beside <= _EVEN:
            return EvenTimes(rate_hz, None, told)
        note = f"its times are up to {100 * beside:.0f} % of a period uneven: resampled to even ones"
        return EvenTimes(rate_hz, (values - start) / period, _joined(told, note))

    def _refuse_gaps(self, steps: npt.NDArray[np.float64], *, coarse: bool, repeats: bool) -> None:
        worst = int(np.argmax(np.abs(steps - 1.0)))
        if coarse or (0.0 < steps[worst] <= _GAP) or (repeats and 0.0 <= steps[worst] <= _GAP):
            return
        raise UnevenTimesError(
            f"uneven times: between samples {worst + 1} and {worst + 2} lie {steps[worst]:.2f} periods",
            "cut the recording there; or state --rate, if no sample is missing",
        )

    def _unit_s(self, step: float) -> tuple[float, str | None]:
        """Seconds in 1, and what was taken for granted for it."""
        if self.unit is not None:
            return UNITS_S[self.unit], None
        low_hz, high_hz = _PLAUSIBLE_HZ
        likely = [unit for unit, unit_s in UNITS_S.items() if low_hz <= 1.0 / (step * unit_s) <= high_hz]
        if likely[:1] == ["s"]:  # what a time without a unit is in
            return 1.0, None
        if len(likely) == 1:
            unit_s = UNITS_S[likely[0]]
            return unit_s, f"{self.name!r} has no unit: read as {likely[0]}, {1.0 / (step * unit_s):.6g} Hz"
        choices = " or ".join(f"{1.0 / (step * UNITS_S[unit]):.6g} Hz if in {unit}" for unit in likely)
        raise UnevenTimesError(
            f"{self.name!r} has no unit and steps of {step:.6g}" + (f": {choices}" if choices else ""),
            f'name its unit, as "{self.name} [us]", or state --rate',
        )


def on_even_times(
    values: npt.NDArray[np.float64], positions: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """`values` taken at `positions` (in periods), as they would be at every whole period.

    A cubic spline: at a tenth of the sampling rate its error is below a thousandth of the amplitude.

    Raises:
        ImportError: scipy is not installed.
    """
    from scipy.interpolate import CubicSpline

    first, last = np.ceil(positions[0]), np.floor(positions[-1])
    return np.asarray(CubicSpline(positions, values)(np.arange(first, last + 1.0)))


def _last_digit(values: npt.NDArray[np.float64]) -> float:
    """The step of the times' last decimal; 0 where they have more digits than a clock."""
    for digits in range(10):
        scaled = values * 10.0**digits
        if np.all(np.abs(scaled - np.rint(scaled)) < 1e-4):
            return 10.0**-digits
    return 0.0


def _joined(*notes: str | None) -> str:
    return "; ".join(note for note in notes if note)
