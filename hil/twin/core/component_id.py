# SPDX-License-Identifier: Apache-2.0
"""CoreSight identification registers of the debug components, at 0xFD0 to 0xFFC of each.

Source: Cortex-M4 TRM (DDI 0439), "Debug" (ROM table and component identification); STM32L476 ROM table:
RM0351, "MCU debug component", part 0x415 by STMicroelectronics (JEP106 0x20, no continuation).
"""

from __future__ import annotations

_ARM_CLASS_GENERIC, _CLASS_ROM_TABLE = 0xE0, 0x10
_COMPONENTS: dict[str, tuple[int, tuple[int, int, int, int]]] = {
    # component class byte (CIDR1), PIDR4, PIDR0, PIDR1, PIDR2
    "scs": (_ARM_CLASS_GENERIC, (0x04, 0x0C, 0xB0, 0x0B)),
    "dwt": (_ARM_CLASS_GENERIC, (0x04, 0x02, 0xB0, 0x3B)),
    "fpb": (_ARM_CLASS_GENERIC, (0x04, 0x03, 0xB0, 0x2B)),
    "itm": (_ARM_CLASS_GENERIC, (0x04, 0x01, 0xB0, 0x3B)),
    "rom_table": (_CLASS_ROM_TABLE, (0x00, 0x15, 0x04, 0x0A)),
}


def identification_word(component: str, offset: int) -> int:
    """Return the register at `offset` (0xFD0 to 0xFFC) of a component; 0 for those that do not exist."""
    class_byte, (pidr4, pidr0, pidr1, pidr2) = _COMPONENTS[component]
    return {
        0xFD0: pidr4,
        0xFE0: pidr0,
        0xFE4: pidr1,
        0xFE8: pidr2,
        0xFF0: 0x0D,
        0xFF4: class_byte,
        0xFF8: 0x05,
        0xFFC: 0xB1,
    }.get(offset, 0)
