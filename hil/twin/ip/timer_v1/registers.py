# SPDX-License-Identifier: Apache-2.0
"""Offsets and bits of the timers' registers (ST's stm32l476xx.h)."""

from typing import Final

CR1: Final = 0x00
CR2: Final = 0x04
SMCR: Final = 0x08
DIER: Final = 0x0C
SR: Final = 0x10
EGR: Final = 0x14
CCMR1: Final = 0x18
CCER: Final = 0x20
CNT: Final = 0x24
PSC: Final = 0x28
ARR: Final = 0x2C
RCR: Final = 0x30
CCR1: Final = 0x34
BDTR: Final = 0x44
DCR: Final = 0x48
DMAR: Final = 0x4C
OR1: Final = 0x50

CEN, UDIS, URS, OPM, DIR, CMS, ARPE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 4, 3 << 5, 1 << 7
"""CR1."""
CKD: Final = 3 << 8
"""CR1: the clock of dead time and of the input filters."""
UIFREMAP: Final = 1 << 11
"""CR1: CNT's highest bit reads UIF."""
CCPC, CCUS, CCDS = 1, 1 << 2, 1 << 3
"""CR2: control bits are preloaded; the trigger commutates too; matches ask for DMA at the update."""
TI1S: Final = 1 << 7
"""CR2: TI1 is the exclusive or of the pins of channels 1 to 3."""
UIE, CC1IE, TIE, BIE, UDE, CC1DE, COMDE, TDE = (
    *(1, 1 << 1, 1 << 6, 1 << 7),
    *(1 << 8, 1 << 9, 1 << 13, 1 << 14),
)
"""DIER."""
UIF, CC1IF, COMIF, TIF, BIF, B2IF, CC1OF = 1, 1 << 1, 1 << 5, 1 << 6, 1 << 7, 1 << 8, 1 << 9
"""SR."""
UG, COMG, TG, BG = 1, 1 << 5, 1 << 6, 1 << 7
"""EGR."""
OSSI, OSSR, BKE, BKP, AOE, MOE = (1 << bit for bit in range(10, 16))
"""BDTR."""

REGISTERS: Final = (*range(CR1, CCMR1 + 8, 4), *range(CCER, OR1 + 4, 4))
WRITABLE: Final = {CR1: 0xBFF, DIER: 0x7FFF, PSC: 0xFFFF, SMCR: 0x1_FFF7, DCR: 0x1F1F, DMAR: 0}
NOT_MODELLED: Final = {
    SMCR: 0x3F80,
    **dict.fromkeys((CCMR1, CCMR1 + 4), 0x8080),  # OCxCE and ICxF[3]
    BDTR: 0x03FF_0300,
    OR1: 0xFFFF_FFFF,
}
