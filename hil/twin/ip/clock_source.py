# SPDX-License-Identifier: Apache-2.0
"""Where peripherals get their clocks, whatever the part's clock tree looks like."""

from typing import Protocol


class ClockSource(Protocol):
    """The clocks that reach each block now, in Hz; zero while gated, stopped or off."""

    def bus_hz(self, block: str) -> int:
        """The clock of its bus."""

    def timer_hz(self, block: str) -> int:
        """The clock that a timer counts."""

    def kernel_hz(self, block: str) -> int:
        """The clock that software selected for a UART or an I2C."""

    def reception_in_stop_hz(self, block: str) -> int:
        """What a UART or an I2C receives with while the part is in Stop and the block may wake it."""

    def low_power_timer_hz(self, block: str) -> int:
        """The clock that software selected for a low-power timer."""

    def low_power_timer_runs(self, block: str) -> bool:
        """Whether a low-power timer works in the present mode, with or without a clock of its own."""

    def oscillator_hz(self, name: str) -> int:
        """An oscillator as it runs ("lse", "lsi", "msi", "hse_32", "mco"), zero where the part lacks it."""
