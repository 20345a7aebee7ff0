# SPDX-License-Identifier: Apache-2.0
"""Direct memory access controllers (RM0351, DMA section): seven channels each, requests selected by CSELR."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, Protocol

import numpy as np
import numpy.typing as npt

from hil.parts import Block
from hil.twin.core.bus import BusFault
from hil.twin.ip.interrupts import InterruptSource
from hil.twin.ip.register_block import RegisterBlock, field

ISR: Final = 0x00
IFCR: Final = 0x04
CCR1: Final = 0x08
CNDTR1: Final = 0x0C
CPAR1: Final = 0x10
CMAR1: Final = 0x14
CHANNEL_STRIDE: Final = 0x14
CSELR: Final = 0xA8

CHANNELS: Final = 7
_GLOBAL, _COMPLETE, _HALF, _ERROR = 1, 2, 4, 8
"""Flags of one channel in DMA_ISR; the enable bits in DMA_CCR stand at the same places."""
_EN, _DIR, _CIRC, _PINC, _MINC, _MEM2MEM = 1, 1 << 4, 1 << 5, 1 << 6, 1 << 7, 1 << 14


class SystemBus(Protocol):
    """What a bus master does."""

    def read(self, address: int, width: int) -> int:
        """Load ``width`` bytes; raises BusFault."""

    def write(self, address: int, width: int, value: int) -> None:
        """Store ``width`` bytes; raises BusFault."""

    def is_ram(self, address: int, byte_count: int) -> bool:
        """Whether a range lies in one SRAM."""

    def write_half_words(self, address: int, values: npt.NDArray[np.int64]) -> None:
        """Store half-words into SRAM."""


class _Channel:
    """The working state of one channel: what was programmed when it was enabled, and how far it is."""

    def __init__(self, interrupt: InterruptSource) -> None:
        self.interrupt = interrupt
        self.total = 0
        self.done = 0


class Dma(RegisterBlock):
    """One DMA controller. A peripheral calls :meth:`request` for every item it wants moved."""

    resets: ClassVar[Mapping[int, int]] = {ISR: 0, IFCR: 0, CSELR: 0} | {
        base + CHANNEL_STRIDE * index: 0 for base in (CCR1, CNDTR1, CPAR1, CMAR1) for index in range(CHANNELS)
    }
    polled: ClassVar[frozenset[int]] = frozenset({ISR})
    writable: ClassVar[Mapping[int, int]] = (
        {ISR: 0, IFCR: 0, CSELR: 0x0FFF_FFFF}
        | {CCR1 + CHANNEL_STRIDE * index: 0x7FFF for index in range(CHANNELS)}
        | {CNDTR1 + CHANNEL_STRIDE * index: 0xFFFF for index in range(CHANNELS)}
    )
    write_one: ClassVar[frozenset[int]] = frozenset({IFCR})
    stored_only: ClassVar[Mapping[int, int]] = {
        CCR1 + CHANNEL_STRIDE * index: 0x3000 for index in range(CHANNELS)
    }
    """PL: an item is moved at the instant of its request, so that no two requests ever wait together."""
    words_only: ClassVar[bool] = True
    """RM0394, 11.6, of the same block: registers are accessed by words; users see a fault otherwise."""

    def __init__(self, block: Block, bus: SystemBus, interrupts: Sequence[InterruptSource]) -> None:
        """``interrupts`` are one a channel."""
        super().__init__(block)
        self._bus = bus
        self._channels = [_Channel(interrupt) for interrupt in interrupts]

    def reset(self) -> None:
        """System reset: all channels off."""
        super().reset()
        for index in range(CHANNELS):
            self._update_interrupt(index)

    def listens(self, channel: int, code: int) -> bool:
        """Whether channel ``channel`` (1 to 7) is enabled and its CSELR field selects request ``code``."""
        index = channel - 1
        enabled = self.words[CCR1 + CHANNEL_STRIDE * index] & _EN
        return bool(enabled) and field(self.words[CSELR], 4 * index, 4) == code and self.is_clocked()

    def request(self, channel: int, code: int) -> bool:
        """A peripheral's request ``code`` on ``channel``: moves one item; false if nobody serves it."""
        if not self.listens(channel, code):
            return False
        index = channel - 1
        if self.words[CNDTR1 + CHANNEL_STRIDE * index] == 0:
            return False
        self._transfer(index)
        return True

    def finished(self, channel: int) -> bool:
        """Whether a channel (1 to 7) has moved all its items; a circular one never has."""
        return self.words[CNDTR1 + CHANNEL_STRIDE * (channel - 1)] == 0

    def room_before_flag(self, channel: int, code: int, source: int) -> int:
        """How many half-words from the register at ``source`` could be moved to SRAM before a flag is due.

        Zero if the channel does not serve request ``code`` in this simple way.
        """
        if not self.listens(channel, code):
            return 0
        at = CHANNEL_STRIDE * (channel - 1)
        state, control = self._channels[channel - 1], self.words[CCR1 + at]
        simple = control & (_DIR | _PINC | _MINC | _MEM2MEM) == _MINC and field(control, 10, 2) == 1
        if not simple or self.words[CPAR1 + at] != source:
            return 0
        half = state.total // 2
        room = (half if state.done < half else state.total) - state.done - 1
        return room if self._bus.is_ram(self.words[CMAR1 + at] + 2 * state.done, 2 * room) else 0

    def move_half_words(self, channel: int, values: npt.NDArray[np.int64]) -> None:
        """Move as many half-words as :meth:`room_before_flag` allowed, at once."""
        at, state = CHANNEL_STRIDE * (channel - 1), self._channels[channel - 1]
        self._bus.write_half_words(self.words[CMAR1 + at] + 2 * state.done, values)
        state.done += len(values)
        self.words[CNDTR1 + at] -= len(values)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register; enabling a channel latches its count and addresses."""
        if offset == IFCR:
            self._clear_flags(value)
            return
        index, register = divmod(offset - CCR1, CHANNEL_STRIDE)
        if offset == CSELR or not 0 <= index < CHANNELS:
            self.store(offset, value)
            return
        control = CCR1 + CHANNEL_STRIDE * index
        was_enabled = self.words[control] & _EN
        if was_enabled and register:
            return  # count and addresses are write-protected while the channel is enabled
        self.store(offset, value)
        if register == 0:
            self._update_interrupt(index)
            if self.words[control] & _EN and not was_enabled:
                self._channels[index].total = self.words[CNDTR1 + CHANNEL_STRIDE * index]
                self._channels[index].done = 0
                if self.words[control] & _MEM2MEM:
                    self._copy(index)

    def _copy(self, index: int) -> None:
        while self.words[CCR1 + CHANNEL_STRIDE * index] & _EN and self.words[CNDTR1 + CHANNEL_STRIDE * index]:
            self._transfer(index)

    def _transfer(self, index: int) -> None:
        at = CHANNEL_STRIDE * index
        control, channel = self.words[CCR1 + at], self._channels[index]
        peripheral_width, memory_width = 1 << field(control, 8, 2), 1 << field(control, 10, 2)
        peripheral = self.words[CPAR1 + at] + (channel.done * peripheral_width if control & _PINC else 0)
        memory = self.words[CMAR1 + at] + (channel.done * memory_width if control & _MINC else 0)
        # Counted before it is moved: what is written may ask for the next item at once.
        channel.done += 1
        done = channel.done
        self.words[CNDTR1 + at] -= 1
        try:
            if control & _DIR:
                value = self._bus.read(memory, memory_width)
                self._bus.write(peripheral, peripheral_width, value & ((1 << 8 * peripheral_width) - 1))
            else:
                value = self._bus.read(peripheral, peripheral_width)
                self._bus.write(memory, memory_width, value & ((1 << 8 * memory_width) - 1))
        except BusFault:
            channel.done -= 1
            self.words[CNDTR1 + at] += 1
            self.words[CCR1 + at] &= ~_EN
            self._flag(index, _ERROR)
            return
        if done == channel.total // 2:
            self._flag(index, _HALF)
        if done == channel.total:
            if control & _CIRC:
                channel.done = 0
                self.words[CNDTR1 + at] = channel.total
            self._flag(index, _COMPLETE)

    def _flag(self, index: int, flag: int) -> None:
        self.words[ISR] |= (flag | _GLOBAL) << 4 * index
        self._update_interrupt(index)

    def _clear_flags(self, value: int) -> None:
        for index in range(CHANNELS):
            cleared = field(value, 4 * index, 4)
            if cleared & _GLOBAL:
                cleared = 0xF
            flags = field(self.words[ISR], 4 * index, 4) & ~cleared
            flags = flags | _GLOBAL if flags & ~_GLOBAL else 0
            self.words[ISR] = (self.words[ISR] & ~(0xF << 4 * index)) | flags << 4 * index
            self._update_interrupt(index)

    def _update_interrupt(self, index: int) -> None:
        enabled = self.words[CCR1 + CHANNEL_STRIDE * index] & (_COMPLETE | _HALF | _ERROR)
        self._channels[index].interrupt.set(bool(field(self.words[ISR], 4 * index, 4) & enabled))
