# SPDX-License-Identifier: Apache-2.0
"""The native flash accelerator beside a plain one, which looks up line by line and forgets nothing."""

from __future__ import annotations

import ctypes
import random
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import numba
import numpy as np
import pytest
from numba import types

from hil.twin.core import flash_accelerator, state_layout
from tests.twin.core.conftest import MEMORIES

_POINTER: Any = types.CPointer(types.int64)  # type: ignore[no-untyped-call]  # numba's own gap
_BASE = MEMORIES["flash"].base
_PLACE = 1
"""Where the block's loads are, after LOADS."""


@numba.cfunc(types.int64(types.int64, types.int64, types.int64, types.int64, types.int64, _POINTER))
def native_stalls(address, size, cycles, now, loads, state):  # type: ignore[no-untyped-def]
    return flash_accelerator.stalls(np.uintp(0), address, size, cycles, now, loads, state)


class Cache:
    """Rows of four lines; the least recently used one makes room."""

    def __init__(self, rows: int) -> None:
        self._capacity = rows
        self._rows: OrderedDict[int, set[int]] = OrderedDict()
        self.evictions = 0

    def has(self, line: int) -> bool:
        """Whether a line is there; it then counts as used."""
        found = line & 3 in self._rows.get(line >> 2, ())
        if found:
            self._rows.move_to_end(line >> 2)
        return found

    def keep(self, line: int) -> None:
        if line >> 2 not in self._rows:
            if len(self._rows) == self._capacity:
                self._rows.popitem(last=False)
                self.evictions += 1
            self._rows[line >> 2] = set()
        self._rows[line >> 2].add(line & 3)
        self._rows.move_to_end(line >> 2)


@dataclass
class PlainAccelerator:
    """RM0351, "Adaptive real-time memory accelerator", with the assumptions of `flash_accelerator`."""

    wait_states: int
    instructions: Cache | None
    data: Cache | None
    prefetches: bool
    fetched: int = -1
    next: int = -1
    next_ready: int = 0
    free: int = 0
    _read: int = field(default=0, init=False)

    def block(self, offset: int, size: int, cycles: int, now: int, loads: list[tuple[int, int]]) -> int:
        """What a block stalls that is entered at cycle ``now``; loads are (cycles, offset in flash)."""
        first = offset >> 3
        count = (offset + size - 1 >> 3) - first + 1
        steps = [(cycles * line // count, 0, first + line) for line in range(count)]
        steps += [(at, 1, target >> 3) for at, target in loads]
        stalls = 0
        for at, is_load, line in sorted(steps, key=lambda step: step[:2]):
            moment = now + stalls + at
            stalls += self._load(line, moment) if is_load else self._fetch(line, moment)
        return stalls

    def _fetch(self, line: int, moment: int) -> int:
        if line == self.fetched:
            return 0
        self.fetched = line
        if self.prefetches and line == self.next:
            stall = max(0, self.next_ready - moment)
        elif self.instructions is not None and self.instructions.has(line):
            stall = 0
        else:
            stall = self._read_array(moment)
        if self.instructions is not None:
            self.instructions.keep(line)
        if self.prefetches:
            if self.instructions is not None and self.instructions.has(line + 1):
                self.next = -1
            elif line + 1 != self.next:
                self.next = line + 1
                self.free = self.next_ready = max(moment + stall, self.free) + self.wait_states + 1
        return stall

    def _load(self, line: int, moment: int) -> int:
        if self.data is not None and self.data.has(line):
            return 0
        stall = self._read_array(moment)
        if self.data is not None:
            self.data.keep(line)
        return stall

    def _read_array(self, moment: int) -> int:
        stall = max(0, self.free - moment) + self.wait_states
        self.free = moment + stall
        return stall


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("instruction_cache", [False, True])
@pytest.mark.parametrize("prefetch", [False, True])
def test_the_native_accelerator_is_the_plain_one(seed: int, instruction_cache: bool, prefetch: bool) -> None:
    rng = random.Random(seed)
    state = state_layout.new_state(MEMORIES)
    wait_states, data_cache = rng.randint(1, 4), rng.random() < 0.7
    flash_accelerator.set_up(state, wait_states, instruction_cache, data_cache, prefetch)
    plain = PlainAccelerator(
        wait_states, Cache(32) if instruction_cache else None, Cache(8) if data_cache else None, prefetch
    )
    pointer = ctypes.cast(state.ctypes.data, ctypes.POINTER(ctypes.c_int64))
    blocks = []
    for _ in range(60):
        size = 2 * rng.choice((1, 2, 3, 8, 15, 40, 100))
        cycles = size // 2 + rng.randint(0, size)
        loads = [(at, 4 * rng.randrange(300)) for at in sorted(rng.sample(range(cycles), min(cycles, 3)))]
        blocks.append((2 * rng.randrange(1200), size, cycles, loads if rng.random() < 0.4 else []))
    now = at = 0
    for step in range(6000):
        at = rng.randrange(len(blocks)) if rng.random() < 0.3 else (at + 1) % len(blocks)
        offset, size, cycles, loads = blocks[at]
        words = [len(loads)]
        for into, target in loads:
            words += [0, target, 0, 0, into, 0, 0]
        first = state_layout.LOADS + _PLACE
        state[first : first + len(words)] = words
        found = native_stalls.ctypes(_BASE + offset, size, cycles, now, _PLACE if loads else 0, pointer)
        wanted = plain.block(offset, size, cycles, now, loads)
        assert found == wanted, f"seed {seed}, step {step}: block {offset:#x}, {size} bytes"
        assert state[state_layout.FETCHED_LINE] == plain.fetched
        assert not prefetch or state[state_layout.NEXT_LINE] == plain.next
        now += cycles + wanted
    evictions = sum(cache.evictions for cache in (plain.instructions, plain.data) if cache is not None)
    assert state[state_layout.CACHE_EPOCH] == 2 + evictions
