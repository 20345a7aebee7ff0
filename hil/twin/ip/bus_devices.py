# SPDX-License-Identifier: Apache-2.0
"""What a virtual device on a bus does; the bus masters of the part call these, at the end of each byte."""

from typing import Protocol

from hil.twin.uart_line import Reception


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


class UartLine(Protocol):
    """The wires of a UART, from a device's side."""

    def send(self, data: bytes) -> None:
        """Put bytes on the part's receive pin, one frame time after the other, in bench time."""

    def rest(self, level: bool | None) -> None:
        """What the device puts there between frames: high, low without its supply, or nothing."""


class UartDevice(Protocol):
    """A device on a UART. The rig file says its rate; its frames have 8 bits and no parity."""

    def connect(self, line: UartLine) -> None:
        """It is wired to the part; called once, before anything else."""

    def receive(self, frame: Reception) -> None:
        """A frame of the part, as sampled at the device's own rate."""


class SpiDevice(Protocol):
    """A device on an SPI bus, in its own mode."""

    def select(self, selected: bool) -> None:
        """Its chip select changed; low is selected."""

    def exchange(self, byte: int) -> int:
        """A byte from the controller; returns the one that was shifted out meanwhile."""
