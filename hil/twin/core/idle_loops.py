# SPDX-License-Identifier: Apache-2.0
"""Loops that wait: gone round in one step, whatever they are made of.

The block hook stops the emulator at a loop's first block when it has come there many times. The next rounds
are watched. `loop_prediction` understands rounds of ordinary instructions, also those that count or read a
counter. Any other round must leave everything as it was: if from one look to the next nothing is different
(core registers, SRAM, effects of other kinds), and every device register that was loaded will read the same
until a known cycle, then all further rounds are the same until that cycle or the end of the slice, whichever
comes first. Two rounds of equal length in a row must show it. A loop that does something is found out once
and then left alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hil.twin.core import block_hook, block_timing_word, skipping
from hil.twin.core import state_layout as words
from hil.twin.core.engine import Engine
from hil.twin.core.loop_prediction import LoopPrediction, Outcome
from hil.twin.core.memory import Bytes, Memory
from hil.twin.core.polling import Polling
from hil.twin.core.state_layout import table_place

_ROUNDS = 2
"""Equal rounds in a row that are looked for."""
_RESTARTS = 4
"""Rounds to wait until the flash does the same in each."""
_FAILURES = 4
"""Looks in vain until a loop is left alone; one that waits may do something now and then."""
_WORTH_CYCLES = 2_000
"""A look takes as long as executing some thousand cycles. A flash driver waits for 330 at 4 MHz."""
_INTERRUPTIONS = 20
"""Looks in a row that something else cut short, until a loop is left alone: one around stores into flash."""


@dataclass
class _Look:
    """The program at the head of its loop."""

    head: int
    cycles: int
    effects: int
    stores: int
    disturbances: int
    registers: bytes
    phase: tuple[int, ...]
    deviation: int = 0
    """`DEVIATION` of the block hook."""
    memories: tuple[Bytes, ...] = ()
    """Copies of what it may have written, once it was seen to write."""
    period: int = 0
    rounds: int = 0
    """Rounds that were equal so far."""
    restarts: int = 0
    """Rounds before that whose beginning and end were not alike."""


class IdleLoops:
    """Looks at a loop each time the block hook stops for it."""

    def __init__(
        self,
        engine: Engine,
        memory: Memory,
        polling: Polling,
        prediction: LoopPrediction,
        state: npt.NDArray[np.int64],
    ) -> None:
        self._engine = engine
        self._memory = memory
        self._polling = polling
        self._prediction = prediction
        self._state = state
        self._last: _Look | None = None
        self._failures: Counter[int] = Counter()
        self._interruptions: Counter[int] = Counter()

    @property
    def looking(self) -> bool:
        """A round of a loop is about to be looked at."""
        return self._last is not None

    def interrupted(self) -> None:
        """The emulator stopped for another reason. Where that always happens, a loop is not worth a look."""
        last = self._last
        self.forget()
        if last is not None:
            self._state[words.LOOP_LEFT] = block_hook.LOOP_PATIENCE
            self._interruptions[last.head] += 1
            if self._interruptions[last.head] >= _INTERRUPTIONS:
                self._flag(last.head, block_timing_word.FLAG_BUSY)

    def forget(self) -> None:
        """Begin anew with whatever loop comes next."""
        self._last = None
        self._prediction.forget()
        self._state[words.PATH_LENGTH] = -1

    def look(self) -> None:
        """The program is about to enter the loop's first block again."""
        state, last = self._state, self._last
        now = _Look(
            head=int(state[words.LOOP_HEAD]),
            cycles=int(state[words.CYCLES]),
            effects=int(state[words.EFFECTS]),
            stores=int(state[words.STORES]),
            disturbances=self._polling.disturbances,
            registers=self._engine.snapshot(),
            phase=skipping.phase(state),
            deviation=int(state[words.DEVIATION]),
        )
        if last is not None and now.cycles > last.cycles:
            state[words.ROUND_CYCLES] = now.cycles - last.cycles
            state[words.ROUND_DEVIATION] = now.deviation - last.deviation
        if last is None or last.head != now.head:
            if self._prediction.resume(now.head, now.registers, now.phase):
                self._end(now.head, now.cycles, waited=True)
            else:
                self._watch(now)
            return
        if last.disturbances != now.disturbances or last.effects != now.effects:
            self._leave_alone(now.head)
            return
        if last.phase != now.phase and last.restarts < _RESTARTS:
            now.restarts = last.restarts + 1
            self._prediction.forget()
            self._watch(now)
            return
        outcome = Outcome.UNKNOWN
        now.period = now.cycles - last.cycles
        if last.phase == now.phase:
            outcome = self._prediction.look(last.registers, now.registers, now.period, now.phase)
        if outcome is Outcome.WATCH:
            self._watch(now)
        elif outcome is Outcome.ENDS:
            self._leave_alone(now.head)
        elif outcome is not Outcome.UNKNOWN:
            self._end(now.head, now.cycles, waited=outcome is Outcome.SKIPPED)
        elif not self._compare(last, now):
            self._leave_alone(now.head)
        elif now.rounds < _ROUNDS:
            self._watch(now)
        else:
            self._go_round(now.period)
            self._end(now.head, now.cycles, waited=True)

    def _watch(self, now: _Look) -> None:
        """Have the next round recorded: the block is entered now, and stopped before the next time."""
        self._last = now
        self._state[words.LOOP_LEFT] = 2
        self._state[words.PATH_LENGTH] = 0
        self._polling.watch_round()

    def _end(self, head: int, began: int, *, waited: bool) -> None:
        """Let the loop go on; it is known from now on if it was seen to wait.

        One that waited for less than looking costs, since the cycle `began`, is left alone in the end.
        """
        state = self._state
        if waited and int(state[words.CYCLES]) - began < _WORTH_CYCLES:
            self._leave_alone(head)
            return
        self.forget()
        state[words.LOOP_LEFT] = block_hook.LOOP_PATIENCE
        if waited:
            self._failures.pop(head, None)
            self._interruptions.pop(head, None)
            self._flag(head, block_timing_word.FLAG_WAITS)
            state[words.LOOP_LEFT] = block_hook.LOOP_PATIENCE_KNOWN

    def _compare(self, last: _Look, now: _Look) -> bool:
        """Tell whether the round between two looks may be one of a loop that changes nothing."""
        if last.registers != now.registers or any(load.line for load in self._polling.round_loads):
            return False
        if last.stores != now.stores:
            now.memories = tuple(memory.copy() for memory in self._memory.rams)
            if last.memories and not all(map(np.array_equal, last.memories, now.memories)):
                return False
        settled = last.stores == now.stores or bool(last.memories)
        now.rounds = last.rounds + 1 if settled and now.period == last.period else 0
        return True

    def _go_round(self, period: int) -> None:
        """Count the rounds that end before anything can happen, but the last."""
        state = self._state
        end = min(skipping.quiet_until(state), self._polling.round_until)
        rounds = (end - int(state[words.CYCLES])) // period - 1
        if rounds > 0 and not state[words.STOP_REQUEST]:
            skipping.skip(state, rounds * period)

    def _leave_alone(self, head: int) -> None:
        self._failures[head] += 1
        if self._failures[head] >= _FAILURES:
            self._flag(head, block_timing_word.FLAG_BUSY)
        self.forget()
        self._state[words.LOOP_HEAD] = -1

    def _flag(self, head: int, flag: int) -> None:
        index = table_place(self._state, head)
        if index is not None:
            self._state[index] |= flag << block_timing_word.FLAGS_SHIFT
