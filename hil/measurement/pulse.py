# SPDX-License-Identifier: Apache-2.0
"""A pulse on a current that is otherwise flat: how long it lasts, to a fraction of a sample.

The marker that is high while the network runs feeds the pull-down of its wire. In a fine capture this is a
step up and a step down of tens of microamperes, where the phase around it is flat. Two change points are
fitted by least squares: the pair of samples that splits the stretch best into an inside and an outside.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.errors import MeasurementError
from hil.measurement.budget import Budget, Distribution, Term, rectangle
from hil.measurement.levels import noise
from hil.measurement.uncertainty import Estimate
from hil.measurement.waveform import Waveform

ASYMMETRY = 0.1
"""Half width, of a sample. Assumption: the ammeter follows a rise and a fall alike to this."""
CODE = "assumption: at most a sample apart from the marker's"
CODE_SPREAD = 0.02
"""Half width, of the current that the code draws. From flash at 80 MHz reduced code draws 10.2 mA, Dhrystone
11.0 mA (DS10198 Rev 8, table 33), which is ± 3.8 %. Assumption: half the sample at an edge is code of another
kind than what lies beside it: a call, a first pass through code that is not cached yet."""
_LEAST_SAMPLES = 4
"""Of a pulse and of either side of it."""
_CLEAR = 5.0
"""A height of so many deviations of the noise is no chance."""


@dataclass(frozen=True)
class Pulse:
    """A pulse inside a stretch of a waveform."""

    start_s: float
    """Bench time of the rise."""
    duration_s: Estimate
    height_a: float
    """Above the mean of both sides, in amperes."""


def find_pulse(stretch: Waveform, wire_a: float) -> Pulse:
    """Return the pulse that a stretch holds.

    Each edge is interpolated inside its sample, which is the mean of what came before and after the edge. A
    step that differs from what the wire draws holds a step of the code's own current as well, which comes at
    most a sample before or after the marker's. A change of the code's current that is over within the sample
    leaves no step; :data:`CODE_SPREAD` bounds it.

    Args:
        stretch: flat but for the pulse.
        wire_a: what the marker's wire draws while it is high, in amperes.

    Raises:
        MeasurementError: nothing stands out of the noise.
    """
    current_a = stretch.current_a
    deviation_a = noise(current_a)
    first, last = _best_split(current_a)
    before_a = float(current_a[: first - 1].mean())
    inside_a = float(current_a[first + 1 : last - 1].mean())
    after_a = float(current_a[last + 1 :].mean())
    rise_a, fall_a = inside_a - before_a, inside_a - after_a
    if min(rise_a, fall_a) < _CLEAR * deviation_a or min(rise_a, fall_a) <= 0:
        raise MeasurementError(
            f"it rises by {rise_a:.3g} A, falls by {fall_a:.3g} A, with a noise of {deviation_a:.3g} A",
            where="current",
            operation="find a pulse",
            expected="a step up and a step down that stand out",
        )
    # Of the two samples at an edge, how much of both lies inside.
    begins = first + 1 - float((current_a[first - 1 : first + 1] - before_a).sum()) / rise_a
    ends = last - 1 + float((current_a[last - 1 : last + 1] - after_a).sum()) / fall_a
    period_s = stretch.period_s
    edge = math.hypot(deviation_a / rise_a, deviation_a / fall_a) * math.sqrt(2.0)
    budget = Budget.of(
        Term("noise at the edges", edge * period_s, "s", Distribution.NORMAL, "noise of the capture"),
        rectangle("rise against fall of the ammeter", ASYMMETRY * period_s, "s", "assumption"),
        *(
            rectangle(f"the code's own current at the {which}", apart_a / step_a * period_s, "s", CODE)
            for which, step_a, apart_a in (
                ("rise", rise_a, max(abs(rise_a - wire_a), CODE_SPREAD * before_a)),
                ("fall", fall_a, max(abs(fall_a - wire_a), CODE_SPREAD * after_a)),
            )
        ),
    )
    return Pulse(
        start_s=stretch.start_s + begins * period_s,
        duration_s=Estimate.of((ends - begins) * period_s, budget),
        height_a=(rise_a + fall_a) / 2,
    )


def _best_split(current_a: NDArray[np.float64]) -> tuple[int, int]:
    """First sample inside and first one behind, of the split that leaves the least squares.

    Raises:
        MeasurementError: the stretch is too short to hold a pulse.
    """
    count = current_a.size
    if count < 3 * _LEAST_SAMPLES:
        raise MeasurementError(
            f"{count} samples", where="current", operation="find a pulse", expected=f"{3 * _LEAST_SAMPLES}"
        )
    sums = np.concatenate([[0.0], np.cumsum(current_a - current_a.mean())])
    best, found = -math.inf, (0, 0)
    for first in range(_LEAST_SAMPLES, count - 2 * _LEAST_SAMPLES + 1):
        lasts = np.arange(first + _LEAST_SAMPLES, count - _LEAST_SAMPLES + 1)
        inside = lasts - first
        # Both sides together have the rest of the sum, which is zero.
        above = sums[lasts] - sums[first]
        gain = np.where(above > 0, above**2 * count / (inside * (count - inside)), 0.0)
        index = int(gain.argmax())
        if gain[index] > best:
            best, found = float(gain[index]), (first, int(lasts[index]))
    return found
