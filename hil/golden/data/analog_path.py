# SPDX-License-Identifier: Apache-2.0
"""From the voltage at the pin to the ADC codes the firmware would sample: what the bench does to a signal.

Used to make training windows as imperfect as the bench's. The DAQ holds each sample until the next and
repeats its buffer for ever; the board's ADC starts at any moment, by its own clock, on its own supply.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hil.golden.data.pin_signal import PinSignal
from hil.golden.features import SAMPLE_RATE_HZ, WINDOW_SAMPLES

WINDOW_S = WINDOW_SAMPLES / SAMPLE_RATE_HZ
"""Length of one window: 512 ms."""


@dataclass(frozen=True)
class AnalogPath:
    """Spread of the path's imperfections over benches and windows.

    The figures are assumptions that a trained model must tolerate, generous for the parts involved.
    """

    noise_v: float = 1e-3
    """rms noise at the pin: DAQ output, wiring and ADC."""
    gain_spread: float = 0.01
    """Half width of the uniform error of VDDA, the ADC's reference (a 1 % regulator)."""
    offset_spread_v: float = 0.005
    """Half width of the uniform offset of DAQ and ADC."""
    clock_spread: float = 0.01
    """Half width of the uniform error of the sample rate (an RC oscillator not locked to a crystal)."""
    rate_hz: float = SAMPLE_RATE_HZ
    """Of the firmware's samples."""
    vdda_v: float = 3.0
    """The ADC's nominal reference; the sensor's output scales with nothing but itself."""


IDEAL_PATH = AnalogPath(noise_v=0.0, gain_spread=0.0, offset_spread_v=0.0, clock_spread=0.0)
"""A bench without imperfections."""


def adc_codes(volts: npt.NDArray[np.float64], vdda_v: float = 3.0) -> npt.NDArray[np.uint16]:
    """Codes of an ideal 12-bit ADC with reference `vdda_v`: 4096 * V / VDDA, rounded, in 0..4095."""
    return np.clip(np.floor(volts * (4096.0 / vdda_v) + 0.5), 0, 4095).astype(np.uint16)


def sampled_windows(
    signal: PinSignal, starts_s: npt.NDArray[np.float64], rng: np.random.Generator, path: AnalogPath
) -> npt.NDArray[np.uint16]:
    """Windows of ADC codes, uint16 [len(starts_s), 1024], of the endlessly repeated `signal`.

    Args:
        signal: what is at the pin.
        starts_s: when each window begins, in the signal's time.
        rng: draws each window's noise, gain, offset and clock error.
        path: how wide these are.
    """
    shape = (starts_s.size, 1)
    period_s = (1.0 + rng.uniform(-path.clock_spread, path.clock_spread, shape)) / path.rate_hz
    time_s = starts_s[:, np.newaxis] + period_s * np.arange(WINDOW_SAMPLES)
    # The tiny addition keeps a sample that falls on a step of the DAQ's from being read before it.
    held = signal.volts[np.floor(time_s * signal.rate_hz + 1e-6).astype(np.int64) % signal.volts.size]
    noise_v = path.noise_v * rng.standard_normal(held.shape)
    offset_v = rng.uniform(-path.offset_spread_v, path.offset_spread_v, shape)
    gain = 1.0 + rng.uniform(-path.gain_spread, path.gain_spread, shape)
    return adc_codes((held + noise_v + offset_v) * gain, path.vdda_v)
