# SPDX-License-Identifier: Apache-2.0
"""Loops that change nothing: gone round in one step, whatever they are made of.

The block hook stops the emulator at a loop's first block when it has come there many times. If from there to
the next time nothing is different (core registers, SRAM, effects of other kinds), and every device register
that was loaded will read the same until a known cycle, then all further rounds are the same until that cycle
or the end of the slice, whichever comes first: only their cycles need be counted. Two rounds of equal length
in a row must show it. A loop that does something is found out once and then left alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hil.twin.core import block_hook
from hil.twin.core.engine import Engine
from hil.twin.core.memory import Bytes, Memory
from hil.twin.core.polling import Polling

_ROUNDS = 2
"""Equal rounds in a row that are looked for."""
_FAILURES = 4
"""Looks in vain until a loop is left alone; one that waits may do something now and then."""


@dataclass
class _Look:
    """The program at the head of its loop."""

    head: int
    cycles: int
    effects: int
    stores: int
    disturbances: int
    registers: bytes
    memories: tuple[Bytes, ...] = ()
    """Copies of what it may have written, once it was seen to write."""
    period: int = 0
    rounds: int = 0
    """Rounds that were equal so far."""


class IdleLoops:
    """Looks at a loop each time the block hook stops for it."""

    def __init__(
        self, engine: Engine, memory: Memory, polling: Polling, state: npt.NDArray[np.int64]
    ) -> None:
        self._engine = engine
        self._memory = memory
        self._polling = polling
        self._state = state
        self._last: _Look | None = None
        self._failures: Counter[int] = Counter()

    @property
    def looking(self) -> bool:
        """A round of a loop is about to be looked at."""
        return self._last is not None

    def forget(self) -> None:
        """The emulator stopped for another reason."""
        self._last = None

    def look(self) -> None:
        """The program is about to enter the loop's first block again."""
        state, last = self._state, self._last
        now = _Look(
            head=int(state[block_hook.LOOP_HEAD]),
            cycles=int(state[block_hook.CYCLES]),
            effects=int(state[block_hook.EFFECTS]),
            stores=int(state[block_hook.STORES]),
            disturbances=self._polling.disturbances,
            registers=self._engine.snapshot(),
        )
        if last is not None and last.head == now.head and not self._compare(last, now):
            self._leave_alone(now.head)
            return
        self._last = now
        if now.rounds >= _ROUNDS:
            self._go_round(now.period)
            self._last = None
            del self._failures[now.head]
            state[block_hook.LOOP_LEFT] = block_hook.LOOP_PATIENCE
            return
        state[block_hook.LOOP_LEFT] = 2  # the block is entered now, and stopped before the next time
        self._polling.watch_round()

    def _compare(self, last: _Look, now: _Look) -> bool:
        """Tell whether the round between two looks may be one of a loop that changes nothing."""
        if last.disturbances != now.disturbances or last.effects != now.effects:
            return False
        if last.registers != now.registers:
            return False
        if last.stores != now.stores:
            now.memories = (self._memory.sram1.copy(), self._memory.sram2.copy())
            if last.memories and not all(map(np.array_equal, last.memories, now.memories)):
                return False
        period = now.cycles - last.cycles
        settled = last.stores == now.stores or bool(last.memories)
        now.rounds = last.rounds + 1 if settled and period == last.period else 0
        now.period = period
        return True

    def _go_round(self, period: int) -> None:
        """Count the rounds that end before anything can happen, but the last."""
        state = self._state
        end = min(int(state[block_hook.DEADLINE]), self._polling.round_until)
        rounds = (end - int(state[block_hook.CYCLES])) // period - 1
        if rounds > 0 and not state[block_hook.STOP_REQUEST]:
            block_hook.skip(state, rounds * period)

    def _leave_alone(self, head: int) -> None:
        self._failures[head] += 1
        index = block_hook.table_index(head)
        if index is not None and self._failures[head] >= _FAILURES:
            self._state[index] |= block_hook.FLAG_BUSY << block_hook.FLAGS_SHIFT
        self._state[block_hook.LOOP_HEAD] = -1
        self._last = None
