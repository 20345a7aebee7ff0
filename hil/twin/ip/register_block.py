# SPDX-License-Identifier: Apache-2.0
"""What all peripherals have in common: 32-bit registers behind a bus clock.

Source for narrow accesses: RM0351, 2.2 (memory organization): a bridge to the APB turns an access of 8 or 16
bits into one of 32 bits, and duplicates the data.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar, Literal, Protocol

from hil.parts import Block
from hil.twin.core.bus import BusFault
from hil.twin.core.counter_line import CounterLine
from hil.twin.errors import TwinError

WORD = 0xFFFF_FFFF
_DUPLICATES = {1: 0x0101_0101, 2: 0x0001_0001}
"""By the width of a store, what to multiply its value with."""


def always() -> bool:
    """The clock condition of a block whose registers need no enable bit."""
    return True


def field(word: int, position: int, width: int = 1) -> int:
    """The bit field of ``width`` bits at ``position`` of a register's value."""
    return (word >> position) & ((1 << width) - 1)


class Unknowns(Protocol):
    """Who is told of accesses to what a block does not model."""

    def touched(self, block: "RegisterBlock", offset: int, operation: Literal["read", "write"]) -> int | None:
        """A register that the block does not have; returns its reset value, None if there is no register."""

    def absent(self, block: "RegisterBlock", offset: int, operation: Literal["read", "write"]) -> None:
        """A reserved address where no block is."""

    def without_effect(self, block: "RegisterBlock", offset: int, bits: int) -> None:
        """Bits of a register were changed whose function the block does not model."""


class RegisterBlock:
    """A peripheral's registers on the bus.

    A subclass lists its registers with their reset values in ``resets`` and overrides :meth:`read_word` and
    :meth:`write_word` for those that do more than store. Without its clock a block reads as zero and ignores
    writes (RM0351, RCC section, peripheral clock enable registers).
    """

    resets: ClassVar[Mapping[int, int]] = {}
    """Reset value of every modelled register by its offset."""
    writable: ClassVar[Mapping[int, int]] = {}
    """Writable bits of a register by its offset; all 32 where not listed."""
    write_one: ClassVar[frozenset[int]] = frozenset()
    """Registers on which only written ones act, so that a narrow write must not repeat the other bits."""
    not_modelled: ClassVar[Mapping[int, int]] = {}
    """Bits, by their register's offset, whose function is not modelled: who changes one is told."""
    stored_only: ClassVar[Mapping[int, int]] = {}
    """Bits, by their register's offset, on which nothing depends that a program or the bench could see."""

    words_only: ClassVar[bool] = False
    """An access of 8 or 16 bits is a bus error."""
    polled: ClassVar[frozenset[int]] = frozenset()
    """Registers whose loads have no effect and whose value changes by stores and planned events alone, or
    when :meth:`changes_at_ps` says: the core may cut a program's waiting for them short."""
    counters: ClassVar[frozenset[int]] = frozenset()
    """Registers whose loads have no effect and whose value goes on as :meth:`counting` says."""

    def __init__(self, block: Block) -> None:
        self.name = block.name
        self.base = block.base
        self.size = block.size
        self.gate = block.gate
        self._behind_bridge = block.behind_bridge
        self.is_clocked = self._without_clock if block.gate else always
        self.unknowns: Unknowns | None = None
        self.words: dict[int, int] = dict(self.resets)

    def connect_clock(self, is_clocked: Callable[[], bool]) -> None:
        """``is_clocked`` says whether the clock gate of the block is open."""
        self.is_clocked = is_clocked

    def _without_clock(self) -> bool:
        raise TwinError(f"{self.name}: nothing is connected to its clock gate {self.gate}")

    def reset(self) -> None:
        """Every register as after a system reset."""
        self.words = dict(self.resets)

    def read(self, offset: int, width: int) -> int:
        """The value a load of ``width`` bytes sees at ``offset``; raises BusFault if :attr:`words_only`."""
        if not self.is_clocked():
            return 0
        if width == 4:
            return self.read_word(offset & ~3)
        self._refuse_narrow(offset, "read")
        word = self.read_word(offset & ~3)
        return (word >> 8 * (offset & 3)) & ((1 << 8 * width) - 1)

    def write(self, offset: int, width: int, value: int) -> None:
        """A store of ``width`` bytes at ``offset``.

        A narrow one keeps the other bytes of the register on the AHB. On the APB the bridge writes the whole
        register with copies of the value. Raises BusFault if :attr:`words_only`.
        """
        if not self.is_clocked():
            return
        word_offset = offset & ~3
        if width < 4:
            self._refuse_narrow(offset, "write")
            value = self._widened(word_offset, offset & 3, width, value)
        if word_offset in self.not_modelled:
            changed = (value ^ self.words.get(word_offset, 0)) & self.not_modelled[word_offset]
            if changed and self.unknowns is not None:
                self.unknowns.without_effect(self, word_offset, changed)
        self.write_word(word_offset, value & WORD)

    def _refuse_narrow(self, offset: int, operation: str) -> None:
        if self.words_only:
            raise BusFault(self.base + offset, operation, f"{self.name} takes accesses of 32 bits only")

    def _widened(self, word_offset: int, lane: int, width: int, value: int) -> int:
        """The word that a store of fewer bytes writes."""
        if self._behind_bridge:
            return value * _DUPLICATES[width]
        shift = 8 * lane
        lanes = ((1 << 8 * width) - 1) << shift
        if word_offset not in self.words:
            self._discover(word_offset, "write")
        kept = 0 if word_offset in self.write_one else self.words.get(word_offset, 0) & ~lanes
        return kept | (value << shift & lanes)

    def read_word(self, offset: int) -> int:
        """The register at ``offset``."""
        word = self.words.get(offset)
        return self._discover(offset, "read") if word is None else word

    def changes_at_ps(self, offset: int) -> int | None:
        """When the polled register at ``offset`` changes without an event that was planned, if it does."""
        return None

    def counting(self, offset: int) -> CounterLine | None:
        """How the counter at ``offset``, which was just read, goes on; ``None`` if that cannot be told."""
        return None

    def write_word(self, offset: int, value: int) -> None:
        """Write the register at ``offset``: store its writable bits."""
        self.store(offset, value)

    def store(self, offset: int, value: int) -> None:
        """Keep the writable bits of ``value``; a reserved offset keeps nothing."""
        if offset not in self.words:
            self._discover(offset, "write")
        if offset in self.words:
            mask = self.writable.get(offset, WORD)
            before = self.words[offset]
            self.words[offset] = (before & ~mask) | (value & mask)

    def _discover(self, offset: int, operation: Literal["read", "write"]) -> int:
        """A register that the block does not model: from now on it is kept, until the next reset."""
        reset = None if self.unknowns is None else self.unknowns.touched(self, offset, operation)
        if reset is None:
            return 0
        self.words[offset] = reset
        return reset
