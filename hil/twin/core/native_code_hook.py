# SPDX-License-Identifier: Apache-2.0
"""A native function that is called before single instructions."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from unicorn import unicorn_const as uc

from hil.twin.core.engine import Engine


class NativeCodeHook:
    """Calls ``function`` with the state array; a hook outlives the code it is for, and must bear that."""

    def __init__(self, engine: Engine, function: int, state: npt.NDArray[np.int64]) -> None:
        self._engine = engine
        self._function = function
        self._state = state
        self._hooked: set[int] = set()

    def watch(self, addresses: Iterable[int]) -> bool:
        """Hook instructions; return whether any was not hooked yet."""
        new = set(addresses) - self._hooked
        for address in sorted(new):
            self._engine.add_native_hook(
                uc.UC_HOOK_CODE, self._function, self._state.ctypes.data, (address, address)
            )
        self._hooked |= new
        return bool(new)
