# SPDX-License-Identifier: Apache-2.0
"""The relation between core cycles and time, across changes of HCLK and stops of the core."""

from __future__ import annotations

PS_PER_S = 10**12


class CoreClock:
    """Maps executed cycles to instants, from an anchor where both are known."""

    def __init__(self, hclk_hz: int) -> None:
        self._anchor_ps = 0
        self._anchor_cycles = 0
        self._hclk_hz = hclk_hz

    @property
    def hclk_hz(self) -> int:
        """Frequency of the core clock."""
        return self._hclk_hz

    @property
    def anchor_ps(self) -> int:
        """An instant at which the cycles are known."""
        return self._anchor_ps

    @property
    def anchor_cycles(self) -> int:
        """The cycles executed at :attr:`anchor_ps`."""
        return self._anchor_cycles

    def set_hclk(self, hclk_hz: int, cycles: int) -> None:
        """Change the frequency at the instant of `cycles`."""
        self.anchor(self.time_ps(cycles), cycles)
        self._hclk_hz = hclk_hz

    def anchor(self, time_ps: int, cycles: int) -> None:
        """Say that the core has executed `cycles` at `time_ps`."""
        self._anchor_ps = time_ps
        self._anchor_cycles = cycles

    def time_ps(self, cycles: int) -> int:
        """Return the instant at which the core has executed `cycles`."""
        return self._anchor_ps + (cycles - self._anchor_cycles) * PS_PER_S // self._hclk_hz

    def cycles_at(self, time_ps: int) -> int:
        """Return the cycles executed by `time_ps`."""
        return self._anchor_cycles + (time_ps - self._anchor_ps) * self._hclk_hz // PS_PER_S
