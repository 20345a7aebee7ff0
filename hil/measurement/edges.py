# SPDX-License-Identifier: Apache-2.0
"""When a current steps from one level to another, to a fraction of a sample.

The sample that holds an edge is the mean of both levels, weighed by how long each lasted. A border between
phases lies before or behind that sample, whichever level it is nearer to. For a step up from sleep, that is
nearly always before it, so that borders alone make every sleep too short.
"""

from __future__ import annotations

import numpy as np

from hil.measurement.waveform import Waveform

NEAR_SAMPLES = 6
"""On either side, whose median is the level there."""
STEP = 0.1
"""A step of less than this part of the larger level is none whose edge could be interpolated."""
TRANSIENT = 0.25
"""Half width, of a sample. Assumption: what happens between two levels moves the edge by no more."""


def edge_s(waveform: Waveform, border_s: float) -> float:
    """Return the time of the step next to a border between two phases (bench clock).

    Where there is none, or too little around it, the border itself is returned.
    """
    index = round((border_s - waveform.start_s) / waveform.period_s)
    before_a = waveform.current_a[max(0, index - 1 - NEAR_SAMPLES) : max(0, index - 1)]
    after_a = waveform.current_a[index + 1 : index + 1 + NEAR_SAMPLES]
    if before_a.size == 0 or after_a.size == 0:
        return border_s
    low_a, high_a = float(np.median(before_a)), float(np.median(after_a))
    step_a = high_a - low_a
    if abs(step_a) < STEP * max(abs(low_a), abs(high_a)):
        return border_s
    pair_a = waveform.current_a[index - 1 : index + 1]
    behind = float(np.clip((pair_a - low_a).sum() / step_a, 0.0, 2.0))
    return waveform.start_s + (index + 1 - behind) * waveform.period_s
