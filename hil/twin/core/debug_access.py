# SPDX-License-Identifier: Apache-2.0
"""The memory map as the debug port's AHB-AP sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from hil.twin.core.bus import Bus, BusFault
from hil.twin.core.memory import Memory
from hil.twin.core.surroundings import Surroundings
from hil.twin.core.system_control import SystemControlSpace


class DebugTarget(Protocol):
    """What decides whether the debug port reaches the bus."""

    debug_access_ok: bool

    @property
    def state(self) -> str:
        """The core's state."""


class DebugAccess:
    """Accesses from the debug port.  They take no time: whoever makes them advances the scheduler."""

    def __init__(
        self,
        core: DebugTarget,
        memory: Memory,
        bus: Bus,
        system_control: SystemControlSpace,
        surroundings: Surroundings,
    ) -> None:
        self._core = core
        self._memory = memory
        self._bus = bus
        self._system_control = system_control
        self._surroundings = surroundings

    def read(self, address: int, width: int) -> int:
        """Return the value at `address`; raises BusFault if nothing answers or the bus is out of reach."""
        self._check(address, width, "debug read")
        value = self._memory.read(address, width)
        if value is not None:
            return value
        self._system_control.from_debugger = True
        try:
            return self._bus.read(address, width)
        finally:
            self._system_control.from_debugger = False

    def write(self, address: int, width: int, value: int) -> None:
        """Store `value`; raises BusFault if nothing answers or the bus is out of reach."""
        self._check(address, width, "debug write")
        value &= (1 << 8 * width) - 1
        if self._memory.takes_no_store(address):
            self._surroundings.flash_written(address, width, value)
            return
        if self._memory.write_ram(address, value.to_bytes(width, "little")):
            return
        self._system_control.from_debugger = True
        try:
            self._bus.write(address, width, value)
        finally:
            self._system_control.from_debugger = False

    def read_block(self, address: int, byte_count: int) -> bytes:
        """Return a range; raises BusFault as `read` does."""
        self._check(address, byte_count, "debug read")
        view = self._memory.view(address, byte_count)
        if view is not None:
            return view.tobytes()
        return b"".join(
            self.read(at, width).to_bytes(width, "little") for at, width in _accesses(address, byte_count)
        )

    def write_block(self, address: int, data: bytes) -> None:
        """Store a range; raises BusFault as `write` does."""
        self._check(address, len(data), "debug write")
        if self._memory.write_ram(address, data):
            return
        for at, width in _accesses(address, len(data)):
            self.write(at, width, int.from_bytes(data[at - address : at - address + width], "little"))

    def _check(self, address: int, byte_count: int, operation: str) -> None:
        if self._core.state == "unpowered":
            raise BusFault(address, operation, "the part is not powered")
        if not self._core.debug_access_ok:
            raise BusFault(address, operation, "the bus clock is stopped (DBGMCU does not keep it on)")
        closed = self._surroundings.closed_to_debugger(address, byte_count)
        if closed is not None:
            raise BusFault(address, operation, closed)


def _accesses(address: int, byte_count: int) -> Iterator[tuple[int, int]]:
    """Split a range into the widest aligned accesses: (address, width)."""
    end = address + byte_count
    while address < end:
        width = (
            4
            if address % 4 == 0 and end - address >= 4
            else 2
            if address % 2 == 0 and end - address >= 2
            else 1
        )
        yield address, width
        address += width
