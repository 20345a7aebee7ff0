# SPDX-License-Identifier: Apache-2.0
"""A part's memories as the core takes them."""

from hil.parts import Part
from hil.twin.core import MemoryMap, Region


def memory_map(part: Part) -> MemoryMap:
    """Flash, both SRAMs, and the system memory with boot loader, OTP, identification words and option bytes.

    Raises ValueError if the part's data contradicts itself.
    """
    flash, system = part.flash, part.system_memory
    return MemoryMap(
        (
            Region("flash", flash.base, flash.size, "flash", alias=flash.alias, banks=flash.banks),
            Region("sram1", part.sram1.base, part.sram1.size, "ram"),
            Region("sram2", part.sram2.base, part.sram2.size, "ram"),
            Region("system", system.base, system.size, "rom"),
        )
    )
