# SPDX-License-Identifier: Apache-2.0
"""Loops in which a program waits for a device: answered natively at first, then executed in one step.

Between two stops of the emulator only the program changes anything. A status register therefore reads the
same until the program stores into a device or loads from another, and `device_hook` answers without asking
Python.

A loop that loads a status register until it changes has no effect but the time it takes. When two rounds have
identical registers, identical cycles and no effects, all later rounds are identical until the next event. So
only their cycles are added. The program sees the change at the same cycle as if each round had been executed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
import numpy.typing as npt

from hil.twin.core import block_hook, skipping
from hil.twin.core import state_layout as words
from hil.twin.core.counter_line import CounterLine
from hil.twin.core.engine import Engine
from hil.twin.core.memory import Memory

_PATIENCE_TAKEN = 8
"""What a load answered in Python takes of the patience with its loop: such rounds are slow."""
PATIENCE = 64
"""Rounds answered natively before a loop is looked into. Looking costs as much as some hundred such rounds; a
loop that waits for less is over by then."""

_NEVER = 2**62


@dataclass(frozen=True)
class DeviceLoad:
    """A load from a device that does nothing but read."""

    address: int
    width: int
    value: int
    cycles: int
    """When it took place."""
    line: CounterLine | None
    """How the value goes on; None: it stays."""


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

    def __init__(
        self,
        engine: Engine,
        memory: Memory,
        state: npt.NDArray[np.int64],
        cycles_at: Callable[[int], int],
        cycles_now: Callable[[], int],
    ) -> None:
        """``cycles_at`` converts an instant to core cycles, ``cycles_now`` tells the cycles up to the present
        access.
        """
        self._engine = engine
        self._memory = memory
        self._state = state
        self._steady: dict[int, Callable[[], int | None]] = {}
        self._counters: dict[int, Callable[[], CounterLine | None]] = {}
        self._ignored: dict[int, Callable[[int], bool]] = {}
        self._phase = _Phase.NEW
        self._address = 0
        self._block = 0
        self._cycles = 0
        self._effects = self._stores = 0
        self._deviation = 0
        self._period = 0
        self._left_behind = b""
        self._round_is_watched = False
        self.disturbances = 0
        """Accesses so far that did something, or whose like may do something else or read otherwise."""
        self.round_until = _NEVER
        """The cycles until which the loads since `watch_round` read the same."""
        self.round_loads: list[DeviceLoad] = []
        """The loads since `watch_round`."""
        self.round_stores: set[tuple[int, int, int]] = set()
        """Address, width and value of the stores since then, none of which did anything."""
        self._cycles_at = cycles_at
        self._cycles_now = cycles_now

    def allow(self, address: int, changes_at_ps: Callable[[], int | None] = lambda: None) -> None:
        """Name a register whose loads have no effect and whose value changes by stores and events alone, and
        at the instant that `changes_at_ps()` tells, if any.
        """
        self._steady[address] = changes_at_ps

    def allow_counter(self, address: int, line: Callable[[], CounterLine | None]) -> None:
        """Name a register that counts, and whose loads have no effect: `line()` tells how it goes on from the
        load just done, None if that cannot be told.
        """
        self._counters[address] = line

    def allow_store(self, address: int, is_ignored: Callable[[int], bool]) -> None:
        """Name a register where a store may do nothing: `is_ignored(value)` says whether."""
        self._ignored[address] = is_ignored

    def forget(self) -> None:
        """The program was stopped: what comes between two rounds may change anything."""
        self._round_is_watched = False
        self._restart()

    def watch_round(self) -> None:
        """Be asked about every load from now on, until the program is stopped."""
        self._restart()
        self._round_is_watched = True
        self.round_until = _NEVER
        self.round_loads.clear()
        self.round_stores.clear()

    def disturb(self) -> None:
        """The program did something."""
        self.disturbances += 1
        self._restart()

    def _restart(self) -> None:
        self._phase = _Phase.NEW
        self._state[words.LOADS_LEFT] = 0
        self._state[words.STORE_WIDTH] = 0

    def stored(self, address: int, width: int, value: int, *, watched: bool) -> bool:
        """The program is about to store into a device; return whether the store does nothing.

        Where somebody watches (`watched`) each such store is to be asked about.
        """
        is_ignored = self._ignored.get(address)
        if is_ignored is None or not is_ignored(value):
            self.disturb()
            return False
        state = self._state
        state[words.STORES_IGNORED] += 1
        if self._round_is_watched:
            self.round_stores.add((address, width, value & (1 << 8 * width) - 1))
        if not watched:
            state[words.STORE_WIDTH] = width
            state[words.STORE_ADDRESS] = address
            state[words.STORE_VALUE] = value
        return True

    def loading(self, address: int) -> None:
        """The program is about to load from a device."""
        state = self._state
        if state[words.LOOP_LEFT] > _PATIENCE_TAKEN:
            state[words.LOOP_LEFT] -= _PATIENCE_TAKEN
        if address not in self._steady:
            if address in self._counters:
                self._restart()
            else:
                self.disturb()
            return
        if self._round_is_watched:
            return
        block = int(state[words.BLOCK_START])
        if address != self._address or block != self._block:
            self._phase = _Phase.NEW
        if self._phase is _Phase.NEW:
            self._address, self._block, self._phase = address, block, _Phase.PATIENT
            return
        cycles = int(state[words.BLOCK_CYCLES])
        effects, stores = int(state[words.EFFECTS]), int(state[words.STORES])
        period, same_effects = cycles - self._cycles, effects == self._effects
        has_stored = stores != self._stores
        self._cycles, self._effects, self._stores = cycles, effects, stores
        deviation = int(state[words.DEVIATION])
        if period > 0:
            state[words.ROUND_CYCLES] = period
            state[words.ROUND_DEVIATION] = deviation - self._deviation
        self._deviation = deviation
        if self._phase is _Phase.PATIENT:
            self._phase = _Phase.FIRST
            self._period = 0
        elif not same_effects:
            self._phase = _Phase.PATIENT
        elif self._phase is _Phase.FIRST:
            self._phase, self._period = _Phase.SECOND, period
            self._left_behind = self._now_left_behind(has_stored)
        elif period != self._period or self._left_behind != (left := self._now_left_behind(has_stored)):
            self._phase = _Phase.PATIENT
        else:
            self._left_behind = left
            self._cycles += self._go_round(period)  # up to the change that the load before has announced
            self._deviation = int(state[words.DEVIATION])

    def loaded(self, address: int, width: int, value: int, *, watched: bool) -> None:
        """The program's load from a device gave `value`; where nobody watches it may be given again."""
        state = self._state
        state[words.LOADS_LEFT] = 0
        if self._phase is _Phase.NEW and not self._round_is_watched:
            return
        line = None
        if address in self._steady:
            until_ps = self._steady[address]()
        elif address in self._counters:
            line = self._counters[address]()
            if line is None or watched:
                self.disturb()
                return
            until_ps = line.until_ps
        else:
            return
        until = _NEVER if until_ps is None else self._cycles_at(until_ps)
        state[words.LOAD_UNTIL] = until
        self.round_until = min(self.round_until, until)
        if self._round_is_watched:
            self.round_loads.append(DeviceLoad(address, width, value, self._cycles_now(), line))
        if self._phase is _Phase.PATIENT and not watched and not self._round_is_watched:
            state[words.LOADS_LEFT] = PATIENCE
            state[words.LOAD_ADDRESS] = address
            state[words.LOAD_WIDTH] = width
            state[words.LOAD_VALUE] = value

    def _go_round(self, period: int) -> int:
        """Count the rounds that end before the slice does, but the last; return their cycles."""
        state = self._state
        end = min(skipping.quiet_until(state), int(state[words.LOAD_UNTIL]))
        rounds = (end - int(state[words.CYCLES])) // period - 1
        if rounds <= 0 or state[words.STOP_REQUEST] or not state[words.COUNTING]:
            return 0
        skipping.skip(state, rounds * period)
        state[words.LOOP_LEFT] = block_hook.LOOP_PATIENCE
        return rounds * period

    def _now_left_behind(self, has_stored: bool) -> bytes:
        """What a round leaves behind: core registers, and SRAM if it stores."""
        registers = self._engine.snapshot()
        if not has_stored:
            return registers
        return registers + b"".join(memory.tobytes() for memory in self._memory.rams)
