# SPDX-License-Identifier: Apache-2.0
"""The bus that one or more I2Cs of the part and devices are on: who drives it, and who answers an address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from hil.twin.ip.bus_devices import I2cDevice


@dataclass(frozen=True)
class I2cAddress:
    """An address as it goes over the bus."""

    value: int
    ten_bits: bool = False


class I2cTarget(Protocol):
    """What a controller does with who answered; it may hold the clock low between any two steps."""

    @property
    def holds_clock(self) -> bool:
        """Whether SCL is held low now; then :meth:`on_release` tells of the end."""

    def on_release(self, action: Callable[[], None]) -> None:
        """Call ``action`` once, when SCL is let go."""

    def start(self, address: I2cAddress, *, read: bool) -> bool:
        """A START with an address; returns whether it acknowledges."""

    def receive(self, byte: int) -> None:
        """The eight bits of a byte have come."""

    def acknowledges(self) -> bool:
        """Whether it acknowledges that byte; asked after it let go of the clock."""

    def prepare(self) -> None:
        """The controller wants a byte: it is to be there when the clock is let go."""

    def send(self, *, last: bool) -> int:
        """The byte's clocks are over; the controller does not acknowledge the ``last`` one."""

    def stop(self) -> None:
        """A STOP."""


class Member(Protocol):
    """An I2C that is on the bus."""

    @property
    def target(self) -> I2cTarget:
        """Its target side."""

    def bus_taken(self, taken: bool) -> None:
        """A START or STOP of somebody else was on the bus."""

    def bus_free(self) -> None:
        """Its own START, which has waited, may be sent."""


class _Device:
    """A device that answers at once."""

    holds_clock = False

    def __init__(self, device: I2cDevice) -> None:
        self._device = device
        self._acknowledged = True

    def on_release(self, action: Callable[[], None]) -> None:
        action()

    def start(self, address: I2cAddress, *, read: bool) -> bool:
        same = not address.ten_bits and address.value == self._device.address
        return same and self._device.start(read=read)

    def receive(self, byte: int) -> None:
        self._acknowledged = self._device.write(byte)

    def acknowledges(self) -> bool:
        return self._acknowledged

    def prepare(self) -> None:
        pass

    def send(self, *, last: bool) -> int:
        return self._device.read()

    def stop(self) -> None:
        self._device.stop()


class I2cBus:
    """Two wires with pull-ups."""

    def __init__(self) -> None:
        self.devices: list[I2cDevice] = []
        self.members: list[Member] = []
        self.owner: object | None = None
        """Who has sent a START and no STOP yet."""
        self._waiting: list[Member] = []

    def take(self, member: Member) -> bool:
        """A START wants to be sent; false if it has to wait until the bus is free."""
        if self.owner not in (None, member):
            if member not in self._waiting:
                self._waiting.append(member)
            return False
        self.own(member)
        return True

    def own(self, owner: object) -> None:
        """A START is on the bus."""
        self.owner = owner
        self._tell(owner, taken=True)

    def give_up(self, member: Member) -> None:
        """It no longer wants or has the bus."""
        if member in self._waiting:
            self._waiting.remove(member)
        if self.owner is member:
            self.stopped()

    def stopped(self) -> None:
        """A STOP is on the bus; the next START that waits goes ahead."""
        owner, self.owner = self.owner, None
        self._tell(owner, taken=False)
        if self._waiting:
            self._waiting.pop(0).bus_free()

    def answering(self, member: object, address: I2cAddress, *, read: bool) -> I2cTarget | None:
        """Who acknowledges an address that ``member`` sends."""
        for device in self.devices:
            port = _Device(device)
            if port.start(address, read=read):
                return port
        for other in self.members:
            if other is not member and other.target.start(address, read=read):
                return other.target
        return None

    def _tell(self, owner: object, *, taken: bool) -> None:
        for other in self.members:
            if other is not owner:
                other.bus_taken(taken)
