# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading

import pytest

from hil.twin.core.bus import BusFault

RAM = range(0x20000000, 0x20004000)
DHCSR = 0xE000EDF0


class RamCore:
    """16 KiB of RAM and one debug register; everything else faults."""

    def __init__(self) -> None:
        self.state = "halted"
        self.debug_access_ok = True
        self.ram = bytearray(len(RAM))

    def _offset(self, address: int, size: int) -> int:
        if address not in RAM or address + size - 1 not in RAM:
            raise BusFault(address, "debug access")
        return address - RAM.start

    def debug_read(self, address: int, width: int) -> int:
        if address == DHCSR:
            return 0x00030003
        offset = self._offset(address, width)
        return int.from_bytes(self.ram[offset : offset + width], "little")

    def debug_write(self, address: int, width: int, value: int) -> None:
        offset = self._offset(address, width)
        self.ram[offset : offset + width] = value.to_bytes(width, "little")

    def debug_read_block(self, address: int, byte_count: int) -> bytes:
        offset = self._offset(address, byte_count)
        return bytes(self.ram[offset : offset + byte_count])

    def debug_write_block(self, address: int, data: bytes) -> None:
        offset = self._offset(address, len(data))
        self.ram[offset : offset + len(data)] = data


class RamMcu:
    def __init__(self) -> None:
        self.core = RamCore()
        self.nrst_changes: list[bool] = []
        self.debug_port_losses = 0
        self.supplied = True

    @property
    def swd_obstacle(self) -> str | None:
        return None if self.supplied else "not powered"

    def set_nrst(self, asserted: bool) -> None:
        self.nrst_changes.append(asserted)


class RamBench:
    """A bench that is only RAM and a halted core, for the debug port in front of it."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.mcu = RamMcu()
        self.debug_lines_isolated = False
        self.target_answers = True
        self.now_s = 0.0
        self.halt_waits_s: list[float] = []

    def advance(self, seconds: float) -> None:
        self.now_s += seconds

    def stop_at_halt(self, limit_s: float) -> None:
        self.halt_waits_s.append(limit_s)


@pytest.fixture
def bench() -> RamBench:
    return RamBench()
