# SPDX-License-Identifier: Apache-2.0
"""A supply current sampled at a constant rate: what every power analyzer hands over."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Waveform:
    """Supply current over time.

    Sample ``i`` is the mean current over ``[start_s + i * period_s, start_s + (i + 1) * period_s)``:
    instruments integrate between samples, so sums of samples are charges and no interpolation is needed.
    """

    start_s: float
    """Time of the first sample's beginning on the bench clock, in seconds."""
    period_s: float
    """Sample period in seconds."""
    current_a: NDArray[np.float64]
    """Mean current of each sample period in amperes."""

    def __post_init__(self) -> None:
        if not self.period_s > 0:
            raise ValueError(f"a waveform needs a sample period above 0 s, got {self.period_s!r}")
        current_a = np.ascontiguousarray(self.current_a, dtype=np.float64)
        if current_a.ndim != 1 or current_a.size == 0:
            raise ValueError(f"a waveform needs a row of at least one sample, got shape {current_a.shape}")
        if not np.isfinite(current_a).all() or not math.isfinite(self.start_s + self.period_s):
            raise ValueError("a waveform's times and currents are finite numbers")
        object.__setattr__(self, "current_a", current_a)

    def __len__(self) -> int:
        return int(self.current_a.size)

    @property
    def duration_s(self) -> float:
        """Time from the beginning of the first sample to the end of the last, in seconds."""
        return len(self) * self.period_s

    @property
    def end_s(self) -> float:
        """End of the last sample on the bench clock, in seconds."""
        return self.start_s + self.duration_s

    @property
    def times_s(self) -> NDArray[np.float64]:
        """Beginning of every sample on the bench clock, in seconds."""
        return self.start_s + np.arange(len(self), dtype=np.float64) * self.period_s

    @property
    def mean_a(self) -> float:
        """Mean current in amperes."""
        return float(np.mean(self.current_a))

    @property
    def charge_c(self) -> float:
        """Charge in coulombs: the sum of current times period."""
        return float(np.sum(self.current_a)) * self.period_s

    def slice(self, start_s: float, end_s: float) -> Waveform:
        """Return the samples that begin in ``[start_s, end_s)`` (bench clock).

        Raises:
            ValueError: if no sample begins in that span.
        """
        # Of a sample: a boundary that is a sample's own time must not move with float rounding.
        tolerance = 1e-6
        first = max(0, int(np.ceil((start_s - self.start_s) / self.period_s - tolerance)))
        last = min(len(self), int(np.ceil((end_s - self.start_s) / self.period_s - tolerance)))
        if last <= first:
            raise ValueError(
                f"no samples between {start_s} s and {end_s} s: "
                f"the waveform spans {self.start_s} s to {self.end_s} s"
            )
        return Waveform(self.start_s + first * self.period_s, self.period_s, self.current_a[first:last])
