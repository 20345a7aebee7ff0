# SPDX-License-Identifier: Apache-2.0
"""Keeps the trap hooks where CCR wants them: one per division in executed code, one for all accesses."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable

from unicorn import unicorn_const as uc

from hil.twin.core.condition import it_block_start
from hil.twin.core.engine import EVERYWHERE, Engine
from hil.twin.core.memory import Memory
from hil.twin.core.trap_hooks import IT_BLOCK, ON_ACCESS, ON_DIVIDE, TrapWords


class Traps:
    """Division by zero and unaligned accesses, as CCR.DIV_0_TRP and CCR.UNALIGN_TRP want them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.words = TrapWords()
        self._wanted = (False, False)
        self._present = (False, False)
        self._divisions: dict[int, ctypes.c_size_t] = {}
        self._access_hook: ctypes.c_size_t | None = None

    def want(self, divide: bool, unaligned: bool) -> bool:
        """Note what CCR asks for; return whether `apply` has something to do before the next instruction."""
        self._wanted = (divide, unaligned)
        return self._wanted != self._present

    def apply(self) -> bool:
        """Install or remove hooks; return whether translated code must be dropped for that."""
        if self._wanted == self._present:
            return False
        self._present = divide, unaligned = self._wanted
        if not divide:
            self.forget(0, 1 << 32)
        if unaligned and self._access_hook is None:
            self._access_hook = self._engine.add_native_access_hook(
                ON_ACCESS, self.words.access_pointer, EVERYWHERE
            )
        elif not unaligned and self._access_hook is not None:
            self._engine.remove_hook(self._access_hook)
            self._access_hook = None
        return True

    @property
    def dividing(self) -> bool:
        """Divisions by zero are trapped."""
        return self._present[0]

    def watch_divisions(self, divisions: Iterable[tuple[int, int]], memory: Memory) -> bool:
        """Hook divisions (address, register of the divisor); return whether any was not hooked yet."""
        new = False
        for division, register in divisions if self.dividing else ():
            it = it_block_start(memory, division)
            address, row = (division, register) if it is None else (it, IT_BLOCK)
            if address not in self._divisions:
                new = True
                self._divisions[address] = self._engine.add_native_hook(
                    uc.UC_HOOK_CODE, ON_DIVIDE, self.words.divisor_pointer(row), (address, address)
                )
        return new

    def forget(self, address: int, size: int) -> None:
        """Remove the hooks of divisions in a range whose code changed."""
        for division in [at for at in self._divisions if address <= at < address + size]:
            self._engine.remove_hook(self._divisions.pop(division))
