# SPDX-License-Identifier: Apache-2.0
"""What the core must know of a part's memories: where they are, how large, and who takes a store to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

PAGE = 4096
"""The emulator shares memory by pages of so many bytes."""
WINDOW_SHIFT = 26
"""The native hooks find a region by these upper bits of an address: a window of 64 MiB holds one."""

_ADDRESS_SPACE = 1 << 32
Kind = Literal["flash", "rom", "ram"]
"""Flash is read through the flash accelerator.  A store to flash or rom goes to the flash's controller."""


@dataclass(frozen=True)
class Region:
    """One memory, at one place or at two."""

    name: str
    base: int
    size: int
    """Bytes, a multiple of `PAGE`."""
    kind: Kind
    alias: int | None = None
    """Where the same bytes can be found as well."""
    banks: int = 1
    """Halves, or other equal parts, of which each is erased and programmed while the others are read."""

    @property
    def places(self) -> tuple[int, ...]:
        """The first address of each place."""
        return (self.base,) if self.alias is None else (self.alias, self.base)


@dataclass(frozen=True)
class MemoryMap:
    """All memories of a part.

    Raises ValueError for regions that overlap, share a window of 64 MiB, have no whole pages or one name, and
    for a second flash.
    """

    regions: tuple[Region, ...]

    def __post_init__(self) -> None:
        if len({region.name for region in self.regions}) < len(self.regions):
            raise ValueError("memory map: two regions have one name")
        if len([region for region in self.regions if region.kind == "flash"]) > 1:
            raise ValueError("memory map: the flash accelerator reads one flash, and there are two")
        for base, region in self.places():
            if base % PAGE or region.size % PAGE or region.size <= 0:
                raise ValueError(f"memory map: {region.name} has no whole pages of {PAGE} bytes")
            if base >> WINDOW_SHIFT != base + region.size - 1 >> WINDOW_SHIFT:
                raise ValueError(f"memory map: {region.name} does not lie in one window of 64 MiB")
        for (base, region), (after, other) in pairwise(sorted(self.places(), key=lambda place: place[0])):
            if base + region.size > after:
                raise ValueError(f"memory map: {region.name} and {other.name} overlap at 0x{after:08x}")
            if base >> WINDOW_SHIFT == after >> WINDOW_SHIFT:
                raise ValueError(
                    f"memory map: {region.name} and {other.name} lie in one window of 64 MiB at 0x{after:08x}"
                )

    def places(self) -> Iterator[tuple[int, Region]]:
        """Give every region with every first address that it has."""
        return ((base, region) for region in self.regions for base in region.places)

    def __getitem__(self, name: str) -> Region:
        """Return the region of a name; raises KeyError."""
        return {region.name: region for region in self.regions}[name]

    @property
    def flash(self) -> Region | None:
        """The flash, None on a part without one."""
        return next((region for region in self.regions if region.kind == "flash"), None)

    @property
    def rams(self) -> tuple[Region, ...]:
        """What the program may write to, in the map's order."""
        return tuple(region for region in self.regions if region.kind == "ram")

    def outside_rams(self) -> list[tuple[int, int]]:
        """Return first and last address of each range that the program cannot write to as to a RAM."""
        rams = sorted((base, base + region.size) for base, region in self.places() if region.kind == "ram")
        ends, starts = [0, *(end for _, end in rams)], [*(base for base, _ in rams), _ADDRESS_SPACE]
        return [(end, start - 1) for end, start in zip(ends, starts, strict=True) if end < start]

    def at(self, address: int) -> Region | None:
        """Return the region that an address lies in, None outside all."""
        for base, region in self.places():
            if base <= address < base + region.size:
                return region
        return None

    def flash_offset(self, address: int) -> int | None:
        """Return how far from the flash's first byte an address lies, None outside the flash."""
        if self.flash is not None:
            for base in self.flash.places:
                if base <= address < base + self.flash.size:
                    return address - base
        return None

    def elsewhere(self, address: int) -> int | None:
        """Return where the byte at an address can be found as well, None if nowhere."""
        for region in self.regions:
            if region.alias is not None:
                for here, there in ((region.base, region.alias), (region.alias, region.base)):
                    if here <= address < here + region.size:
                        return address - here + there
        return None
