# SPDX-License-Identifier: Apache-2.0
"""The memories of a part as numpy arrays that the emulator executes from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hil.twin.core.memory_map import PAGE, WINDOW_SHIFT, MemoryMap
from hil.twin.signal import Signal

Bytes = npt.NDArray[np.uint8]
_ERASED = 0xFF


def _page_aligned(size: int) -> Bytes:
    """Return `size` bytes at a page boundary, as the emulator demands of memory it shares."""
    raw = np.zeros(size + PAGE, dtype=np.uint8)
    offset = -raw.ctypes.data % PAGE
    return raw[offset : offset + size]


class Memory:
    """The memories of a map, each by its name: `memory["sram1"]`.

    Writing an array changes what the part reads at once.  Code changed that way keeps its old translation
    until `invalidate` is called.
    """

    def __init__(self, memory_map: MemoryMap, seed: int) -> None:
        self.map = memory_map
        self._arrays = {region.name: _page_aligned(region.size) for region in memory_map.regions}
        for region in memory_map.regions:
            if region.kind != "ram":
                self._arrays[region.name][:] = _ERASED
        self.invalidated: Signal[[int, int]] = Signal()
        """Tells the address and size of changed code; the core drops translations."""
        self._random = np.random.default_rng(seed)
        self._regions: tuple[tuple[int, int, Bytes, bool], ...] = tuple(
            (base, region.size, self._arrays[region.name], region.kind == "ram")
            for base, region in memory_map.places()
        )
        self._taken_by_controller = {
            base >> WINDOW_SHIFT: (base, size) for base, size, _, ram in self._regions if not ram
        }

    def __getitem__(self, name: str) -> Bytes:
        """Return the bytes of a memory by its name; raises KeyError."""
        return self._arrays[name]

    def __getattr__(self, name: str) -> Bytes:
        """As `memory[name]`: `memory.sram1`. Raises AttributeError."""
        arrays: dict[str, Bytes] = self.__dict__.get("_arrays", {})
        if name not in arrays:
            raise AttributeError(f"no memory is called {name}")
        return arrays[name]

    @property
    def rams(self) -> tuple[Bytes, ...]:
        """The bytes of what the program may write to, in the map's order."""
        return tuple(self._arrays[region.name] for region in self.map.rams)

    def regions(self) -> tuple[tuple[int, int, int, bool], ...]:
        """Return (address, size, host pointer, writable) of every range of the memory map, the alias at 0
        included.
        """
        return tuple((base, size, array.ctypes.data, ram) for base, size, array, ram in self._regions)

    def view(self, address: int, byte_count: int) -> Bytes | None:
        """Return the bytes of a range that lies in one memory, else None."""
        for base, size, array, _ in self._regions:
            if base <= address and address + byte_count <= base + size:
                return array[address - base : address - base + byte_count]
        return None

    def ram_view(self, address: int, byte_count: int) -> Bytes | None:
        """Return the bytes of a range that lies in one SRAM, else None."""
        for base, size, array, ram in self._regions:
            if ram and base <= address and address + byte_count <= base + size:
                return array[address - base : address - base + byte_count]
        return None

    def takes_no_store(self, address: int) -> bool:
        """Tell whether a store to `address` goes to the flash's controller."""
        base, size = self._taken_by_controller.get(address >> WINDOW_SHIFT, (0, 0))
        return base <= address < base + size

    def read(self, address: int, width: int) -> int | None:
        """Return the little-endian value at `address`, None outside these memories."""
        view = self.view(address, width)
        return None if view is None else int.from_bytes(view.tobytes(), "little")

    def write_ram(self, address: int, data: bytes) -> bool:
        """Store `data` into SRAM from outside the core; return False if it is not all in one SRAM."""
        view = self.ram_view(address, len(data))
        if view is None:
            return False
        view[:] = np.frombuffer(data, dtype=np.uint8)
        self.invalidated(address, len(data))
        return True

    def preload(self, address: int, data: bytes) -> None:
        """Put `data` into one of the memories, as a programmer does before the part is on its board.

        Raises ValueError for a range that is not all in one memory.
        """
        view = self.view(address, len(data))
        if view is None:
            raise ValueError(f"{len(data)} bytes at {address:#010x} are not all in one memory")
        view[:] = np.frombuffer(data, dtype=np.uint8)
        self.invalidated(address, len(data))

    def invalidate(self, address: int, size: int) -> None:
        """Forget translated code in a range whose bytes were changed from outside the core."""
        self.invalidated(address, size)

    def lose_content(self, *arrays: Bytes) -> None:
        """Fill SRAM arrays (all if none is named) with an SRAM's power-up content: seeded random bytes."""
        for array in arrays or self.rams:
            array[:] = self._random.integers(0, 256, array.size, dtype=np.uint8)
            for base, size, candidate, _ in self._regions:
                if candidate is array:
                    self.invalidated(base, size)
