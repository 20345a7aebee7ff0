# SPDX-License-Identifier: Apache-2.0
"""Exceptions of an Armv7-M core: what is pending, enabled and active, and which of it runs next.

Source: Armv7-M Architecture Reference Manual (DDI 0403), B1.5.4 (priorities) and B3.4 (NVIC).  STM32L476: 82
interrupts and 4 priority bits (RM0351, NVIC main features).
"""

from __future__ import annotations

NMI, HARD_FAULT, MEM_MANAGE, BUS_FAULT, USAGE_FAULT = 2, 3, 4, 5, 6
SVCALL, DEBUG_MONITOR, PENDSV, SYSTICK = 11, 12, 14, 15
FIRST_INTERRUPT = 16
INTERRUPT_COUNT = 82
EXCEPTION_COUNT = FIRST_INTERRUPT + INTERRUPT_COUNT

THREAD_PRIORITY = 256
PRIORITY_BITS = 0xF0
"""The bits of a priority, and of BASEPRI, that the part implements; the others read as zero."""
_INTERRUPT_MASK = (1 << INTERRUPT_COUNT) - 1 << FIRST_INTERRUPT
_ALWAYS_ENABLED = 1 << NMI | 1 << HARD_FAULT | 1 << SVCALL | 1 << DEBUG_MONITOR | 1 << PENDSV | 1 << SYSTICK


class Nvic:
    """Pending, enabled and active exceptions: bit masks by exception number (interrupt n is bit 16 + n)."""

    def __init__(self) -> None:
        self.level = 0
        """Request lines that are high; they belong to the peripherals and outlive a core reset."""
        self.reset()

    def reset(self) -> None:
        """State after a system reset."""
        self.enabled = _ALWAYS_ENABLED
        self.latched = 0
        self.newly_pending = False
        """An exception became pending that was not; whoever looks (for SCR.SEVONPEND) sets it back."""
        self.active = 0
        self.priority_group = 0
        self._priority = [0] * EXCEPTION_COUNT
        self._priority[1:4] = [-3, -2, -1]

    @property
    def pending(self) -> int:
        """Pending exceptions: requested once and not yet taken, or a request line that is still high."""
        return self.latched | self.level & ~self.active

    def set_level(self, interrupt: int, high: bool) -> None:
        """Follow a peripheral's request line; a rising edge is remembered."""
        bit = 1 << FIRST_INTERRUPT + interrupt
        if high:
            if not self.level & bit:
                self.newly_pending |= not self.pending & bit
                self.latched |= bit
            self.level |= bit
        else:
            self.level &= ~bit

    def pend(self, number: int) -> None:
        """Make an exception pending."""
        self.newly_pending |= not self.pending >> number & 1
        self.latched |= 1 << number

    def unpend(self, number: int) -> None:
        """Withdraw a pending exception; a request line that is high keeps it pending."""
        self.latched &= ~(1 << number)

    def enable(self, number: int, enabled: bool) -> None:
        """Enable or disable an exception."""
        self.enabled = self.enabled | 1 << number if enabled else self.enabled & ~(1 << number)

    def priority(self, number: int) -> int:
        """Return the 8-bit priority field (negative for the fixed ones)."""
        return self._priority[number]

    def set_priority(self, number: int, value: int) -> None:
        """Set the priority field; only the implemented upper bits are kept."""
        self._priority[number] = value & PRIORITY_BITS

    def group_priority(self, number: int) -> int:
        """Return the part of the priority that decides on preemption."""
        return self._group(self._priority[number])

    def _group(self, priority: int) -> int:
        return priority if priority < 0 else priority & ~((2 << self.priority_group) - 1)

    def candidate(self, among: int | None = None) -> int | None:
        """Return the pending, enabled exception that comes first, None if there is none.

        `among` names the exceptions to choose from, as a mask.
        """
        waiting = self.pending & self.enabled if among is None else among
        best: tuple[int, int] | None = None
        while waiting:
            lowest = waiting & -waiting
            number = lowest.bit_length() - 1
            key = (self._priority[number], number)
            if best is None or key < best:
                best = key
            waiting ^= lowest
        return None if best is None else best[1]

    def active_priority(self) -> int:
        """Return the group priority of what is active, THREAD_PRIORITY if nothing is."""
        result = THREAD_PRIORITY
        active = self.active
        while active:
            lowest = active & -active
            result = min(result, self.group_priority(lowest.bit_length() - 1))
            active ^= lowest
        return result

    def execution_priority(self, primask: int, faultmask: int, basepri: int) -> int:
        """Return the priority an exception must beat (be below) to be taken."""
        result = self.active_priority()
        if basepri & PRIORITY_BITS:
            result = min(result, self._group(basepri & PRIORITY_BITS))
        if primask & 1:
            result = min(result, 0)
        if faultmask & 1:
            result = min(result, -1)
        return result

    def preempting(self, primask: int, faultmask: int, basepri: int, among: int | None = None) -> int | None:
        """Return the exception to take now, None if there is none; `among` as for `candidate`."""
        number = self.candidate(among)
        if number is None or self.group_priority(number) >= self.execution_priority(
            primask, faultmask, basepri
        ):
            return None
        return number

    # --- registers, offsets in the system control space ---

    def read_word(self, offset: int) -> int:
        """Return a register from 0x100 (ISER0) to 0x4EC."""
        block, index = offset & ~0x7F, (offset & 0x7F) >> 2
        shift = FIRST_INTERRUPT + 32 * index
        if block in (0x100, 0x180):
            return (self.enabled & _INTERRUPT_MASK) >> shift & 0xFFFF_FFFF
        if block in (0x200, 0x280):
            return (self.pending & _INTERRUPT_MASK) >> shift & 0xFFFF_FFFF
        if block == 0x300:
            return (self.active & _INTERRUPT_MASK) >> shift & 0xFFFF_FFFF
        if 0x400 <= offset < 0x400 + INTERRUPT_COUNT:
            first = FIRST_INTERRUPT + offset - 0x400
            numbers = range(first, min(first + 4, EXCEPTION_COUNT))
            return sum(self._priority[number] << 8 * i for i, number in enumerate(numbers))
        return 0

    def write_word(self, offset: int, value: int) -> None:
        """Write a register from 0x100 to 0x4EC."""
        block, index = offset & ~0x7F, (offset & 0x7F) >> 2
        bits = value << FIRST_INTERRUPT + 32 * index & _INTERRUPT_MASK
        if block == 0x100:
            self.enabled |= bits
        elif block == 0x180:
            self.enabled &= ~bits
        elif block == 0x200:
            self.newly_pending |= bool(bits & ~self.pending)
            self.latched |= bits
        elif block == 0x280:
            self.latched &= ~bits
        elif 0x400 <= offset < 0x400 + INTERRUPT_COUNT:
            first = FIRST_INTERRUPT + offset - 0x400
            for i, number in enumerate(range(first, min(first + 4, EXCEPTION_COUNT))):
                self.set_priority(number, value >> 8 * i)
