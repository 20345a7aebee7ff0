# SPDX-License-Identifier: Apache-2.0
"""Memories of the STM32L476 as numpy arrays that the emulator executes from.

Sizes and addresses: RM0351, memory map (1 MiB of flash, also visible at 0; SRAM1 96 KiB, SRAM2 32 KiB, system
memory with boot loader, OTP, identification words and option bytes).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from hil.twin.core.block_hook import (
    FLASH_BASE,
    FLASH_SIZE,
    SRAM1_BASE,
    SRAM1_SIZE,
    SRAM2_BASE,
    SRAM2_SIZE,
    SYSTEM_BASE,
    SYSTEM_SIZE,
)

Bytes = npt.NDArray[np.uint8]
_PAGE = 4096
_ERASED = 0xFF


def _page_aligned(size: int) -> Bytes:
    """Return `size` bytes at a page boundary, as the emulator demands of memory it shares."""
    raw = np.zeros(size + _PAGE, dtype=np.uint8)
    offset = -raw.ctypes.data % _PAGE
    return raw[offset : offset + size]


class Memory:
    """Flash, both SRAMs and the system memory.

    Writing an array changes what the part reads at once.  Code changed that way keeps its old translation
    until `invalidate` is called.
    """

    def __init__(self, seed: int) -> None:
        self.flash = _page_aligned(FLASH_SIZE)
        self.sram1 = _page_aligned(SRAM1_SIZE)
        self.sram2 = _page_aligned(SRAM2_SIZE)
        self.system = _page_aligned(SYSTEM_SIZE)
        self.flash[:] = _ERASED
        self.system[:] = _ERASED
        self.on_invalidate: Callable[[int, int], None] = lambda address, size: None
        """Told the address and size of changed code; the core drops translations."""
        self._random = np.random.default_rng(seed)
        self._regions: tuple[tuple[int, int, Bytes, bool], ...] = (
            (0, FLASH_SIZE, self.flash, False),
            (FLASH_BASE, FLASH_SIZE, self.flash, False),
            (SRAM1_BASE, SRAM1_SIZE, self.sram1, True),
            (SRAM2_BASE, SRAM2_SIZE, self.sram2, True),
            (SYSTEM_BASE, SYSTEM_SIZE, self.system, False),
        )

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

    def is_flash(self, address: int) -> bool:
        """Tell whether a store to `address` belongs to the flash controller (flash, its alias, system
        memory).
        """
        return (
            FLASH_BASE <= address < FLASH_BASE + FLASH_SIZE
            or 0 <= address < FLASH_SIZE
            or SYSTEM_BASE <= address < SYSTEM_BASE + SYSTEM_SIZE
        )

    @staticmethod
    def in_array(address: int) -> bool:
        """Tell whether an address lies in the flash array, at either of its places."""
        return FLASH_BASE <= address < FLASH_BASE + FLASH_SIZE or 0 <= address < FLASH_SIZE

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
        self.on_invalidate(address, len(data))
        return True

    def preload(self, address: int, data: bytes) -> None:
        """Put `data` into one of the memories, as a programmer does before the part is on its board.

        Raises ValueError for a range that is not all in one memory.
        """
        view = self.view(address, len(data))
        if view is None:
            raise ValueError(f"{len(data)} bytes at {address:#010x} are not all in one memory")
        view[:] = np.frombuffer(data, dtype=np.uint8)
        self.on_invalidate(address, len(data))

    def invalidate(self, address: int, size: int) -> None:
        """Forget translated code in a range whose bytes were changed from outside the core."""
        self.on_invalidate(address, size)

    def lose_content(self, *arrays: Bytes) -> None:
        """Fill SRAM arrays (both if none is named) with an SRAM's power-up content: seeded random bytes."""
        for array in arrays or (self.sram1, self.sram2):
            array[:] = self._random.integers(0, 256, array.size, dtype=np.uint8)
            for base, size, candidate, _ in self._regions:
                if candidate is array:
                    self.on_invalidate(base, size)
