# SPDX-License-Identifier: Apache-2.0
"""Interrupt request lines between the peripherals and the NVIC."""

from collections.abc import Callable

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

    def __init__(self, set_interrupt: SetInterrupt) -> None:
        self._set_interrupt = set_interrupt
        self._lines: dict[int, _Line] = {}

    def source(self, irq: int) -> InterruptSource:
        """A new source on the NVIC input ``irq``."""
        line = self._lines.setdefault(irq, _Line(irq, self._set_interrupt))
        return InterruptSource(line)
