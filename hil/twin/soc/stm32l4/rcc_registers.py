# SPDX-License-Identifier: Apache-2.0
"""Offsets and bits of the RCC's registers (ST's stm32l476xx.h)."""

from typing import Final

CR: Final = 0x00
ICSCR: Final = 0x04
CFGR: Final = 0x08
PLLCFGR: Final = 0x0C
PLLSAI1CFGR: Final = 0x10
PLLSAI2CFGR: Final = 0x14
CIER: Final = 0x18
CIFR: Final = 0x1C
CICR: Final = 0x20
CCIPR: Final = 0x88
BDCR: Final = 0x90
CSR: Final = 0x94

MSION: Final = 1 << 0
MSIPLLEN: Final = 1 << 2
MSIRGSEL: Final = 1 << 3
HSION: Final = 1 << 8
HSIKERON: Final = 1 << 9
HSIASFS: Final = 1 << 11
HSEON: Final = 1 << 16
HSEBYP: Final = 1 << 18
CSSON: Final = 1 << 19
PLLON: Final = 1 << 24
PLLSAI1ON: Final = 1 << 26
PLLSAI2ON: Final = 1 << 28
"""Bits of RCC_CR."""
LSECSSON: Final = 1 << 5
LSECSSD: Final = 1 << 6
"""Bits of RCC_BDCR."""

RESET_FLAGS: Final = {
    "firewall": 1 << 24,
    "option_bytes": 1 << 25,
    "pin": 1 << 26,
    "bor": 1 << 27,
    "software": 1 << 28,
    "iwdg": 1 << 29,
    "wwdg": 1 << 30,
    "low_power": 1 << 31,
}
"""Reset cause flags of RCC_CSR."""
