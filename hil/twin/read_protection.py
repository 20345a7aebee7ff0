# SPDX-License-Identifier: Apache-2.0
"""Read protection level 1 (RM0351, FLASH section, "Read protection (RDP)"): what a debugger is kept out of.

Flash, SRAM2 and the backup registers answer its accesses with a bus error. From the moment at which it takes
the core until the next power-on the program is kept out of the flash as well.
"""

from typing import Final

from hil.twin.core.core import Core
from hil.twin.soc.stm32l4.option_bytes import OptionBytes

_BACKUP_REGISTERS: Final = (0x50, 0x80)
"""Offset in the RTC, and bytes."""
_REASON: Final = "read protection level 1 closes flash, SRAM2 and backup registers to a debugger"


class ReadProtection:
    """Keeps a debugger out of a part whose option bytes say so."""

    def __init__(self, core: Core, options: OptionBytes, rtc_base: int) -> None:
        self._core = core
        self._options = options
        self._intruded = False
        closed = [place for place in core.memory.map.places() if place[1].name in ("flash", "sram2")]
        offset, size = _BACKUP_REGISTERS
        self._closed = (*((base, region.size) for base, region in closed), (rtc_base + offset, size))

    def power_on_reset(self) -> None:
        """Forget that a debugger was there."""
        self._intruded = False

    def closes_flash(self) -> bool:
        """Whether a debugger has, or had, the core of a protected part."""
        if not self._options.read_protected:
            return False
        self._intruded = self._intruded or self._core.debugged
        return self._intruded

    def refusal(self, address: int, byte_count: int) -> str | None:
        """Why a debugger must not reach a range, ``None`` if it may."""
        if not self._options.read_protected:
            return None
        touched = any(address < base + size and base < address + byte_count for base, size in self._closed)
        return _REASON if touched else None
