# SPDX-License-Identifier: Apache-2.0
"""The voltage at the sensor's pin over time: what the DAQ plays and what training cuts its windows from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

PLAY_RATE_HZ = 10_000.0
"""Rate of every signal at the pin, and at which the DAQ plays it: five samples per ADC sample."""


@dataclass(frozen=True)
class PinSignal:
    """A buffer of voltages that the DAQ holds one after the other, and repeats without end."""

    name: str
    """Where it is from: a machine's seed, or a file."""
    volts: npt.NDArray[np.float64]
    rate_hz: float = PLAY_RATE_HZ

    @property
    def duration_s(self) -> float:
        """Length of the buffer."""
        return self.volts.size / self.rate_hz

    def looped(self, fade_s: float = 0.05) -> PinSignal:
        """The signal made to repeat without a step: its end fades into its beginning, and is cut off.

        Raises:
            ValueError: the signal is shorter than two fades.
        """
        count = round(fade_s * self.rate_hz)
        if 2 * count > self.volts.size:
            raise ValueError(f"a signal of {self.duration_s:g} s is too short for a fade of {fade_s:g} s")
        rising = (np.arange(count) + 0.5) / count
        volts = self.volts[: self.volts.size - count].copy()
        volts[:count] = rising * volts[:count] + (1.0 - rising) * self.volts[self.volts.size - count :]
        return PinSignal(self.name, volts, self.rate_hz)
