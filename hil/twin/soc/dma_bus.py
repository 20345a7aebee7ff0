# SPDX-License-Identifier: Apache-2.0
"""The bus as the DMA controllers see it: memories and peripherals, but not the core's private bus."""

import numpy as np
import numpy.typing as npt

from hil.twin.core.bus import Bus, BusFault
from hil.twin.core.memory import Memory


class DmaBus:
    """A bus master's port."""

    def __init__(self, memory: Memory, peripherals: Bus) -> None:
        self._memory = memory
        self._peripherals = peripherals

    def read(self, address: int, width: int) -> int:
        """Load ``width`` bytes; raises BusFault where nothing answers."""
        value = self._memory.read(address, width)
        return self._peripherals.read(address, width) if value is None else value

    def is_ram(self, address: int, byte_count: int) -> bool:
        """Whether a range lies in one SRAM."""
        return self._memory.ram_view(address, byte_count) is not None

    def write_half_words(self, address: int, values: npt.NDArray[np.int64]) -> None:
        """Store half-words into SRAM; raises BusFault outside."""
        if not self._memory.write_ram(address, values.astype("<u2").tobytes()):
            raise BusFault(address, "write", "not all in one SRAM")

    def write(self, address: int, width: int, value: int) -> None:
        """Store ``width`` bytes; raises BusFault where nothing answers, and for the flash."""
        data = value.to_bytes(width, "little")
        if self._memory.write_ram(address, data):
            return
        if self._memory.takes_no_store(address):
            raise BusFault(address, "write", "DMA cannot write to the flash")
        self._peripherals.write(address, width, value)
