# SPDX-License-Identifier: Apache-2.0
"""The virtual part with no bench around it: a program in its flash, a supply, and time."""

from __future__ import annotations

import numpy as np

from hil.boards import REFERENCE, Board
from hil.firmware.image import FLASH_START, Image
from hil.twin.mcu import Mcu
from hil.twin.pins import make_pins
from hil.twin.soc.stm32l4.clock_tree import LSI_HZ

PS_PER_S = 10**12
BLOCKS = Board.load(REFERENCE).part.blocks
"""Addresses, interrupts and DMA requests of the reference board's part."""
SVD = Board.load(REFERENCE).part.svd
"""Its register description, a file of pyOCD."""
IDLE_PROGRAM = np.array([0x2000_8000, 0x0800_0009, 0xBF30B672, 0x0000_E7FD], dtype="<u4").tobytes()
"""Stack pointer, reset vector, then: cpsid i; loop: wfi; b loop. Masked interrupts still end WFI."""


class BarePart:
    """A part with a program, without supply yet; ``mcu.set_supply_voltage`` starts it."""

    def __init__(
        self,
        program: Image | bytes = IDLE_PROGRAM,
        *,
        seed: int = 1,
        lsi_hz: int = LSI_HZ,
        board: str = REFERENCE,
    ) -> None:
        self.pins = make_pins()
        self.board = Board.load(board)
        self.mcu = Mcu(self.board, self.pins, seed=seed, lsi_hz=lsi_hz)
        if isinstance(program, bytes):
            self.mcu.core.memory.preload(FLASH_START, program)
        else:
            for segment in program.segments:
                self.mcu.core.memory.preload(segment.address, segment.data)

    @property
    def now_ps(self) -> int:
        """The time since the part was made."""
        return self.mcu.scheduler.now_ps

    @property
    def now_s(self) -> float:
        """The same in s."""
        return self.now_ps / PS_PER_S

    def advance(self, duration_s: float) -> None:
        """Let time pass."""
        self.advance_to(self.now_ps + round(duration_s * PS_PER_S))

    def advance_to(self, time_ps: int) -> None:
        """Let time pass up to an instant."""
        while self.now_ps < time_ps:  # somebody's event may ask the scheduler to stop
            self.mcu.scheduler.advance_to(time_ps)

    def read_word(self, address: int) -> int:
        """A word, as the debugger sees it."""
        return self.mcu.core.debug_read(address, 4)

    def write_word(self, address: int, value: int) -> None:
        """Write a word, as the debugger does."""
        self.mcu.core.debug_write(address, 4, value)

    @property
    def current_a(self) -> float:
        """The supply current now."""
        return self.mcu.supply.current_a

    def mean_current_a(self, duration_s: float) -> float:
        """The mean supply current over the time to come."""
        start_ps = self.now_ps
        self.advance(duration_s)
        return float(self.mcu.supply.mean_current_a(np.array([start_ps, self.now_ps], dtype=np.int64))[0])
