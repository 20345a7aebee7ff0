# SPDX-License-Identifier: Apache-2.0
"""The accelerometer at the board's pin: what an acceleration becomes in volts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

STANDARD_GRAVITY_M_S2 = 9.80665
"""One g in m/s² (3rd General Conference on Weights and Measures, 1901)."""


@dataclass(frozen=True)
class Sensor:
    """An analog accelerometer with its amplifier; the defaults are an invented, ordinary one (assumption)."""

    sensitivity_v_per_g: float = 0.8
    bias_v: float = 1.5
    """Output at rest: half of a 3 V supply."""
    low_v: float = 0.05
    high_v: float = 2.95
    """The output's rails; what would go beyond is clipped. With the defaults the range is ± 1.81 g."""
    noise_density_g_per_rthz: float = 25e-6
    """rms noise of the sensor in each root hertz."""
    bandwidth_hz: float = 960.0
    """Edge of its low-pass (assumption: ideal), below half the firmware's 2 kHz sample rate."""

    def volts(self, acceleration_g: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The output for an acceleration that is already limited to the bandwidth; clipped at the rails."""
        return np.clip(self.bias_v + self.sensitivity_v_per_g * acceleration_g, self.low_v, self.high_v)


SENSOR = Sensor()
"""The reference bench's sensor."""
