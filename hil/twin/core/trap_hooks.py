# SPDX-License-Identifier: Apache-2.0
"""Native hooks for what the emulator executes but CCR may want trapped: division by zero, unaligned accesses.

A hook is there only while the program asks for its trap, so that nobody else pays for it.  Both stop the
emulator before the instruction has changed a register; an unaligned store has reached the memory by then and
is taken back.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt
from unicorn import arm_const as arm

from hil.twin.core.access_end import stop_at
from hil.twin.core.native import ACCESS_HOOK, BLOCK_HOOK, uc_emu_stop, uc_mem_read, uc_reg_read

VALUE = 0
"""Unicorn writes here.  Division: the divisor.  Access: what the memory held before it."""
REGISTER = 1
"""Division: number of the register with the divisor, for Unicorn; negative: stop whatever it holds."""
HIT = 2
"""Not zero: the hook stopped the emulator."""
SUSPENDED = 3
"""Not zero: the hook does nothing."""
ADDRESS = 4
SIZE = 5
"""The unaligned access."""
WORDS = 6
CORE_REGISTERS = (*(arm.UC_ARM_REG_R0 + i for i in range(13)), arm.UC_ARM_REG_SP, arm.UC_ARM_REG_LR)
"""Unicorn's numbers of R0 to R12, SP and LR."""
_ROWS = len(CORE_REGISTERS) + 1


@numba.cfunc(BLOCK_HOOK, cache=True)
def on_divide(uc, address, size, words):  # type: ignore[no-untyped-def]  # typed by numba
    """UC_HOOK_CODE callback of one division."""
    if words[SUSPENDED] != 0:
        return
    words[VALUE] = 0
    if words[REGISTER] >= 0:
        uc_reg_read(uc, words[REGISTER], words)
    if words[VALUE] == 0:
        words[HIT] = 1
        uc_emu_stop(uc)


@numba.cfunc(ACCESS_HOOK, cache=True)
def on_access(uc, kind, address, size, value, words):  # type: ignore[no-untyped-def]  # typed by numba
    """UC_HOOK_MEM_READ and UC_HOOK_MEM_WRITE callback."""
    if address & np.uint64(size - 1) != 0 and words[HIT] == 0:
        words[VALUE] = 0
        uc_mem_read(uc, address, words, size)
        words[HIT] = 1
        words[ADDRESS] = np.int64(address)
        words[SIZE] = size
        stop_at(uc, kind)


ON_DIVIDE: int = on_divide.address or 0
ON_ACCESS: int = on_access.address or 0
"""Native addresses of the two callbacks."""


IT_BLOCK = 15
"""In place of a divisor's register: an IT instruction whose block divides.  The emulator cannot stop inside
such a block, so it stops before it.
"""


class TrapWords:
    """The words the hooks share with Python: a row per divisor register, and one for accesses."""

    def __init__(self) -> None:
        self._divisors: npt.NDArray[np.int64] = np.zeros((_ROWS, WORDS), dtype=np.int64)
        self._divisors[IT_BLOCK, REGISTER] = -1
        self._access: npt.NDArray[np.int64] = np.zeros(WORDS, dtype=np.int64)
        self._divisors[: len(CORE_REGISTERS), REGISTER] = CORE_REGISTERS

    def divisor_pointer(self, register: int) -> int:
        """Return the address of the words for a division by core register `register` (0 to 14), or for
        IT_BLOCK.
        """
        return int(self._divisors[register].ctypes.data)

    @property
    def access_pointer(self) -> int:
        """The address of the words for accesses."""
        return int(self._access.ctypes.data)

    def suspend_divisions(self, suspended: bool) -> None:
        """Let divisions pass, or no longer."""
        self._divisors[:, SUSPENDED] = suspended

    @property
    def divisions_suspended(self) -> bool:
        """Divisions pass: a single step is under way."""
        return bool(self._divisors[IT_BLOCK, SUSPENDED])

    def take_division(self) -> bool:
        """Tell whether a division by zero stopped the emulator, and forget it."""
        hit = bool(self._divisors[:, HIT].any())
        self._divisors[:, HIT] = 0
        return hit

    def take_access(self) -> tuple[int, bytes] | None:
        """Return address and former content of the unaligned access that stopped the emulator, once."""
        if not self._access[HIT]:
            return None
        self._access[HIT] = 0
        size = int(self._access[SIZE])
        return int(self._access[ADDRESS]), int(self._access[VALUE] & (1 << 8 * size) - 1).to_bytes(
            size, "little"
        )
