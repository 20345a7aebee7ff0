# SPDX-License-Identifier: Apache-2.0
"""What the twin does not model says so: each register once, by its name and address, when it is touched.

An unmodelled register reads as its reset value until it is written, and as what was written from then on, but
nothing follows from it. So a driver that sets up such a block and reads it back goes on, and one that waits
for a flag of it waits in vain: the log then names the register.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from hil.parts import Block
from hil.twin.ip.register_block import WORD, RegisterBlock
from hil.twin.signal import Signal
from hil.twin.soc.register_names import RegisterName, register_names

LOG: Final = logging.getLogger(__name__)

Operation = Literal["read", "write"]

_BRIDGES: Final = ((0x4000_0000, 0x4000_9800), (0x4001_0000, 0x4001_6400))
"""APB1 and APB2 (DS10198 Rev 8, Table 19)."""


@dataclass(frozen=True)
class UnmodelledAccess:
    """The first access to a register without model, or to a part of a register without effect."""

    register: str
    """As the SVD file names it, "ADC2.CR", with the bits if only they have no model, "PWR.CR2 bit 4 (PVME1)".

    The block's name and the offset where the file names nothing.
    """
    address: int
    operation: Operation
    time_ps: int

    def __str__(self) -> str:
        return (
            f"{self.register} (0x{self.address:08X}), first {self.operation} at {self.time_ps / 1e12:.6f} s"
        )


class UnmodelledRegisters:
    """Collects the first access to every register that is not modelled, and logs it as a warning."""

    def __init__(self, svd: str, now_ps: Callable[[], int]) -> None:
        """``svd`` is pyOCD's register description of the part."""
        self._svd, self._now_ps = svd, now_ps
        self._seen: set[tuple[int, int]] = set()
        """Addresses and bits; all bits of a register without model."""
        self.added: Signal[[UnmodelledAccess]] = Signal()
        """Tells of every access that is added."""
        self.accesses: list[UnmodelledAccess] = []
        """In the order of time."""

    def touched(self, block: RegisterBlock, offset: int, operation: Operation) -> int | None:
        """An access without model; returns the register's reset value, or None if the address is reserved."""
        known = register_names(self._svd).get(block.base + offset)
        if known is None:
            self._note(f"{block.name}+0x{offset:03X}", block.base + offset, operation, "no register is known")
            return None
        kept = f"reset value 0x{known.reset:08X}, keeps writes, has no effect"
        self._note(known.name, block.base + offset, operation, kept)
        return known.reset

    def absent(self, block: RegisterBlock, offset: int, operation: Operation) -> None:
        """A reserved address; where other parts have a register, its name is told."""
        known = register_names(self._svd).get(block.base + offset)
        name = known.name if known is not None else f"{block.name}+0x{offset:03X}"
        self._note(name, block.base + offset, operation, "reserved on this part, reads as zero")

    def without_effect(self, block: RegisterBlock, offset: int, bits: int) -> None:
        """A modelled block was told to do what it does not model; each bit is named once."""
        address = block.base + offset
        fresh = sum(
            1 << bit for bit in range(32) if bits >> bit & 1 and (address, 1 << bit) not in self._seen
        )
        if not fresh:
            return
        self._seen |= {(address, 1 << bit) for bit in range(32) if fresh >> bit & 1}
        known = register_names(self._svd).get(address)
        name = known.name if known is not None else f"{block.name}+0x{offset:03X}"
        described = (known or RegisterName(name, 0)).describe(fresh)
        self._add(f"{name} {described}", address, "write", "has no effect")

    def _note(self, register: str, address: int, operation: Operation, what: str) -> None:
        if (address, WORD) not in self._seen:
            self._seen.add((address, WORD))
            self._add(register, address, operation, what)

    def _add(self, register: str, address: int, operation: Operation, what: str) -> None:
        access = UnmodelledAccess(register, address, operation, self._now_ps())
        self.accesses.append(access)
        LOG.warning("not modelled: %s: %s", access, what)
        self.added(access)


class Unmodelled(RegisterBlock):
    """A block of which nothing is modelled."""


class Reserved(RegisterBlock):
    """Addresses behind a bus bridge that hold no block: they read as zero (assumption reserved_addresses)."""

    def __init__(self, base: int, size: int) -> None:
        super().__init__(Block(f"reserved_0x{base:08X}", base, size, behind_bridge=True))

    def read_word(self, offset: int) -> int:
        """Zero."""
        self._touched(offset, "read")
        return 0

    def write_word(self, offset: int, value: int) -> None:
        """Nothing."""
        self._touched(offset, "write")

    def _touched(self, offset: int, operation: Operation) -> None:
        if self.unknowns is not None:
            self.unknowns.absent(self, offset, operation)


def reserved_between(blocks: Iterable[RegisterBlock]) -> list[Reserved]:
    """What fills the gaps that ``blocks`` leave behind the two APB bridges."""
    taken = sorted((block.base, block.base + block.size) for block in blocks)
    found = []
    for first, end in _BRIDGES:
        at = first
        for base, block_end in (*(span for span in taken if first <= span[0] < end), (end, end)):
            if base > at:
                found.append(Reserved(at, base - at))
            at = max(at, block_end)
    return found
