# SPDX-License-Identifier: Apache-2.0
"""Offsets and bits of the USARTs' registers (ST's stm32l476xx.h)."""

from typing import Final

CR1: Final = 0x00
CR2: Final = 0x04
CR3: Final = 0x08
BRR: Final = 0x0C
GTPR: Final = 0x10
RTOR: Final = 0x14
RQR: Final = 0x18
ISR: Final = 0x1C
ICR: Final = 0x20
RDR: Final = 0x24
TDR: Final = 0x28

UE, UESM, RE, TE, IDLEIE, RXNEIE, TCIE, TXEIE = (1 << bit for bit in range(8))
PEIE, PS, PCE, WAKE, M0, MME, CMIE, OVER8 = (1 << bit for bit in range(8, 16))
RTOIE, EOBIE, M1 = 1 << 26, 1 << 27, 1 << 28
DEDT_AT, DEAT_AT = 16, 21
"""CR1: positions of fields of five bits."""

ADDM7, LBDL, LBDIE = 1 << 4, 1 << 5, 1 << 6
LINEN, SWAP, RXINV, TXINV, DATAINV, MSBFIRST, ABREN = (1 << bit for bit in range(14, 21))
RTOEN: Final = 1 << 23
STOP_AT, ABRMOD_AT, ADD_AT = 12, 21, 24
SYNCHRONOUS: Final = 0xF00
"""CR2: LBCL, CPHA, CPOL, CLKEN."""

EIE, HDSEL = 1 << 0, 1 << 3
DMAR, DMAT, RTSE, CTSE, CTSIE, ONEBIT, OVRDIS, DDRE, DEM, DEP = (1 << bit for bit in range(6, 16))
WUS_AT, WUFIE = 20, 1 << 22
IRDA_AND_SMARTCARD: Final = 0x000E_0036
"""CR3: IREN, IRLP, NACK, SCEN, SCARCNT."""

ABRRQ, SBKRQ, MMRQ, RXFRQ, TXFRQ = (1 << bit for bit in range(5))
"""RQR."""

PE, FE, NF, ORE, IDLE, RXNE, TC, TXE = (1 << bit for bit in range(8))
LBDF, CTSIF, CTS, RTOF, EOBF = (1 << bit for bit in range(8, 13))
ABRE, ABRF, BUSY, CMF, SBKF, RWU, WUF, TEACK, REACK = (1 << bit for bit in range(14, 23))
ISR_RESET: Final = TXE | TC
CLEARABLE: Final = 0x0012_1B5F
"""The flags that ICR clears."""
