# SPDX-License-Identifier: Apache-2.0
"""Letting rounds of a loop pass: what must be alike at two heads of it, until when nothing else happens."""

from __future__ import annotations

import numpy as np

from hil.twin.core import state_layout as words
from hil.twin.core.state_layout import PATH, PATH_SIZE, State

_CAME = [words.BLOCK_START, words.BLOCK_END, words.REFILL, words.WAIT_STATES]
_KEPT = [
    words.PREFETCH,
    words.INSTRUCTION_CACHE,
    words.DATA_CACHE,
    words.FETCHED_LINE,
    words.NEXT_LINE,
    words.CACHE_EPOCH,
]


def recorded_path(state: State) -> list[int]:
    """Return the addresses of the blocks recorded, none of a path that was too long."""
    length = int(state[words.PATH_LENGTH])
    whole = 0 <= length < PATH_SIZE - 1
    return [int(address) for address in state[PATH : PATH + length]] if whole else []


def phase(state: State) -> tuple[int, ...]:
    """Return what the cycles of the blocks to come depend on besides the program, in relation to the cycles
    now: how the program came here, and how far the flash is with its reads.
    """
    now = int(state[words.CYCLES])
    ready, free, idle = (
        max(int(state[word]) - now, 0) for word in (words.NEXT_READY, words.FREE, words.FLASH_BUSY_UNTIL)
    )
    came = tuple(state[_CAME].tolist())
    if not state[words.WAIT_STATES]:
        return *came, idle
    return *came, idle, ready, free, *state[_KEPT].tolist()


def quiet_until(state: State) -> int:
    """Return the cycle before which nothing ends but what the program does."""
    deadline, busy = int(state[words.DEADLINE]), int(state[words.FLASH_BUSY_UNTIL])
    return min(deadline, busy) if busy > state[words.CYCLES] else deadline


def skip(state: State, cycles: int) -> None:
    """Let a number of cycles pass, at whose end everything is as it was; the flash is as far as before."""
    state[words.DEVIATION] += (
        cycles * state[words.ROUND_DEVIATION] // max(state[words.ROUND_CYCLES], np.int64(1))
    )
    state[words.CYCLES] += cycles
    state[words.BLOCK_CYCLES] += cycles
    state[words.NEXT_READY] += cycles
    state[words.FREE] += cycles
