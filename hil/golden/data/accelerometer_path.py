# SPDX-License-Identifier: Apache-2.0
"""From a machine to the codes of the firmware that samples an accelerometer on I2C."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hil.golden.data.analog_path import AnalogPath
from hil.golden.data.pin_signal import PinSignal
from hil.golden.data.sensor import SENSOR
from hil.golden.data.windows import periodic_windows
from hil.golden.features import WINDOW_SAMPLES

RATE_HZ = 1660.0
"""The accelerometer's data rate (firmware/config.h, SENSOR_LSM6DSL)."""
WINDOW_S = WINDOW_SAMPLES / RATE_HZ
"""Length of one window: 617 ms."""
G_PER_CODE = 61e-6 * 16
"""61 µg a step at 2 g full scale (LSM6DSL, mechanical characteristics), of which a 12-bit code has 16."""
GRAVITY_G = 1.0
"""The board lies flat, so that gravity is along the axis that is sampled."""

_PATH = AnalogPath(rate_hz=RATE_HZ)
_V_PER_G = _PATH.vdda_v / 4096 / G_PER_CODE
"""What a converter would have to see for each g to give the accelerometer's codes."""


def accelerometer_windows(signal: PinSignal, count: int, rng: np.random.Generator) -> npt.NDArray[np.uint16]:
    """`count` windows of the machine of ``signal``, uint16 [count, 1024], as the accelerometer feels it.

    The spread is the analog path's: an assumption for gain, offset, noise and clock of the chip.
    """
    acceleration_g = (signal.volts - SENSOR.bias_v) / SENSOR.sensitivity_v_per_g + GRAVITY_G
    volts = _PATH.vdda_v / 2 + _V_PER_G * acceleration_g
    return periodic_windows(PinSignal(signal.name, volts, signal.rate_hz), count, rng, _PATH)
