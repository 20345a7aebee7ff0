# SPDX-License-Identifier: Apache-2.0
"""Geometry of a ball bearing and the frequencies at which its defects are struck."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Bearing:
    """A ball bearing; its defect frequencies are multiples of the shaft speed.

    Formulas: rolling without slip, outer ring fixed, inner ring on the shaft (R. B. Randall, "Vibration-based
    Condition Monitoring", Wiley 2011, section 2.2.3).
    """

    name: str
    ball_count: int
    ball_diameter_m: float
    pitch_diameter_m: float
    contact_angle_rad: float = 0.0

    @property
    def _ratio(self) -> float:
        return self.ball_diameter_m / self.pitch_diameter_m * math.cos(self.contact_angle_rad)

    @property
    def bpfo(self) -> float:
        """Ball pass frequency of the outer race, per shaft turn."""
        return self.ball_count / 2 * (1 - self._ratio)

    @property
    def bpfi(self) -> float:
        """Ball pass frequency of the inner race, per shaft turn."""
        return self.ball_count / 2 * (1 + self._ratio)

    @property
    def bsf(self) -> float:
        """Ball spin frequency, per shaft turn; a spall on a ball meets a race twice per spin."""
        return self.pitch_diameter_m / (2 * self.ball_diameter_m) * (1 - self._ratio**2)

    @property
    def ftf(self) -> float:
        """Fundamental train frequency, at which the cage turns, per shaft turn."""
        return (1 - self._ratio) / 2


BEARING_6205 = Bearing("6205-2RS JEM SKF", ball_count=9, ball_diameter_m=7.94e-3, pitch_diameter_m=39.04e-3)
"""Drive-end bearing of the Case Western Reserve University Bearing Data Center's test stand ("Bearing
Information": 9 balls of 0.3126 in on a 1.537 in pitch circle; published multiples BPFO 3.5848, BPFI 5.4152,
FTF 0.39828 and 4.7135 for a ball's defect, twice its spin)."""
