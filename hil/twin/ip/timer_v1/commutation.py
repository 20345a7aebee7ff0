# SPDX-License-Identifier: Apache-2.0
"""Preloaded output control of a timer with complementary outputs (RM0351, TIM1: 6-step PWM generation).

While CR2.CCPC is set, CCxE, CCxNE and OCxM act from the next commutation event on.
"""

from collections.abc import Callable, Iterator, MutableMapping
from typing import Final

from hil.twin.ip.timer_v1.registers import CCER, CCMR1, CCPC, CCUS, CR2

_PRELOADED: Final = {CCER: 0x5555, CCMR1: 0x0101_7070, CCMR1 + 4: 0x0101_7070}
"""CCxE and CCxNE; OCxM."""


class _Kept(MutableMapping[int, int]):
    """The registers with the preloaded bits as they were at the last commutation."""

    def __init__(self, words: MutableMapping[int, int]) -> None:
        self._words = words
        self._bits: dict[int, int] = {}
        self.commutate()

    def commutate(self) -> None:
        self._bits = {offset: self._words[offset] & mask for offset, mask in _PRELOADED.items()}

    def __getitem__(self, offset: int) -> int:
        word = self._words[offset]
        mask = _PRELOADED.get(offset)
        return word if mask is None else word & ~mask | self._bits[offset]

    def __setitem__(self, offset: int, word: int) -> None:
        self._words[offset] = word

    def __delitem__(self, offset: int) -> None:
        del self._words[offset]

    def __iter__(self) -> Iterator[int]:
        return iter(self._words)

    def __len__(self) -> int:
        return len(self._words)


class Commutation:
    """``in_force`` are the registers as the outputs see them."""

    def __init__(self, words: Callable[[], MutableMapping[int, int]]) -> None:
        self._words = words
        self._kept: _Kept | None = None
        self.in_force: MutableMapping[int, int] = words()

    def refresh(self) -> None:
        """CR2 was written, or everything was reset."""
        words = self._words()
        if not words[CR2] & CCPC:
            self._kept, self.in_force = None, words
        elif self._kept is None:
            self._kept = self.in_force = _Kept(words)

    @property
    def follows_trigger(self) -> bool:
        """Whether a rising edge of the trigger commutates too."""
        return self._kept is not None and bool(self._words()[CR2] & CCUS)

    def commutate(self) -> bool:
        """A commutation event; returns whether anything is preloaded."""
        if self._kept is None:
            return False
        self._kept.commutate()
        return True
