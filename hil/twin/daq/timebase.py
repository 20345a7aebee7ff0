# SPDX-License-Identifier: Apache-2.0
"""The 100 MHz timebase from which every clock and counter of the device derives."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

NOMINAL_HZ = 100_000_000
ACCURACY_PPB = 50_000
"""50 ppm: base clock accuracy in the NI 6361 Device Specifications."""

_PS_PER_TICK = 10_000
_BILLION = 1_000_000_000

COUNTER_TIMEBASES_HZ = (100_000_000, 20_000_000, 100_000)
"""Internal timebases a counter may count, fastest first (X Series User Manual, Counters)."""


class Timebase:
    """Ticks of a clock that is off by a fixed error, drawn once within its accuracy.

    Integer arithmetic: the same time always gives the same tick.
    """

    def __init__(self, rng: np.random.Generator, accuracy_ppb: int = ACCURACY_PPB) -> None:
        self.error_ppb = int(rng.integers(-accuracy_ppb, accuracy_ppb + 1)) if accuracy_ppb else 0

    def tick_at(self, time_ps: int, hz: int = NOMINAL_HZ) -> int:
        """How many ticks of ``hz`` have passed at ``time_ps``."""
        divisor = NOMINAL_HZ // hz
        return time_ps * (_BILLION + self.error_ppb) // (_PS_PER_TICK * divisor * _BILLION)

    def ticks_at(self, times_ps: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """What :meth:`tick_at` would answer at each of ``times_ps``."""
        # The same division in parts: as it stands there it needs more than 64 bits.
        ideal, rest_ps = np.divmod(times_ps, _PS_PER_TICK)
        billions, ideal_rest = np.divmod(ideal, _BILLION)
        numerator = ideal_rest * (_PS_PER_TICK * self.error_ppb) + rest_ps * (_BILLION + self.error_ppb)
        ticks: npt.NDArray[np.int64] = (
            ideal + billions * self.error_ppb + numerator // (_PS_PER_TICK * _BILLION)
        )
        return ticks

    def time_ps(self, tick: int) -> int:
        """The first picosecond at which 100 MHz tick number ``tick`` has passed."""
        return -(-tick * _PS_PER_TICK * _BILLION // (_BILLION + self.error_ppb))

    @staticmethod
    def divisor(rate_hz: float) -> int:
        """The timebase divisor for a sample clock of about ``rate_hz``; the device coerces to whole
        divisors.
        """
        return max(1, round(NOMINAL_HZ / rate_hz))
