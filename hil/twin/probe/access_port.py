# SPDX-License-Identifier: Apache-2.0
"""The AHB access port, a MEM-AP (ARM IHI 0031, ADIv5.2, chapters C2 and E1) in front of the Cortex-M4's bus
matrix.
"""

from __future__ import annotations

from collections.abc import Sequence

from hil.twin.probe.swd_line import SwdLine

IDR_VALUE = 0x24770011
"""AHB-AP of the Cortex-M4: Arm, class MEM-AP, variant 1, type AHB (Cortex-M4 TRM, AHB-AP)."""

BASE_VALUE = 0xE00FF003
"""Debug base address: the ROM table at 0xE00FF000, present, in 32-bit format (RM0351, debug support)."""

# Register offsets (C2.6).
CSW = 0x00
TAR = 0x04
DRW = 0x0C
BD0 = 0x10
BD3 = 0x1C
CFG = 0xF4
BASE = 0xF8
IDR = 0xFC

# CSW fields (Cortex-M4 TRM, AHB-AP control and status word).
CSW_SIZE = 0x7
CSW_ADDRINC = 0x30
CSW_ADDRINC_SINGLE = 0x10
CSW_ADDRINC_PACKED = 0x20
CSW_FIXED = 0x03000040
"""DbgStatus (bit 6): transfers are enabled. HPROT: privileged data access."""
CSW_WRITABLE = 0x2E000000
"""MasterType (bit 29) and HPROT[3:1]; a debugger may set them, the bus ignores them."""

WIDTH_OF_SIZE = {0: 1, 1: 2, 2: 4}
"""CSW.Size to bytes; other sizes are not implemented and a write of one is ignored (C2.2.7)."""

TAR_INCREMENT_SPAN = 0x1000
"""TAR increments within 4 KiB and wraps there. ADIv5.2 (C2.2.2) promises 1 KiB; the Cortex-M3/M4 AHB-AP
increments the low 12 bits, and pyOCD's table of access ports relies on it for this IDR."""


class AhbAp:
    """CSW, TAR and the data registers of the AHB-AP, as one client sees them."""

    def __init__(self, line: SwdLine) -> None:
        self._line = line
        self.lose_state()

    def lose_state(self) -> None:
        """State after power-up."""
        self._csw = CSW_FIXED | 0x2
        self._tar = 0

    def read_block(self, register: int, count: int) -> list[int]:
        """Read ``register`` ``count`` times; repeated reads of DRW walk through memory if TAR increments."""
        if register == DRW and count > 1 and self._streams_words(count):
            data = self._line.read_block(self._tar, 4 * count)
            self._increment(4 * count)
            return [int.from_bytes(data[index : index + 4], "little") for index in range(0, len(data), 4)]
        return [self._read(register) for _ in range(count)]

    def write_block(self, register: int, values: Sequence[int]) -> None:
        """Write ``values`` to ``register`` one after the other."""
        if register == DRW and len(values) > 1 and self._streams_words(len(values)):
            self._line.write_block(self._tar, b"".join(value.to_bytes(4, "little") for value in values))
            self._increment(4 * len(values))
            return
        for value in values:
            self._write(register, value)

    def _read(self, register: int) -> int:
        if register == CSW:
            return self._csw
        if register == TAR:
            return self._tar
        if register == DRW:
            return self._read_data()
        if BD0 <= register <= BD3:
            return self._line.read(self._tar & ~0xF | register & 0xC, 4)
        return {BASE: BASE_VALUE, IDR: IDR_VALUE}.get(
            register, 0
        )  # CFG: little-endian; the rest reads as zero

    def _write(self, register: int, value: int) -> None:
        if register == CSW:
            self._write_csw(value)
        elif register == TAR:
            self._tar = value
        elif register == DRW:
            self._write_data(value)
        elif BD0 <= register <= BD3:
            self._line.write(self._tar & ~0xF | register & 0xC, 4, value)

    def _write_csw(self, value: int) -> None:
        size = value & CSW_SIZE if value & CSW_SIZE in WIDTH_OF_SIZE else self._csw & CSW_SIZE
        increment = value & CSW_ADDRINC
        if increment not in (CSW_ADDRINC_SINGLE, CSW_ADDRINC_PACKED):
            increment = 0  # 0b11 is reserved
        self._csw = CSW_FIXED | value & CSW_WRITABLE | increment | size

    def _read_data(self) -> int:
        """A byte or halfword comes on the lanes its address selects (C2.2.6), packed ones fill a word."""
        value = 0
        for width in self._transfers():
            lane = self._tar & 3 & -width
            value |= self._line.read(self._tar & -width, width) << 8 * lane
            self._increment(width)
        return value

    def _write_data(self, value: int) -> None:
        for width in self._transfers():
            lane = self._tar & 3 & -width
            self._line.write(self._tar & -width, width, value >> 8 * lane & (1 << 8 * width) - 1)
            self._increment(width)

    def _transfers(self) -> Sequence[int]:
        """Width of each access to memory that one access of DRW makes (packed transfers: C2.2.7)."""
        width = self._width()
        packed = self._csw & CSW_ADDRINC == CSW_ADDRINC_PACKED
        return [width] * (4 // width) if packed else [width]

    def _width(self) -> int:
        return WIDTH_OF_SIZE[self._csw & CSW_SIZE]

    def _increment(self, byte_count: int) -> None:
        if self._csw & CSW_ADDRINC:
            low = (self._tar + byte_count) % TAR_INCREMENT_SPAN
            self._tar = self._tar - self._tar % TAR_INCREMENT_SPAN + low

    def _streams_words(self, count: int) -> bool:
        """Whether ``count`` accesses of DRW are one run of words that does not wrap."""
        return (
            self._width() == 4
            and bool(self._csw & CSW_ADDRINC)
            and self._tar % 4 == 0
            and self._tar % TAR_INCREMENT_SPAN + 4 * count <= TAR_INCREMENT_SPAN
        )
