# SPDX-License-Identifier: Apache-2.0
"""Offsets and bits of the I2Cs' registers (ST's stm32l476xx.h)."""

from typing import Final

CR1: Final = 0x00
CR2: Final = 0x04
OAR1: Final = 0x08
OAR2: Final = 0x0C
TIMINGR: Final = 0x10
TIMEOUTR: Final = 0x14
ISR: Final = 0x18
ICR: Final = 0x1C
RXDR: Final = 0x24
TXDR: Final = 0x28

PE, TXIE, RXIE, ADDRIE, NACKIE, STOPIE, TCIE, ERRIE = (1 << bit for bit in range(8))
TXDMAEN, RXDMAEN, SBC, NOSTRETCH, WUPEN, GCEN = (1 << bit for bit in range(14, 20))
NOISE_FILTERS: Final = 0x1F00
"""CR1: DNF, ANFOFF."""
SMBUS: Final = 0x00F0_0000
"""CR1: SMBHEN, SMBDEN, ALERTEN, PECEN."""
RD_WRN, ADD10, HEAD10R, START, STOP, NACK = (1 << bit for bit in range(10, 16))
RELOAD, AUTOEND, PECBYTE = 1 << 24, 1 << 25, 1 << 26
OA1MODE, OAEN = 1 << 10, 1 << 15
"""OAR1: 10 bits; both OARs: enabled."""
TXE, TXIS, RXNE, ADDR, NACKF, STOPF, TC, TCR = (1 << bit for bit in range(8))
OVR, BUSY, DIR = 1 << 10, 1 << 15, 1 << 16
ADDCODE_AT: Final = 17
CLEARABLE: Final = 0x3F38
"""The flags that ICR clears."""
