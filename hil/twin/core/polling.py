# SPDX-License-Identifier: Apache-2.0
"""Loops in which a program waits for a device, gone round in one step.

A loop that loads a status register until it changes leaves nothing behind but the time it took. Two rounds
in a row that begin with the same core registers, take the same cycles and have no effect prove that every
further round is the same until something happens on the bench: then only the cycles need be counted, and
the program sees the change at the very cycle at which it would have seen it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from hil.twin.core import block_hook
from hil.twin.core.engine import Engine


class Polling:
    """Watches the program's device accesses for such loops.

    Only a loop with one device load a round is recognised, and only from a register that the part declares
    fit for it with `allow`.
    """

    def __init__(self, engine: Engine, state: npt.NDArray[np.int64]) -> None:
        self._engine = engine
        self._state = state
        self._steady: set[int] = set()
        self._ignored: dict[int, Callable[[int], bool]] = {}
        self._address = 0
        self._block = 0
        self._cycles = 0
        self._effects = 0
        self._ignored_stores = 0
        self._period = 0
        self._registers = b""

    def allow(self, address: int) -> None:
        """Name a register whose loads have no effect and whose value changes by stores and events alone."""
        self._steady.add(address)

    def allow_store(self, address: int, is_ignored: Callable[[int], bool]) -> None:
        """Name a register where a store in such a loop may do nothing: `is_ignored(value)` says whether."""
        self._ignored[address] = is_ignored

    def forget(self) -> None:
        """The program was stopped: what comes between two rounds may change anything."""
        self._address = 0

    def stored(self, address: int, value: int) -> None:
        """The program is about to store into a device."""
        is_ignored = self._ignored.get(address)
        if is_ignored is not None and is_ignored(value):
            self._ignored_stores += 1
        else:
            self._address = 0

    def loaded(self, address: int) -> None:
        """The program is loading from a device."""
        if address not in self._steady:
            self._address = 0
            return
        state = self._state
        block, cycles = int(state[block_hook.BLOCK_START]), int(state[block_hook.BLOCK_CYCLES])
        effects = int(state[block_hook.EFFECTS])
        period = cycles - self._cycles
        if address != self._address or block != self._block:
            period = 0  # the first round
        elif effects - self._effects != self._ignored_stores:
            period = 0
        elif self._period == 0:
            self._registers = self._engine.snapshot()
        elif period == self._period:
            registers = self._engine.snapshot()
            if registers == self._registers:
                cycles += self._go_round(period)
            self._registers = registers
        else:
            period = 0
        self._address, self._block, self._cycles, self._effects = address, block, cycles, effects
        self._ignored_stores = 0
        self._period = period

    def _go_round(self, period: int) -> int:
        """Count the rounds that end before the slice does, but the last; return their cycles."""
        state = self._state
        rounds = (int(state[block_hook.DEADLINE]) - int(state[block_hook.CYCLES])) // period - 1
        if rounds <= 0 or state[block_hook.STOP_REQUEST] or not state[block_hook.COUNTING]:
            return 0
        state[block_hook.CYCLES] += rounds * period
        state[block_hook.BLOCK_CYCLES] += rounds * period
        return rounds * period
