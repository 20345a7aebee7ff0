# SPDX-License-Identifier: Apache-2.0
"""From a DAQ's voltage buffer to the ADC codes the firmware would sample: what the wires do to a signal.

Used to make training windows as imperfect as the bench's. The DAQ holds each sample until the next and
repeats its buffer for ever; the board's ADC starts at any moment, by its own clock, on its own supply.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hil.golden.features import SAMPLE_RATE_HZ, WINDOW_SAMPLES
from hil.golden.signals import adc_codes


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
    vdda_v: float = 3.0
    """The ADC's nominal reference; the sensor's output scales with nothing but itself."""


def sampled_windows(
    volts: npt.NDArray[np.float64],
    rate_hz: float,
    count: int,
    rng: np.random.Generator,
    path: AnalogPath,
) -> npt.NDArray[np.uint16]:
    """`count` windows of ADC codes, uint16 [count, 1024], sampled from the endlessly repeated buffer `volts`.

    Each window has its own start, noise, gain, offset and clock error, drawn from `path`.
    """
    start_s = rng.uniform(0.0, volts.size / rate_hz, (count, 1))
    period_s = (1.0 + rng.uniform(-path.clock_spread, path.clock_spread, (count, 1))) / SAMPLE_RATE_HZ
    time_s = start_s + period_s * np.arange(WINDOW_SAMPLES)
    held = volts[np.floor(time_s * rate_hz).astype(np.int64) % volts.size]
    noise_v = rng.normal(0.0, path.noise_v, held.shape)
    offset_v = rng.uniform(-path.offset_spread_v, path.offset_spread_v, (count, 1))
    gain = 1.0 + rng.uniform(-path.gain_spread, path.gain_spread, (count, 1))
    return adc_codes((held + noise_v + offset_v) * gain, path.vdda_v)
