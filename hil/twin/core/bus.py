# SPDX-License-Identifier: Apache-2.0
"""The bus that leads accesses outside the memories to the peripherals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hil.twin.core.memory import Memory

PERIPHERALS = 0x4000_0000
DEVICE_REGIONS: tuple[tuple[int, int], ...] = (
    (0x2200_0000, 0x30_0000),  # bit-band alias of SRAM1
    (PERIPHERALS, 0x2000_0000),  # peripherals and their bit-band alias
    (0xA000_0000, 0x2000),  # FMC and QUADSPI registers
    (0xE000_0000, 0x10_0000),  # private peripheral bus
)
"""(address, size) of the regions that may hold registers."""


def is_device(address: int) -> bool:
    """Tell whether an address lies in a region that may hold registers."""
    return any(base <= address < base + size for base, size in DEVICE_REGIONS)


STRONGLY_ORDERED = 0xE000_0000
"""From this address on stores are not buffered (DDI 0403, B3.1): their faults are precise."""

_PAGE_SHIFT = 12
_BIT_BANDS = ((0x2200_0000, 0x2000_0000), (0x4200_0000, 0x4000_0000))
"""(alias, target) of the two bit-band regions, 32 MiB and 1 MiB each: Armv7-M ARM (DDI 0403), B3.1."""
_BIT_BAND_SIZE = 0x200_0000


class BusFault(Exception):  # noqa: N818 - the architecture's name for it
    """An access that nothing on the bus answers, or that its target refuses."""

    def __init__(self, address: int, operation: str, reason: str = "nothing is mapped there") -> None:
        super().__init__(f"bus fault: {operation} at 0x{address:08x}: {reason}")
        self.address = address


class Peripheral(Protocol):
    """A block of registers on the bus."""

    name: str
    base: int
    size: int
    """Bytes, a multiple of 4."""

    def read(self, offset: int, width: int) -> int:
        """Return the register value at `offset`; `width` is 1, 2 or 4 bytes."""

    def write(self, offset: int, width: int, value: int) -> None:
        """Store `value` at `offset`; `width` is 1, 2 or 4 bytes."""


_Route = tuple[Callable[[int, int], int], Callable[[int, int, int], None], int]


class Bus:
    """Finds the peripheral of an address."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._pages: dict[int, list[Peripheral]] = {}
        self._routes: dict[int, _Route] = {}

    def attach(self, peripheral: Peripheral) -> None:
        """Put a peripheral on the bus.

        Raises ValueError if its addresses are not in a device region or overlap another peripheral's.
        """
        first, last = peripheral.base, peripheral.base + peripheral.size - 1
        if not any(base <= first and last < base + size for base, size in DEVICE_REGIONS):
            raise ValueError(f"peripheral {peripheral.name} at 0x{first:08x} is outside the device regions")
        for page in range(first >> _PAGE_SHIFT, (last >> _PAGE_SHIFT) + 1):
            neighbours = self._pages.setdefault(page, [])
            for other in neighbours:
                if other.base <= last and first < other.base + other.size:
                    raise ValueError(
                        f"peripherals {peripheral.name} and {other.name} overlap at 0x{first:08x}"
                    )
            neighbours.append(peripheral)
        self._routes.clear()

    def read(self, address: int, width: int) -> int:
        """Return what a read of `width` bytes gives; raises BusFault where no peripheral answers."""
        route = self._routes.get(address)
        if route is None:
            for alias, target in _BIT_BANDS:
                if alias <= address < alias + _BIT_BAND_SIZE:
                    word, bit = _bit_band_target(address - alias)
                    return self._read_target(target + word) >> bit & 1
            route = self._route(address, "read")
        return route[0](route[2], width) & (1 << 8 * width) - 1

    def write(self, address: int, width: int, value: int) -> None:
        """Store `value` (`width` bytes); raises BusFault where no peripheral answers."""
        route = self._routes.get(address)
        if route is None:
            for alias, target in _BIT_BANDS:
                if alias <= address < alias + _BIT_BAND_SIZE:
                    word, bit = _bit_band_target(address - alias)
                    self._write_bit(target + word, bit, value & 1)
                    return
            route = self._route(address, "write")
        route[1](route[2], width, value & (1 << 8 * width) - 1)

    def _route(self, address: int, operation: str) -> _Route:
        for peripheral in self._pages.get(address >> _PAGE_SHIFT, ()):
            if peripheral.base <= address < peripheral.base + peripheral.size:
                route = (peripheral.read, peripheral.write, address - peripheral.base)
                self._routes[address] = route
                return route
        raise BusFault(address, operation)

    def _read_target(self, address: int) -> int:
        value = self._memory.read(address, 4)
        return self.read(address, 4) if value is None else value

    def _write_bit(self, address: int, bit: int, value: int) -> None:
        word = self._read_target(address) & ~(1 << bit) | value << bit
        if not self._memory.write_ram(address, word.to_bytes(4, "little")):
            self.write(address, 4, word)


def _bit_band_target(offset: int) -> tuple[int, int]:
    """Return word offset and bit number that a bit-band alias word stands for."""
    return offset >> 7 << 2, offset >> 2 & 31
