# SPDX-License-Identifier: Apache-2.0
"""Registers that count: their reading as a function of time, so that nobody need ask for it again."""

from __future__ import annotations

from dataclasses import dataclass

import numba

PS_PER_S = 10**12
_MICRO = 10**6


@dataclass(frozen=True)
class CounterLine:
    """What a counter reads from now until `until_ps`, if no event comes first and nobody stores into it.

    At an instant it is ``base + sign * ((offset + t * rate_hz // divider) // step)``, with t in s since
    `anchor_ps`; both divisions round down. Nothing else happens in between that a program could see, and
    reading does nothing.
    """

    base: int
    sign: int
    anchor_ps: int = 0
    rate_hz: int = 0
    divider: int = 1
    offset: int = 0
    step: int = 1
    until_ps: int | None = None
    """None: without end."""
    in_cycles: bool = False
    """It counts cycles of the core, whatever their time, and reads ``base + sign * cycles``, of 32 bits."""

    def value_at(self, time_ps: int) -> int:
        """What it reads at an instant; not of one that counts cycles."""
        ticks = self.offset + (time_ps - self.anchor_ps) * self.rate_hz // (self.divider * PS_PER_S)
        return self.base + self.sign * (ticks // self.step)


@numba.njit(cache=True, error_model="numpy")
def time_of(cycles, hclk_hz):  # type: ignore[no-untyped-def]  # typed by numba
    """The time that a number of cycles takes, in ps, rounded down; exact without wider integers."""
    seconds, rest = cycles // hclk_hz, cycles % hclk_hz
    scaled = rest * _MICRO
    return seconds * PS_PER_S + scaled // hclk_hz * _MICRO + scaled % hclk_hz * _MICRO // hclk_hz


@numba.njit(cache=True, error_model="numpy")
def ticks_of(time_ps, rate_hz, divider):  # type: ignore[no-untyped-def]  # typed by numba
    """The ticks of a clock in a time, rounded down; exact without wider integers."""
    seconds, rest = time_ps // PS_PER_S, time_ps % PS_PER_S
    high, low = rest // _MICRO, rest % _MICRO
    return (seconds * rate_hz + (high * rate_hz + low * rate_hz // _MICRO) // _MICRO) // divider
