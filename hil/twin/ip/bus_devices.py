# SPDX-License-Identifier: Apache-2.0
"""What a virtual device on a bus does; the bus masters of the part call these, at the end of each byte."""

from typing import Protocol


class I2cDevice(Protocol):
    """A target on an I2C bus."""

    address: int
    """Seven bits."""

    def start(self, *, read: bool) -> bool:
        """Addressed after a START or repeated START; returns whether it acknowledges."""

    def write(self, byte: int) -> bool:
        """A byte from the controller; returns whether it acknowledges."""

    def read(self) -> int:
        """The next byte for the controller."""

    def stop(self) -> None:
        """The transfer is over."""


class SpiDevice(Protocol):
    """A device on an SPI bus, in its own mode."""

    def select(self, selected: bool) -> None:
        """Its chip select changed; low is selected."""

    def exchange(self, byte: int) -> int:
        """A byte from the controller; returns the one that was shifted out meanwhile."""
