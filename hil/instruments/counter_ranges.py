# SPDX-License-Identifier: Apache-2.0
"""Which timebase a counter of an NI X Series device needs for an interval, and what it resolves then.

A counter has 32 bits. An interval of 2^32 ticks or more starts again from zero, and the number read is too
small by 2^32 ticks: at 100 MHz, 60 s would read as 17.05 s.
"""

COUNTER_BITS = 32
TIMEBASES_HZ = (100e6, 20e6, 100e3)
"""Internal timebases, fastest first (NI X Series user manual, counter specifications)."""

LONGEST_INTERVAL_S = 200.0
"""Expected at most where the caller does not say: the 20 MHz timebase reaches 214 s."""


def timebase_hz(longest_s: float) -> float:
    """The fastest timebase that counts ``longest_s`` without rolling over.

    Raises:
        ValueError: none does.
    """
    for hz in TIMEBASES_HZ:
        if longest_s * hz < 2**COUNTER_BITS:
            return hz
    reach_s = 2**COUNTER_BITS / TIMEBASES_HZ[-1]
    raise ValueError(f"an interval of {longest_s:g} s is beyond the counters, which reach {reach_s:.0f} s")
