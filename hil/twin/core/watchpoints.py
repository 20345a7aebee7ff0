# SPDX-License-Identifier: Apache-2.0
"""Watchpoints of the emulator: stops before instructions that touch a range of data addresses."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable
from typing import NamedTuple

from unicorn import unicorn_const as uc
from unicorn.unicorn_py3 import unicorn as binding

from hil.twin.core.engine import Engine

WATCH_READS, WATCH_WRITES = 1, 2
_WIDEST = 4


class Watchpoint(NamedTuple):
    """A range of addresses and the accesses that count."""

    first: int
    last: int
    kinds: int
    """WATCH_READS, WATCH_WRITES or both."""
    on_match: Callable[[], None]
    """Told that an access matched."""


class Watchpoints:
    """Looks at accesses to memory through hooks, and at accesses to devices where `check` is called.

    Memory hooks make every access slow, so they exist only while there is something to watch.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._wanted: tuple[Watchpoint, ...] = ()
        self._present: tuple[Watchpoint, ...] = ()
        self._hooks: list[ctypes.c_size_t] = []
        self._hit = False
        self.suspended = False
        """The instruction at which the emulator stopped is being executed."""

    def want(self, watchpoints: Iterable[Watchpoint]) -> bool:
        """Say what is to be watched; return whether `apply` has something to do for it."""
        self._wanted = tuple(watchpoints)
        return self._wanted != self._present

    @property
    def watching(self) -> bool:
        """Accesses are looked at."""
        return bool(self._present)

    def apply(self) -> bool:
        """Install and remove hooks; return whether translated code must be dropped for that."""
        if self._wanted == self._present:
            return False
        for hook in self._hooks:
            self._engine.remove_hook(hook)
        self._hooks.clear()
        self._present = self._wanted
        for watchpoint in self._present:
            callback = binding.HOOK_MEM_ACCESS_CFUNC(self._on_access)
            first = max(watchpoint.first - _WIDEST + 1, 0)
            self._hooks.append(self._engine.add_access_hook(callback, first, watchpoint.last))
        return True

    def check(self, address: int, width: int, kind: int) -> bool:
        """Tell whether an access is watched; the instruction is to be stopped and executed again if so."""
        if not self._present or self.suspended:
            return False
        for watchpoint in self._present:
            overlaps = address <= watchpoint.last and watchpoint.first < address + width
            if overlaps and watchpoint.kinds & kind:
                watchpoint.on_match()
                self._hit = True
        return self._hit

    def take_hit(self) -> bool:
        """Tell whether a watched access stopped the emulator, and forget it."""
        hit, self._hit = self._hit, False
        return hit

    def _on_access(
        self, _handle: int, access: int, address: int, width: int, _value: int, _user: int | None
    ) -> None:
        kind = WATCH_WRITES if access == uc.UC_MEM_WRITE else WATCH_READS
        if self.check(address, width, kind):
            self._engine.stop_at_access(access)
