# SPDX-License-Identifier: Apache-2.0
"""Loops in which a program waits for a device: answered natively at first, then gone round in one step.

Between two stops of the emulator nothing happens but the program, so a status register reads the same until
the program stores into a device or loads from another: `device_hook` then answers without asking Python.

A loop that loads a status register until it changes leaves nothing behind but the time it took. Two rounds
in a row that begin with the same core registers, take the same cycles and have no effect prove that every
further round is the same until something happens on the bench: then only the cycles need be counted, and
the program sees the change at the very cycle at which it would have seen it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

import numpy as np
import numpy.typing as npt

from hil.twin.core import block_hook, device_hook
from hil.twin.core.engine import Engine

PATIENCE = 64
"""Rounds answered natively before a loop is looked into. Looking costs as much as some hundred such rounds; a
loop that waits for less is over by then."""

_NEVER = 2**62


class _Phase(Enum):
    """How far it is known that the program goes round in a waiting loop."""

    NEW = auto()
    PATIENT = auto()
    FIRST = auto()
    SECOND = auto()


class Polling:
    """Watches the program's device accesses for such loops.

    Only a loop with one device load a round is recognised, and only from a register that the part declares
    fit for it with `allow`.
    """

    def __init__(self, engine: Engine, state: npt.NDArray[np.int64]) -> None:
        self._engine = engine
        self._state = state
        self._steady: dict[int, Callable[[], int | None]] = {}
        self._ignored: dict[int, Callable[[int], bool]] = {}
        self._phase = _Phase.NEW
        self._address = 0
        self._block = 0
        self._cycles = 0
        self._effects = 0
        self._period = 0
        self._registers = b""
        self.cycles_at: Callable[[int], int] = lambda time_ps: 0
        """Converts an instant to core cycles."""

    def allow(self, address: int, changes_at_ps: Callable[[], int | None] = lambda: None) -> None:
        """Name a register whose loads have no effect and whose value changes by stores and events alone, and
        at the instant that `changes_at_ps()` tells, if any.
        """
        self._steady[address] = changes_at_ps

    def allow_store(self, address: int, is_ignored: Callable[[int], bool]) -> None:
        """Name a register where a store may do nothing: `is_ignored(value)` says whether."""
        self._ignored[address] = is_ignored

    def forget(self) -> None:
        """The program was stopped, or did something: what comes between two rounds may change anything."""
        self._phase = _Phase.NEW
        self._state[device_hook.LOADS_LEFT] = 0
        self._state[device_hook.STORE_WIDTH] = 0

    def stored(self, address: int, width: int, value: int, *, watched: bool) -> bool:
        """The program is about to store into a device; return whether the store does nothing.

        Where somebody watches (`watched`) each such store is to be asked about.
        """
        is_ignored = self._ignored.get(address)
        if is_ignored is None or not is_ignored(value):
            self.forget()
            return False
        state = self._state
        state[device_hook.STORES_IGNORED] += 1
        if not watched:
            state[device_hook.STORE_WIDTH] = width
            state[device_hook.STORE_ADDRESS] = address
            state[device_hook.STORE_VALUE] = value
        return True

    def loading(self, address: int) -> None:
        """The program is about to load from a device."""
        if address not in self._steady:
            self.forget()
            return
        state = self._state
        block = int(state[block_hook.BLOCK_START])
        if address != self._address or block != self._block:
            self._phase = _Phase.NEW
        if self._phase is _Phase.NEW:
            self._address, self._block, self._phase = address, block, _Phase.PATIENT
            return
        cycles = int(state[block_hook.BLOCK_CYCLES])
        effects = int(state[block_hook.EFFECTS]) - int(self._state[device_hook.STORES_IGNORED])
        period, same_effects = cycles - self._cycles, effects == self._effects
        self._cycles, self._effects = cycles, effects
        if self._phase is _Phase.PATIENT:
            self._phase = _Phase.FIRST
            self._period = 0
        elif not same_effects:
            self._phase = _Phase.PATIENT
        elif self._phase is _Phase.FIRST:
            self._phase, self._period, self._registers = _Phase.SECOND, period, self._engine.snapshot()
        elif period != self._period or self._registers != (registers := self._engine.snapshot()):
            self._phase = _Phase.PATIENT
        else:
            self._registers = registers
            self._cycles += self._go_round(period)  # up to the change that the load before has announced

    def loaded(self, address: int, width: int, value: int, *, watched: bool) -> None:
        """The program's load from a device gave `value`; where nobody watches it may be given again."""
        state = self._state
        state[device_hook.LOADS_LEFT] = 0
        if self._phase is _Phase.NEW:
            return
        until_ps = self._steady[address]()
        state[device_hook.LOAD_UNTIL] = _NEVER if until_ps is None else self.cycles_at(until_ps)
        if self._phase is _Phase.PATIENT and not watched:
            state[device_hook.LOADS_LEFT] = PATIENCE
            state[device_hook.LOAD_ADDRESS] = address
            state[device_hook.LOAD_WIDTH] = width
            state[device_hook.LOAD_VALUE] = value

    def _go_round(self, period: int) -> int:
        """Count the rounds that end before the slice does, but the last; return their cycles."""
        state = self._state
        end = min(int(state[block_hook.DEADLINE]), int(state[device_hook.LOAD_UNTIL]))
        rounds = (end - int(state[block_hook.CYCLES])) // period - 1
        if rounds <= 0 or state[block_hook.STOP_REQUEST] or not state[block_hook.COUNTING]:
            return 0
        state[block_hook.CYCLES] += rounds * period
        state[block_hook.BLOCK_CYCLES] += rounds * period
        return rounds * period
