# SPDX-License-Identifier: Apache-2.0
"""Loops that count or wait for a count: led at once to the round in which they end, or to the next event.

A round was watched: its blocks, and its loads from devices. `loop_path` makes operations of it, with which
`loop_evaluation` works out how many rounds go alike and what is in the registers and in memory after them.
Before a loop's rounds are skipped for the first time, one of them is worked out, executed, and compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

import numpy as np
import numpy.typing as npt
from unicorn import arm_const as arm

from hil.twin.core import block_timing_word, skipping
from hil.twin.core import loop_evaluation as ev
from hil.twin.core import state_layout as words
from hil.twin.core.core_clock import PS_PER_S, CoreClock
from hil.twin.core.engine import Engine
from hil.twin.core.loop_path import NotPredictableError, operations_of
from hil.twin.core.memory import Memory
from hil.twin.core.polling import DeviceLoad, Polling
from hil.twin.core.state_layout import table_place
from hil.twin.core.trap_hooks import CORE_REGISTERS

Words = npt.NDArray[np.int64]
_MOST_PLANS = 256
_MOST_ROUNDS = 1 << 30
_FLAGS_SHIFT = 28
_LONGEST_PS = 1 << 61
_ROUNDS_OF_TAINT = 3
_NO_LOADS = np.zeros((0, ev.LOAD_WORDS), dtype=np.int64)
_TEMPORARIES = [ev.TEMPORARY, ev.SECOND_TEMPORARY]


class Outcome(Enum):
    """What became of a look at a loop."""

    SKIPPED = auto()
    """Rounds were skipped."""
    ENDS = auto()
    """The next round is another one."""
    NO_TIME = auto()
    """Something happens before the next round has ended."""
    WATCH = auto()
    """The next round must be watched too."""
    UNKNOWN = auto()
    """Cannot be predicted."""


@dataclass
class _Plan:
    """A round of a loop."""

    blocks: tuple[tuple[int, bytes], ...]
    """Address and code of its blocks."""
    operations: Words
    places: list[tuple[int, int]] = field(default_factory=list)
    """Address and width of its words of memory, in the order of their values."""
    stored: set[int] = field(default_factory=set)
    """Those that it stores to."""
    period: int = 0
    """Its cycles, once a prediction came true; 0 before."""
    deviation: int = 0
    """What it draws, as `DEVIATION` counts it, in so many cycles."""
    phase: tuple[int, ...] = ()
    """What was so at its head when it took as many."""

    @property
    def has_device(self) -> bool:
        """It loads from devices or stores to them."""
        return bool((self.operations[:, ev.CODE] >= ev.DEVICE_LOAD).any())


@dataclass
class _Expected:
    """What the round to come was predicted to do."""

    plan: _Plan
    period: int
    values: Words


class LoopPrediction:
    """Looks at the rounds of a loop."""

    def __init__(
        self,
        engine: Engine,
        memory: Memory,
        polling: Polling,
        state: Words,
        clock: CoreClock,
        is_watched: Callable[[], bool],
    ) -> None:
        """``is_watched`` tells whether somebody is to hear of a load or a store of some value."""
        self._engine = engine
        self._memory = memory
        self._polling = polling
        self._state = state
        self._plans: dict[tuple[tuple[int, bytes], ...], _Plan | None] = {}
        self._expected: _Expected | None = None
        self._known: dict[int, _Plan] = {}
        """By their heads, rounds without devices that were skipped."""
        self._where = np.zeros(2, dtype=np.int64)
        self._clock = clock
        self._is_watched = is_watched

    def forget(self) -> None:
        """The program was stopped, or is somewhere else."""
        self._expected = None

    def resume(self, head: int, registers: bytes, phase: tuple[int, ...]) -> bool:
        """Skip rounds of a loop that is known, without watching one first; return whether that was done."""
        plan, clock = self._known.get(head), self._clock
        if plan is None or self._is_watched():
            return False
        if plan.phase != phase or not plan.period:
            return False
        for address, code in plan.blocks:
            view = self._memory.view(address, len(code))
            if view is None or view.tobytes() != code:
                return False
        self._polling.watch_round()
        # The round that was looked at last may be another loop's.
        self._state[words.ROUND_CYCLES], self._state[words.ROUND_DEVIATION] = plan.period, plan.deviation
        values = self._values(plan, registers)
        round_ = _Round(plan.operations, _NO_LOADS, clock.hclk_hz, plan.period, self._where)
        return self._skip(plan, values, round_, steady=True) is Outcome.SKIPPED

    def look(self, before: bytes, registers: bytes, period: int, phase: tuple[int, ...]) -> Outcome:
        """A round of `period` cycles was watched, and the program is at the loop's head again.

        `before` and `registers` are what the core registers held at its two ends, `phase` is what both ends
        had in common (`skipping.phase`).
        """
        expected, self._expected = self._expected, None
        clock = self._clock
        plan = None if self._is_watched() else self._plan()
        if plan is None:
            return Outcome.UNKNOWN
        loads = self._loads(period, clock)
        if loads is None:
            return Outcome.UNKNOWN
        steady = not loads[:, [ev.KIND, ev.PER_ROUND]].any()
        if steady and plan.period == period and before == registers and not plan.stored:
            return self._go_on(period)
        values = self._bound(plan, registers, loads, period, clock.hclk_hz)
        if values is None:
            return Outcome.UNKNOWN
        if expected is not None and expected.plan is plan and expected.period == period:
            if not _same(expected.values, values, len(plan.places)):
                return Outcome.UNKNOWN
            plan.period, plan.phase = period, phase
            plan.deviation = int(self._state[words.ROUND_DEVIATION])
            if not plan.has_device:
                self._known[plan.blocks[0][0]] = plan
        if plan.period == period:
            round_ = _Round(plan.operations, loads, clock.hclk_hz, period, self._where)
            return self._skip(plan, values, round_, steady=steady)
        said = ev.evaluate(
            plan.operations, loads, values, np.zeros(ev.VALUES, np.int64), 0, 1, clock.hclk_hz, period,
            self._where,
        )  # fmt: skip
        if said != ev.ALIKE:
            return Outcome.ENDS if said == ev.DIFFERENT else Outcome.UNKNOWN
        self._expected = _Expected(plan, period, values)
        return Outcome.WATCH

    def _plan(self) -> _Plan | None:
        """The plan of the round that was watched, None if it cannot be one."""
        blocks = []
        for address in skipping.recorded_path(self._state):
            index = table_place(self._state, address)
            size = 0 if index is None else block_timing_word.size_of(int(self._state[index]))
            view = self._memory.view(address, size) if size else None
            if view is None:
                return None
            blocks.append((address, view.tobytes()))
        key = tuple(blocks)
        if not key:
            return None
        if key not in self._plans:
            if len(self._plans) >= _MOST_PLANS:
                self._plans.clear()
                self._known.clear()
            try:
                self._plans[key] = _Plan(key, _words(operations_of(key)))
            except NotPredictableError:
                self._plans[key] = None
        return self._plans[key]

    def _loads(self, period: int, clock: CoreClock) -> Words | None:
        """The round's loads from devices as `loop_evaluation` takes them; None if one cannot be told."""
        watched = self._polling.round_loads
        made = np.zeros((len(watched), ev.LOAD_WORDS), dtype=np.int64)
        for row, load in zip(made, watched, strict=True):
            if not self._describe(row, load, period, clock):
                return None
        return made

    def _describe(self, row: Words, load: DeviceLoad, period: int, clock: CoreClock) -> bool:
        line = load.line
        row[ev.KIND], row[ev.VALUE] = ev.AFFINE, load.value
        if line is None or (not line.in_cycles and not line.rate_hz):
            return True
        if load.width != 4:
            return False
        if line.in_cycles:
            row[ev.PER_ROUND] = line.sign * period
            return line.base + line.sign * load.cycles & 0xFFFF_FFFF == load.value
        row[ev.KIND] = ev.LINE
        row[ev.CYCLES] = load.cycles - clock.anchor_cycles
        row[ev.LEAD_PS] = clock.anchor_ps - line.anchor_ps
        row[ev.RATE_HZ], row[ev.DIVIDER], row[ev.OFFSET] = line.rate_hz, line.divider, line.offset
        row[ev.STEP], row[ev.LINE_BASE], row[ev.SIGN] = line.step, line.base, line.sign
        now_ps = clock.time_ps(load.cycles)
        if now_ps < line.anchor_ps or now_ps - line.anchor_ps > _LONGEST_PS:
            return False
        if line.value_at(now_ps) != load.value:
            return False
        step_ps, uneven = divmod(line.step * line.divider * PS_PER_S, line.rate_hz)
        cycle_ps, uneven_cycle = divmod(PS_PER_S, clock.hclk_hz)
        if not (uneven or uneven_cycle) and period * cycle_ps % step_ps == 0:
            row[ev.KIND], row[ev.PER_ROUND] = ev.AFFINE, line.sign * (period * cycle_ps // step_ps)
        return True

    def _bound(self, plan: _Plan, registers: bytes, loads: Words, period: int, hclk_hz: int) -> Words | None:
        """The values at the head, once every access of the round has its place; None if one has not."""
        nothing = np.zeros(ev.VALUES, dtype=np.int64)
        for _ in range(len(plan.operations) + 1):
            values = self._values(plan, registers)
            said = ev.evaluate(
                plan.operations, loads, values.copy(), nothing, 0, 1, hclk_hz, period, self._where
            )
            if said != ev.UNBOUND:
                return values
            if not self._bind(plan, int(self._where[0]), int(self._where[1])):
                return None
        return None

    def _values(self, plan: _Plan, registers: bytes) -> Words:
        """What is in the registers and in the plan's words of memory."""
        values = np.zeros((ev.VALUES, 4), dtype=np.int64)
        words = np.frombuffer(registers, dtype="<u4")
        values[: ev.REGISTERS, ev.BASE] = words[: ev.REGISTERS]
        flags = int(words[ev.REGISTERS]) >> _FLAGS_SHIFT
        for index, bit in ((ev.N, 3), (ev.Z, 2), (ev.C, 1), (ev.V, 0)):
            values[index, ev.BASE] = flags >> bit & 1
        for index, (address, width) in enumerate(plan.places):
            values[ev.FIRST_SLOT + index, ev.BASE] = self._memory.read(address, width) or 0
        return values

    def _bind(self, plan: _Plan, at: int, address: int) -> bool:
        """Give an access its place, now that its address is known."""
        operation = plan.operations[at]
        code = int(operation[ev.CODE])
        if operation[ev.EXTRA] >= 0:  # it was elsewhere before: all are to be found again
            self._unbind(plan)
            return True
        width = int(operation[ev.CONSTANT])
        view = self._memory.view(address, width)
        if view is None:
            return self._bind_device(plan, operation, at, address, width)
        if code == ev.STORE and self._memory.ram_view(address, width) is None:
            return False
        place = address, width
        if place not in plan.places:
            overlaps = any(other < address + width and address < other + size for other, size in plan.places)
            if overlaps or len(plan.places) >= ev.VALUES - ev.FIRST_SLOT:
                return False
            plan.places.append(place)
        if code == ev.STORE:
            plan.stored.add(plan.places.index(place))
        operation[ev.WIDTH] = width
        operation[ev.EXTRA] = ev.FIRST_SLOT + plan.places.index(place)
        operation[ev.CONSTANT] = address
        return True

    def _bind_device(self, plan: _Plan, operation: Words, at: int, address: int, width: int) -> bool:
        code = int(operation[ev.CODE])
        if code == ev.STORE:
            values = [
                value
                for where, size, value in self._polling.round_stores
                if (where, size) == (address, width)
            ]
            if len(values) != 1:
                return False
            operation[ev.CODE], operation[ev.SETS] = ev.DEVICE_STORE, values[0]
            operation[ev.EXTRA] = 0
        else:
            number = int(np.count_nonzero(plan.operations[:at, ev.CODE] == ev.DEVICE_LOAD))
            watched: Sequence[DeviceLoad] = self._polling.round_loads
            if number >= len(watched) or (watched[number].address, watched[number].width) != (address, width):
                return False
            operation[ev.CODE], operation[ev.EXTRA] = ev.DEVICE_LOAD, number
        operation[ev.WIDTH] = width
        operation[ev.CONSTANT] = address
        return True

    @staticmethod
    def _unbind(plan: _Plan) -> None:
        for operation in plan.operations:
            if operation[ev.CODE] in (ev.LOAD, ev.STORE, ev.DEVICE_LOAD, ev.DEVICE_STORE):
                if operation[ev.EXTRA] >= 0:
                    operation[ev.CONSTANT] = operation[ev.WIDTH]
                is_load = operation[ev.CODE] in (ev.LOAD, ev.DEVICE_LOAD)
                operation[ev.CODE] = ev.LOAD if is_load else ev.STORE
                operation[ev.EXTRA] = -1
        plan.places.clear()
        plan.stored.clear()
        plan.period = 0

    def _skip(self, plan: _Plan, values: Words, round_: _Round, *, steady: bool) -> Outcome:
        most = self._most(round_.period)
        if not most:
            return Outcome.NO_TIME
        head, following = values.copy(), values.copy()
        said = round_.run(following)
        if said != ev.ALIKE:
            return Outcome.ENDS if said == ev.DIFFERENT else Outcome.UNKNOWN
        following[_TEMPORARIES] = 0
        if steady and np.array_equal(head, following):
            return self._go_on(round_.period)
        supposed = np.ones(ev.VALUES, dtype=np.int64)
        if round_.suppose(values, following, supposed) != ev.ALIKE:
            return Outcome.UNKNOWN
        rounds = round_.alike(values, supposed, most)
        if rounds == 0:
            return Outcome.ENDS
        landed = round_.after(rounds, values)
        if landed is None:
            return Outcome.UNKNOWN
        self._write(plan, head, landed)
        skipping.skip(self._state, rounds * round_.period)
        return Outcome.SKIPPED

    def _most(self, period: int) -> int:
        """How many rounds end before anything can happen."""
        state = self._state
        end = min(skipping.quiet_until(state), self._polling.round_until)
        rounds = (end - int(state[words.CYCLES])) // period
        return 0 if state[words.STOP_REQUEST] else min(max(rounds, 0), _MOST_ROUNDS)

    def _go_on(self, period: int) -> Outcome:
        """Let all rounds pass that end before anything can happen: they change nothing."""
        rounds = self._most(period)
        if not rounds:
            return Outcome.NO_TIME
        skipping.skip(self._state, rounds * period)
        return Outcome.SKIPPED

    def _write(self, plan: _Plan, before: Words, after: Words) -> None:
        """Put the values that have changed into registers and memory."""
        changed = np.flatnonzero(before[:, ev.BASE] != after[:, ev.BASE]).tolist()
        for index in changed:
            value = int(after[index, ev.BASE])
            if index < ev.REGISTERS:
                self._engine.write_register(CORE_REGISTERS[index], value)
            elif index - ev.FIRST_SLOT in plan.stored:
                address, width = plan.places[index - ev.FIRST_SLOT]
                self._memory.write_ram(address, value.to_bytes(width, "little"))
        if not {ev.N, ev.Z, ev.C, ev.V}.isdisjoint(changed):
            flags = 0
            for index, bit in ((ev.N, 3), (ev.Z, 2), (ev.C, 1), (ev.V, 0)):
                flags |= int(after[index, ev.BASE]) << bit
            self._engine.write_register(arm.UC_ARM_REG_APSR_NZCV, flags << _FLAGS_SHIFT)


@dataclass(frozen=True)
class _Round:
    """A round whose accesses have their places."""

    operations: Words
    loads: Words
    hclk_hz: int
    period: int
    where: Words

    def run(self, values: Words, round_: int = 0) -> int:
        """Execute one round; `values` go from its head to the next one."""
        nothing = np.zeros(ev.VALUES, dtype=np.int64)
        said: int = ev.evaluate(
            self.operations, self.loads, values, nothing, round_, 1, self.hclk_hz, self.period, self.where
        )
        return said

    def suppose(self, values: Words, after: Words, supposed: Words) -> int:
        """Find out which values change by the same amount every round, and set their slopes; taint the
        others. Return what `evaluate` says of the round. `after` are the values at the next head.
        """
        said: int = ev.ALIKE
        change = after[:, ev.BASE] - values[:, ev.BASE]
        values[:, ev.SLOPE] = (change + (1 << 31) & 0xFFFF_FFFF) - (1 << 31)
        supposed[_TEMPORARIES] = 0
        while said == ev.ALIKE:
            values[:, ev.TAINT] = np.where(supposed, 0, ev.TAINTED)
            values[:, ev.SLOPE] *= supposed
            after[:] = values
            said = self.run(after)
            wrong = (after[:, ev.TAINT] != 0) | (after[:, ev.SLOPE] != values[:, ev.SLOPE])
            wrong &= supposed != 0
            if not wrong.any():
                break
            supposed[wrong] = 0
        return said

    def alike(self, values: Words, supposed: Words, most: int) -> int:
        """How many rounds go alike, at most so many."""
        return int(
            ev.rounds_alike(
                self.operations, self.loads, values, supposed, most, self.hclk_hz, self.period, self.where
            )
        )

    def after(self, rounds: int, values: Words) -> Words | None:
        """The values after so many rounds; None if not all can be told.

        Tainted ones follow from the last few rounds, or not at all.
        """
        first = max(rounds - _ROUNDS_OF_TAINT, 0)
        made = values.copy()
        if first:
            made[:, ev.BASE] = made[:, ev.BASE] + made[:, ev.SLOPE] * first & 0xFFFF_FFFF
        else:
            made[:, ev.TAINT] = 0
        for number in range(first, rounds):
            if self.run(made, number) != ev.ALIKE:
                return None
        made[_TEMPORARIES] = 0
        return None if (made[:, ev.TAINT] & ev.TAINTED).any() else made


def _words(operations: Sequence[Sequence[int]]) -> Words:
    """Operations, of which there may be none, as rows."""
    return np.array(operations, dtype=np.int64).reshape(-1, ev.OPERATION_WORDS)


def _same(expected: Words, found: Words, places: int) -> bool:
    """Whether registers, flags and the words of memory are as predicted."""
    used = [*range(ev.REGISTERS), ev.N, ev.Z, ev.C, ev.V, *range(ev.FIRST_SLOT, ev.FIRST_SLOT + places)]
    return bool((expected[used, ev.BASE] == found[used, ev.BASE]).all())
