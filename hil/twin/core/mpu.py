# SPDX-License-Identifier: Apache-2.0
"""The memory protection unit: eight regions, their registers, and who may do what where.

Source: Armv7-M Architecture Reference Manual (DDI 0403), B3.5 "Protected Memory System Architecture, PMSAv7";
eight regions: RM0351 and PM0214, "Memory protection unit".  What the program executes is checked natively
(`mpu_hook`), from the words that this unit writes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from hil.twin.core import mpu_hook
from hil.twin.core.bus import BusFault

REGION_COUNT = 8
FIRST_OFFSET, LAST_OFFSET = 0xD90, 0xDB8
"""Offsets in the system control space: MPU_TYPE to MPU_RASR_A3."""
_TYPE, _CTRL, _RNR = 0xD90, 0xD94, 0xD98
_ENABLE, _HFNMIENA, _PRIVDEFENA = 1, 2, 4
_RBAR_VALID = 1 << 4
_SMALLEST_SIZE, _SMALLEST_WITH_SUBREGIONS = 4, 7  # SIZE: 2 ** (SIZE + 1) bytes
_READ, _WRITE = mpu_hook.READ, mpu_hook.WRITE
_ACCESS = {
    # AP: (privileged, unprivileged), table B3-15
    0: (0, 0),
    1: (_READ | _WRITE, 0),
    2: (_READ | _WRITE, _READ),
    3: (_READ | _WRITE, _READ | _WRITE),
    4: (0, 0),  # reserved
    5: (_READ, 0),
    6: (_READ, _READ),
    7: (_READ, _READ),
}


class ProtectionFault(BusFault):
    """An access of the core itself (stacking, unstacking) that the MPU does not allow."""


class ProtectionUnit:
    """The MPU's registers and rules."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        """``on_change`` is told when what is allowed may have changed."""
        self._on_change = on_change
        self.words: npt.NDArray[np.int64] = np.zeros(mpu_hook.WORDS, dtype=np.int64)
        """Shared with the native hooks."""
        self.reset()

    def reset(self) -> None:
        """State after a system reset: off."""
        self._control = 0
        self._number = 0
        self._base = [0] * REGION_COUNT
        self._attributes = [0] * REGION_COUNT
        self._update()

    @property
    def enabled(self) -> bool:
        """MPU_CTRL.ENABLE."""
        return bool(self._control & _ENABLE)

    @property
    def active_in_fault_handlers(self) -> bool:
        """MPU_CTRL.HFNMIENA: on also at negative priorities."""
        return bool(self._control & _HFNMIENA)

    def read_word(self, offset: int) -> int:
        """Return a register by its offset in the system control space."""
        if offset == _TYPE:
            return REGION_COUNT << 8
        if offset == _CTRL:
            return self._control
        if offset == _RNR:
            return self._number
        if (offset - 0xD9C) % 8 == 0:  # RBAR and its aliases
            return self._base[self._number] | self._number
        return self._attributes[self._number]

    def write_word(self, offset: int, value: int) -> None:
        """Write a register by its offset in the system control space."""
        if offset == _CTRL:
            self._control = value & 7
        elif offset == _RNR:
            self._number = value & 0xFF if value & 0xFF < REGION_COUNT else self._number
        elif offset == _TYPE:
            return
        elif (offset - 0xD9C) % 8 == 0:
            if value & _RBAR_VALID:
                if value & 0xF >= REGION_COUNT:
                    return  # unpredictable
                self._number = value & 0xF
            self._base[self._number] = value & 0xFFFF_FFE0
        else:
            self._attributes[self._number] = value & 0x173F_FF3F
        self._update()

    def check(self, address: int, byte_count: int, access: int, privileged: bool) -> None:
        """Raise ProtectionFault unless the core itself may read or write a range of words (on an
        exception).
        """
        for word in range(address, address + byte_count, 4):
            if not mpu_hook.allows(self.words, word, access, privileged):
                raise ProtectionFault(word, "write" if access == _WRITE else "read", "the MPU forbids it")

    def _update(self) -> None:
        """Write the regions down for the native hooks, the highest number first."""
        words = self.words
        words[mpu_hook.BACKGROUND] = self._control >> 2 & 1
        for number in range(REGION_COUNT):
            row = mpu_hook.REGIONS + mpu_hook.REGION_WORDS * (REGION_COUNT - 1 - number)
            attributes = self._attributes[number]
            size = attributes >> 1 & 31
            enabled = bool(attributes & 1) and size >= _SMALLEST_SIZE
            length = 1 << size + 1
            base = self._base[number] & ~(length - 1)
            privileged, unprivileged = _ACCESS[attributes >> 24 & 7]
            words[row + mpu_hook.BASE] = base
            words[row + mpu_hook.END] = base + length if enabled else base
            words[row + mpu_hook.SUBREGION_SHIFT] = size - 2
            words[row + mpu_hook.DISABLED] = (
                attributes >> 8 & 0xFF if size >= _SMALLEST_WITH_SUBREGIONS else 0
            )
            never = attributes >> 28 & 1
            words[row + mpu_hook.PRIVILEGED_ACCESS] = privileged | _executable(privileged, never)
            words[row + mpu_hook.UNPRIVILEGED_ACCESS] = unprivileged | _executable(unprivileged, never)
        self._on_change()


def _executable(access: int, never: int) -> int:
    return mpu_hook.EXECUTE if access & _READ and not never else 0
