# SPDX-License-Identifier: Apache-2.0
"""Interrupt request lines between the peripherals and the NVIC."""

from collections.abc import Callable, Mapping

from hil.parts import Block

SetInterrupt = Callable[[int, bool], None]
"""Sets the level of one NVIC input."""


class InterruptSource:
    """One peripheral's request on an NVIC line, which it may share with others."""

    def __init__(self, line: "_Line") -> None:
        self._line = line
        self._level = False

    @property
    def level(self) -> bool:
        """Whether this source requests."""
        return self._level

    def set(self, level: bool) -> None:
        """Request, or stop requesting."""
        if level != self._level:
            self._level = level
            self._line.count(1 if level else -1)


class _Line:
    def __init__(self, irq: int, set_interrupt: SetInterrupt) -> None:
        self._irq = irq
        self._set_interrupt = set_interrupt
        self._requests = 0

    def count(self, change: int) -> None:
        before = self._requests
        self._requests += change
        if (before == 0) != (self._requests == 0):
            self._set_interrupt(self._irq, self._requests > 0)


class InterruptLines:
    """All NVIC inputs: a line is high while any of its sources requests."""

    def __init__(self, numbers: Mapping[str, int], set_interrupt: SetInterrupt) -> None:
        self._lines = {name: _Line(number, set_interrupt) for name, number in numbers.items()}

    def source(self, line: str) -> InterruptSource:
        """A new source on the line of that name."""
        return InterruptSource(self._lines[line])

    def of(self, block: Block, request: str = "all") -> InterruptSource:
        """The source of a block's request; "all" is what the block has one line for."""
        return self.source(block.interrupts[request])
