# SPDX-License-Identifier: Apache-2.0
"""System configuration controller (RM0351, SYSCFG section): which port feeds which EXTI line, the analog
switches' booster.
"""

from collections.abc import Mapping
from typing import ClassVar, Final

from hil.parts import Block
from hil.twin.ip.register_block import RegisterBlock
from hil.twin.signal import Signal

EXTICR1: Final = 0x08
CFGR1: Final = 0x04
_BOOSTEN: Final = 1 << 8
_EXTICR: Final = tuple(range(EXTICR1, EXTICR1 + 16, 4))


class Syscfg(RegisterBlock):
    """The SYSCFG. ``exti_selected`` tells that an EXTI line got another port, ``power_changed`` that its
    supply current may have changed.
    """

    resets: ClassVar[Mapping[int, int]] = (
        {0x00: 0, CFGR1: 0x7C00_0001} | dict.fromkeys(_EXTICR, 0) | {0x18: 0, 0x1C: 0, 0x20: 0, 0x24: 0}
    )
    writable: ClassVar[Mapping[int, int]] = dict.fromkeys(_EXTICR, 0x7777)
    not_modelled: ClassVar[Mapping[int, int]] = {
        0x00: 0x10F,  # MEMRMP
        CFGR1: 0xFCFF_0001,  # FPU interrupts, fast-mode plus, firewall
        0x18: 0x1,  # SCSR: SRAM2 erase
        0x1C: 0x10F,  # CFGR2: break sources
        0x20: 0xFFFF_FFFF,  # SWPR
        0x24: 0xFF,  # SKR
    }

    def __init__(self, block: Block) -> None:
        super().__init__(block)
        self.exti_selected: Signal[[]] = Signal(required=True)
        self.power_changed: Signal[[]] = Signal(required=True)

    @property
    def booster_on(self) -> bool:
        """BOOSTEN: a charge pump supplies the I/O analog switches."""
        return bool(self.words[CFGR1] & _BOOSTEN)

    def exti_port(self, line: int) -> str:
        """The letter of the port whose pin ``line`` feeds EXTI line ``line``."""
        return "ABCDEFGH"[self.words[EXTICR1 + line // 4 * 4] >> line % 4 * 4 & 7]

    def write_word(self, offset: int, value: int) -> None:
        """Write a register."""
        self.store(offset, value)
        if offset in _EXTICR:
            self.exti_selected()
        elif offset == CFGR1:
            self.power_changed()
