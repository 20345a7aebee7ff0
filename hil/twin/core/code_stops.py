# SPDX-License-Identifier: Apache-2.0
"""Stops of the emulator before single instructions: breakpoints, and what Unicorn executes by mistake."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable

from unicorn import unicorn_const as uc
from unicorn.unicorn_py3 import unicorn as binding

from hil.twin.core.condition import it_block_start
from hil.twin.core.encodings import is_undefined
from hil.twin.core.engine import Engine
from hil.twin.core.instruction_timing import instruction_size
from hil.twin.core.memory import Memory
from hil.twin.core.stop import Stop


class CodeStops:
    """Hooks on instructions. Inside an IT block the emulator cannot stop: it stops before the IT instruction,
    and whoever started it executes the block one by one.
    """

    def __init__(
        self,
        engine: Engine,
        memory: Memory,
        halt: Callable[[Stop], None],
        drop_around: Callable[[int], None],
        stepping: Callable[[], bool],
    ) -> None:
        """`halt` stops the emulator for a reason, `drop_around` forgets the translations that have an
        address in them, `stepping` tells whether a single instruction is being executed.
        """
        self._engine = engine
        self._memory = memory
        self._halt = halt
        self._drop_around = drop_around
        self._stepping = stepping
        self._breakpoints: dict[int, ctypes.c_size_t] = {}
        self._undefined: set[int] = set()

    def set_breakpoints(self, addresses: Iterable[int]) -> None:
        """Stop before the instructions at these addresses, and at no others."""
        wanted = set(addresses)
        for address in sorted(set(self._breakpoints) - wanted):
            self._engine.remove_hook(self._breakpoints.pop(address))
            self._drop_around(address)
        for address in sorted(wanted - set(self._breakpoints)):
            self._breakpoints[address] = self._hook(address, self._on_breakpoint)
            self._drop_around(address)

    def has_breakpoint(self, address: int) -> bool:
        """Tell whether the emulator stops before an instruction for a breakpoint."""
        return address in self._breakpoints

    def watch_undefined(self, addresses: Iterable[int]) -> bool:
        """Stop before instructions that are undefined; return whether any was not hooked yet.

        A hook outlives the code it is for and then does nothing.
        """
        new = set(addresses) - self._undefined
        for address in sorted(new):
            self._hook(address, self._on_undefined)
        self._undefined |= new
        return bool(new)

    def is_undefined(self, pc: int) -> bool:
        """Tell whether the instruction at `pc` is one that Unicorn must not execute."""
        view = self._memory.view(pc, 2)
        if view is not None and instruction_size(view[1]) == 4:
            view = self._memory.view(pc, 4)
        return view is not None and is_undefined(view.tobytes())

    def _hook(self, address: int, callback: Callable[[int, int, int, int | None], None]) -> ctypes.c_size_t:
        it = it_block_start(self._memory, address)
        at = address if it is None else it
        function = binding.HOOK_CODE_CFUNC(callback if it is None else self._on_it_block)
        return self._engine.add_hook(uc.UC_HOOK_CODE, function, at, at)

    # --- callbacks of Unicorn: no Python exception may leave them ---

    def _on_breakpoint(self, _handle: int, _address: int, _size: int, _user: int | None) -> None:
        self._halt(Stop.BREAKPOINT_UNIT)

    def _on_undefined(self, _handle: int, address: int, _size: int, _user: int | None) -> None:
        if self.is_undefined(address):
            self._halt(Stop.UNDEFINED)

    def _on_it_block(self, _handle: int, _address: int, _size: int, _user: int | None) -> None:
        if not self._stepping():
            self._halt(Stop.IT_BLOCK)
