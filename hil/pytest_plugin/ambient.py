# SPDX-License-Identifier: Apache-2.0
"""How a part's current changes with the temperature around it, at any level of the current.

The datasheet prints typical currents at several temperatures for every mode. From mode to mode, the change
per kelvin grows with the current: leakage at first, then little more for every clocked circuit. Between the
modes both are interpolated in their logarithms, so that no mode need be known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.parts import Part

from .power_modes import POWER_MODES

_STEP_K = 1.0
_FIRST_COLUMN_C = 25.0
"""Coldest column of the current tables."""
_RANGE_1_HZ = 80e6
"""Clock of the largest current that the tables have."""


@dataclass(frozen=True, eq=False)
class AmbientSlope:
    """Typical currents of a part, rising, and how much each changes per kelvin."""

    currents_a: NDArray[np.float64]
    slopes_a_per_k: NDArray[np.float64]

    @classmethod
    def of(cls, part: Part, supply_voltage_v: float, ambient_c: float) -> AmbientSlope:
        """Read the slopes of a part's datasheet at a supply voltage (V) and an ambient temperature (°C).

        The tables begin at 25 °C; colder than that, the slope is taken to be what it is there.
        """
        low_c = max(ambient_c, _FIRST_COLUMN_C)
        points = []
        for mode in POWER_MODES:
            here, warmer = (
                mode.figure(part, supply_voltage_v, at_c).typ for at_c in (low_c, low_c + _STEP_K)
            )
            points.append((here, (warmer - here) / _STEP_K))
        here, warmer = (
            part.run_current("run_flash_art_on_range1", _RANGE_1_HZ, at_c).typ
            for at_c in (low_c, low_c + _STEP_K)
        )
        points.append((here, (warmer - here) / _STEP_K))
        currents, slopes = np.array(sorted(points)).T
        return cls(currents, slopes)

    def at(self, currents_a: NDArray[np.float64]) -> NDArray[np.float64]:
        """The change per kelvin, in A/K, at each current; in proportion to it below the smallest mode's."""
        levels = np.log(np.maximum(np.abs(currents_a), self.currents_a[0]))
        slopes = np.exp(np.interp(levels, np.log(self.currents_a), np.log(self.slopes_a_per_k)))
        return np.asarray(slopes * np.minimum(1.0, np.abs(currents_a) / self.currents_a[0]))
