# SPDX-License-Identifier: Apache-2.0
"""The probe's own memory commands: one request for a whole access, as an ST-LINK offers them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pyocd.core import exceptions
from pyocd.core.memory_interface import MemoryInterface

from hil.twin.probe import arguments
from hil.twin.probe.access_port import TAR_INCREMENT_SPAN
from hil.twin.probe.swd_line import SwdLine

BYTES_MAX = 4 * arguments.WORDS_MAX


class MemoryAccess(MemoryInterface):  # type: ignore[misc]  # pyOCD has no type information
    """Memory reads and writes that drive TAR and DRW inside the probe.

    A refused access raises ``TransferFaultError``; the probe clears the sticky flag it left in the debug
    port, so that the next access works.
    """

    def __init__(self, line: SwdLine) -> None:
        self._line = line

    def read_memory(self, addr: int, transfer_size: int = 32, now: bool = True) -> int | Callable[[], int]:
        """Read 8, 16 or 32 bits at ``addr``."""
        width = self._width(addr, transfer_size)
        self._line.transfer(packets=3)  # TAR, DRW, RDBUFF
        value = self._line.read(addr, width)
        return value if now else lambda: value

    def write_memory(self, addr: int, data: int, transfer_size: int = 32) -> None:
        """Write 8, 16 or 32 bits at ``addr``."""
        width = self._width(addr, transfer_size)
        data = arguments.register_value(data)
        self._line.transfer(packets=3)  # TAR, DRW, RDBUFF
        self._line.write(addr, width, data & (1 << transfer_size) - 1)

    def read_memory_block32(self, addr: int, size: int) -> list[int]:
        """Read ``size`` words from the word-aligned ``addr`` on."""
        self._width(addr, 32)
        data = self._read_block(addr, 4 * arguments.count(size), packets=size)
        return [int.from_bytes(data[index : index + 4], "little") for index in range(0, len(data), 4)]

    def write_memory_block32(self, addr: int, data: Sequence[int]) -> None:
        """Write words from the word-aligned ``addr`` on."""
        self._width(addr, 32)
        words = arguments.values(data)
        self._write_block(
            addr, b"".join((word & 0xFFFFFFFF).to_bytes(4, "little") for word in words), packets=len(words)
        )

    def read_memory_block8(self, addr: int, size: int) -> list[int]:
        """Read ``size`` bytes from ``addr`` on."""
        arguments.count(size, BYTES_MAX)
        return list(self._read_block(addr, size, packets=size // 4 + size % 4))

    def write_memory_block8(self, addr: int, data: Sequence[int]) -> None:
        """Write bytes from ``addr`` on."""
        octets = bytes(value & 0xFF for value in arguments.values(data, BYTES_MAX))
        self._write_block(addr, octets, packets=len(octets) // 4 + len(octets) % 4)

    def _read_block(self, address: int, byte_count: int, packets: int) -> bytes:
        self._in_address_space(address, byte_count)
        if byte_count == 0:
            return b""
        self._line.transfer(packets + self._page_packets(address, byte_count))
        return self._line.read_block(address, byte_count)

    def _write_block(self, address: int, data: bytes, packets: int) -> None:
        self._in_address_space(address, len(data))
        if data:
            self._line.transfer(packets + self._page_packets(address, len(data)))
            self._line.write_block(address, data)

    @staticmethod
    def _in_address_space(address: int, byte_count: int) -> None:
        arguments.integer(address, 0, arguments.ADDRESS_SPACE - byte_count)

    @staticmethod
    def _page_packets(address: int, byte_count: int) -> int:
        """TAR and RDBUFF, once per page that TAR can walk through."""
        pages = (address + byte_count - 1) // TAR_INCREMENT_SPAN - address // TAR_INCREMENT_SPAN + 1
        return 2 * pages

    @staticmethod
    def _width(address: int, transfer_size: int) -> int:
        arguments.integer(address)
        if transfer_size not in (8, 16, 32):
            raise exceptions.TransferError(
                f"{transfer_size}-bit transfers: the AHB-AP offers 8, 16 and 32 bits"
            )
        width = transfer_size // 8
        if address % width:
            raise exceptions.TransferError(
                f"{transfer_size}-bit access at {address:#010x}: the address is not aligned"
            )
        return width
