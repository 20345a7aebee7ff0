# SPDX-License-Identifier: Apache-2.0
"""Sets the flash accelerator of the block hook up as FLASH_ACR says; `block_hook` has the model and its
sources.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hil.twin.core import block_hook


def set_up(
    state: npt.NDArray[np.int64], wait_states: int, instruction_cache: bool, data_cache: bool, prefetch: bool
) -> None:
    """Follow FLASH_ACR.

    A cache that is off is empty when it is switched on (assumption; software is told to reset it then).
    """
    state[block_hook.WAIT_STATES] = wait_states
    state[block_hook.PREFETCH] = prefetch
    state[block_hook.INSTRUCTION_CACHE] = instruction_cache
    state[block_hook.DATA_CACHE] = data_cache
    state[block_hook.FETCHED_LINE] = state[block_hook.NEXT_LINE] = -1
    for first, enabled in (
        (block_hook.INSTRUCTION_ROWS, instruction_cache),
        (block_hook.DATA_ROWS, data_cache),
    ):
        if not enabled:
            _empty(state, first)
    state[block_hook.CACHE_EPOCH] += 1


def _empty(state: npt.NDArray[np.int64], first: int) -> None:
    """Forget the rows that a cache holds; all its other words are 0 already."""
    rows = first + block_hook.CACHE_HEAD
    held = state[first + 1 : first + 1 + state[first]]
    state[rows + held] = 0
    state[first:rows] = 0
