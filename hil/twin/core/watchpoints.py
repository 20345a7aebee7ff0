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
    value: int | None = None
    """What must be transferred, None for anything."""
    value_width: int = 4
    """Bytes of `value` that count; a wider access matches if any of its parts is the value."""

    def meets(self, address: int, width: int, kind: int, value: int | None) -> bool:
        """Tell whether an access counts; `value` is None while it is unknown."""
        if not (address <= self.last and self.first < address + width and self.kinds & kind):
            return False
        if self.value is None:
            return True
        if value is None or width < self.value_width:
            return False
        wanted = self.value & (1 << 8 * self.value_width) - 1
        lanes = range(0, width, self.value_width)
        return any(value >> 8 * at & (1 << 8 * self.value_width) - 1 == wanted for at in lanes)


class Watchpoints:
    """Looks at accesses to memory through hooks, and at accesses to devices where `check` is called.

    Memory hooks make every access slow, so they exist only while there is something to watch.
    """

    def __init__(self, engine: Engine, value_in_memory: Callable[[int, int], int | None]) -> None:
        """`value_in_memory` returns what a memory holds at an address, None for devices."""
        self._engine = engine
        self._value_in_memory = value_in_memory
        self._wanted: tuple[Watchpoint, ...] = ()
        self._present: tuple[Watchpoint, ...] = ()
        self._hooks: list[ctypes.c_size_t] = []
        self._hit = self._late_hit = False
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

    def check(self, address: int, width: int, kind: int, value: int | None = None) -> bool:
        """Tell whether an access is watched; the instruction is to be stopped and executed again if so.

        `value` is what a store transfers, None where only the access itself will tell.
        """
        if not self._present or self.suspended:
            return False
        for watchpoint in self._present:
            if watchpoint.meets(address, width, kind, value):
                watchpoint.on_match()
                self._hit = True
        return self._hit

    def loaded(self, address: int, width: int, value: int) -> bool:
        """A device answered a load: tell whether its value is watched; the emulator is to be stopped then."""
        for watchpoint in self._present:
            if watchpoint.value is not None and watchpoint.meets(address, width, WATCH_READS, value):
                watchpoint.on_match()
                self._late_hit = True
        return self._late_hit

    def take_late_hit(self) -> bool:
        """Tell whether an access that has been carried out was watched, and forget it."""
        hit, self._late_hit = self._late_hit, False
        return hit

    def take_hit(self) -> bool:
        """Tell whether a watched access stopped the emulator, and forget it."""
        hit, self._hit = self._hit, False
        return hit

    def _on_access(
        self, _handle: int, access: int, address: int, width: int, value: int, _user: int | None
    ) -> None:
        kind = WATCH_WRITES if access == uc.UC_MEM_WRITE else WATCH_READS
        known = value if kind == WATCH_WRITES else self._value_in_memory(address, width)
        if self.check(address, width, kind, known):
            self._engine.stop_at_access(access)
