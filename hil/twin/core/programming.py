# SPDX-License-Identifier: Apache-2.0
"""Flash programming without Python: the double words after the first of a page go like the first.

The flash controller programs the first one and says under which circumstances; `device_hook` serves what
follows as long as they hold, and writes down what it has programmed. Before anybody can look at the
controller - the emulator stops, or asks Python about another access - the controller is told all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hil.twin.core import block_hook, device_hook
from hil.twin.core.core_clock import PS_PER_S, CoreClock
from hil.twin.core.cycle_counter import CycleCounter
from hil.twin.core.engine import Engine

Programmed = Sequence[tuple[int, int]]
"""Offset and instant (ps) of double words, in their order."""


@dataclass(frozen=True)
class Circumstances:
    """How a double word was programmed."""

    status_address: int
    control_address: int
    status: int
    """The status register without BSY; no error is set."""
    control: int
    """The control register: nothing but PG and locks is set."""
    page: int
    """Offset of the page, which nothing protects."""
    page_size: int
    duration_ps: int
    catch_up: Callable[[Programmed, int, tuple[int, int] | None], None]
    """Is told what else was programmed, the control register, and offset and value of a half double word."""


class Programming:
    """Lets the program's further double words be programmed natively."""

    def __init__(
        self,
        engine: Engine,
        counter: CycleCounter,
        cells: npt.NDArray[np.uint8],
        undisturbed: Callable[[], bool],
    ) -> None:
        """``undisturbed`` says whether nobody watches or checks the program's accesses."""
        self._engine = engine
        self._counter = counter
        self._state = counter.state
        self._undisturbed = undisturbed
        self._catch_up: Callable[[Programmed, int, tuple[int, int] | None], None] = lambda *told: None
        self._state[device_hook.CELLS] = cells.ctypes.data
        self.clock: CoreClock | None = None

    def go_on(self, like: Circumstances) -> None:
        """The store under way has completed a double word: the next ones may go like it."""
        state, clock = self._state, self.clock
        if not self._engine.is_running or clock is None or not self._undisturbed():
            return
        if self._counter.has_code(block_hook.FLASH_BASE + like.page, like.page_size):
            return
        block, pc = self._counter.present_block(), self._engine.pc
        # How many cycles the end is away may depend on where between two picoseconds the store is.
        longest = like.duration_ps * clock.hclk_hz // PS_PER_S
        if block is None or longest != (like.duration_ps - 1) * clock.hclk_hz // PS_PER_S:
            return
        state[device_hook.STATUS_ADDRESS] = like.status_address
        state[device_hook.STATUS] = like.status
        state[device_hook.CONTROL_ADDRESS] = like.control_address
        state[device_hook.CONTROL] = like.control
        state[device_hook.PAGE] = like.page
        state[device_hook.PAGE_SIZE] = like.page_size
        state[device_hook.FIRST_OFFSET] = -1
        state[device_hook.DURATION] = longest
        state[block_hook.FLASH_BUSY_BANKS] = 1 << (like.page // (block_hook.FLASH_SIZE // 2))
        state[device_hook.BUSY_UNTIL] = self._counter.cycles_inside_block(pc) + longest
        state[device_hook.POLLS_LEFT] = device_hook.PATIENCE
        state[device_hook.SITE_BLOCK] = state[block_hook.BLOCK_START]
        state[device_hook.SITE_END] = state[block_hook.BLOCK_END]
        state[device_hook.SITE_PC] = pc
        state[device_hook.SITE_CYCLES] = block.cycles_to(pc)
        state[device_hook.SITE_BLOCK_CYCLES] = block.cycles
        state[device_hook.COUNT] = 0
        state[device_hook.PROGRAMMING] = state[block_hook.LOOPS_ARE_BUSY] = 1
        self._catch_up = like.catch_up

    def catch_up(self) -> None:
        """Program in Python again, after telling the controller what was programmed without."""
        state, clock = self._state, self.clock
        if not state[device_hook.PROGRAMMING] or clock is None:
            return
        state[device_hook.PROGRAMMING] = state[block_hook.LOOPS_ARE_BUSY] = 0
        words = state[block_hook.PROGRAMMED :][: device_hook.ENTRY_WORDS * int(state[device_hook.COUNT])]
        entries = iter(words.tolist())
        first = int(state[device_hook.FIRST_OFFSET])
        self._catch_up(
            [(offset, clock.time_ps(cycles)) for offset, cycles in zip(entries, entries, strict=True)],
            int(state[device_hook.CONTROL]),
            None if first < 0 else (first, int(state[device_hook.FIRST_VALUE])),
        )
