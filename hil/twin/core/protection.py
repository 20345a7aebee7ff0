# SPDX-License-Identifier: Apache-2.0
"""The memory protection unit at work: its hooks while it is on, and privilege, which the emulator does not
tell.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass

from unicorn import arm_const as arm
from unicorn import unicorn_const as uc

from hil.twin.core import mpu_hook
from hil.twin.core.engine import EVERYWHERE, XPSR_EXCEPTION, Engine
from hil.twin.core.mpu import ProtectionUnit


@dataclass(frozen=True)
class Violation:
    """What the MPU stopped."""

    address: int
    fetch: bool
    store: bool
    before: bytes
    """What a store has overwritten by then."""


class Protection:
    """Checks what the program does against the MPU, natively, as long as the MPU is on."""

    def __init__(
        self, engine: Engine, on_change: Callable[[], None], at_negative_priority: Callable[[], bool]
    ) -> None:
        """``on_change`` is told when what is allowed may have changed; ``at_negative_priority`` tells whether
        HardFault, NMI or FAULTMASK is in force.
        """
        self.unit = ProtectionUnit(on_change)
        self._at_negative_priority = at_negative_priority
        self._engine = engine
        self._hooks: list[ctypes.c_size_t] = []

    @property
    def privileged(self) -> bool:
        """The program may do what only privileged code may."""
        if self._engine.read_register(arm.UC_ARM_REG_XPSR) & XPSR_EXCEPTION:
            return True
        return not self._engine.read_register(arm.UC_ARM_REG_CONTROL) & 1

    @property
    def has_stopped(self) -> bool:
        """A violation stops the emulator at this moment: the access must not be carried out."""
        return bool(self.unit.words[mpu_hook.HIT])

    def apply(self) -> bool:
        """Install or remove the hooks; return whether translated code must be dropped for that."""
        if self.unit.enabled == bool(self._hooks):
            return False
        if self.unit.enabled:
            pointer = self.unit.words.ctypes.data
            engine = self._engine
            self._hooks.append(engine.add_native_access_hook(mpu_hook.ON_ACCESS, pointer, EVERYWHERE))
            self._hooks.append(engine.add_native_hook(uc.UC_HOOK_BLOCK, mpu_hook.ON_BLOCK, pointer))
        else:
            for hook in self._hooks:
                self._engine.remove_hook(hook)
            self._hooks.clear()
        return True

    def refresh(self) -> None:
        """Tell the hooks in which state the program goes on."""
        words, unit = self.unit.words, self.unit
        words[mpu_hook.ACTIVE] = words[mpu_hook.ENABLED] = 0
        if unit.enabled:
            in_handler = self._engine.read_register(arm.UC_ARM_REG_XPSR) & XPSR_EXCEPTION
            on = unit.active_in_fault_handlers or not self._at_negative_priority()
            words[mpu_hook.IN_HANDLER] = in_handler
            words[mpu_hook.PRIVILEGED] = self.privileged
            words[mpu_hook.ON_UNDER_FAULTMASK] = unit.active_in_fault_handlers
            words[mpu_hook.ACTIVE] = words[mpu_hook.ENABLED] = on

    def check(self, address: int, byte_count: int, store: bool, privileged: bool) -> None:
        """Raise ProtectionFault unless the core may stack or unstack a range of words."""
        if self.unit.enabled:
            self.refresh()
            self.unit.check(address, byte_count, mpu_hook.WRITE if store else mpu_hook.READ, privileged)

    def take_violation(self) -> Violation | None:
        """Return what stopped the emulator, once; None if the MPU did not."""
        words = self.unit.words
        if not words[mpu_hook.HIT]:
            return None
        words[mpu_hook.HIT] = 0
        store = bool(words[mpu_hook.KIND] == mpu_hook.WRITE)
        size = int(words[mpu_hook.SIZE])
        value = int(words[mpu_hook.VALUE]) & (1 << 8 * size) - 1
        before = value.to_bytes(size, "little") if store else b""
        return Violation(int(words[mpu_hook.ADDRESS]), bool(words[mpu_hook.FETCH]), store, before)
