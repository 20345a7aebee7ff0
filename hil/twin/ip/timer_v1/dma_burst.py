# SPDX-License-Identifier: Apache-2.0
"""A timer's DMA bursts (RM0351, TIMx_DCR and TIMx_DMAR): one event, several registers through one address."""

from collections.abc import Callable, MutableMapping

from hil.twin.ip.register_block import field
from hil.twin.ip.timer_v1.registers import DCR, DMAR


class DmaBurst:
    """Which register the next access of DMAR reaches."""

    def __init__(self, words: Callable[[], MutableMapping[int, int]]) -> None:
        self._words = words
        self._index = 0

    def reset(self) -> None:
        """Begin with the base address."""
        self._index = 0

    def next_register(self) -> int | None:
        """The offset of the register behind DMAR now, None if there is none; moves on to the next one."""
        control = self._words()[DCR]
        offset = 4 * (field(control, 0, 5) + self._index)
        self._index = 0 if self._index >= field(control, 8, 5) else self._index + 1
        return None if offset == DMAR else offset

    def ask(self, request: Callable[[], bool]) -> None:
        """An event asks for DMA; once begun, a burst asks until it is over."""
        while request() and self._index:
            pass
