# SPDX-License-Identifier: Apache-2.0
"""Faults: which handler an error of the program leads to, and lockup when there is none.

Source: Armv7-M Architecture Reference Manual (DDI 0403), B1.5.14 and B1.5.15.
"""

from __future__ import annotations

from hil.twin.core import system_control as scs
from hil.twin.core.bus import BusFault
from hil.twin.core.exceptions import Exceptions, InvalidVectorError
from hil.twin.core.nvic import BUS_FAULT, HARD_FAULT, MEM_MANAGE, SVCALL, USAGE_FAULT, Nvic
from hil.twin.core.system_control import SystemControlSpace


class LockupError(Exception):
    """A fault that no handler can take."""


class Faults:
    """Takes faults, escalates them to HardFault, or raises LockupError."""

    def __init__(self, exceptions: Exceptions, nvic: Nvic, system_control: SystemControlSpace) -> None:
        self._exceptions = exceptions
        self._nvic = nvic
        self._system_control = system_control

    def data_access(self, pc: int, address: int) -> None:
        """A load or store at `pc` found nothing at `address`."""
        self._system_control.report_bus_fault(scs.CFSR_PRECISERR, address)
        self._take(BUS_FAULT, pc)

    def fetch(self, pc: int) -> None:
        """There is no instruction at `pc`."""
        self._system_control.report_bus_fault(scs.CFSR_IBUSERR, None)
        self._take(BUS_FAULT, pc)

    def execute_never(self, pc: int) -> None:
        """Instructions must not be fetched from `pc`."""
        self._system_control.cfsr |= scs.CFSR_IACCVIOL
        self._take(MEM_MANAGE, pc)

    def usage(self, pc: int, flag: int) -> None:
        """A UsageFault with its flag of CFSR."""
        self._system_control.cfsr |= flag
        self._take(USAGE_FAULT, pc)

    def supervisor_call(self, return_address: int) -> None:
        """SVC was executed; it escalates where its handler cannot preempt."""
        self._take(SVCALL, return_address)

    def unhandled_breakpoint(self, pc: int) -> None:
        """BKPT without a debugger."""
        self._system_control.hfsr |= scs.HFSR_DEBUGEVT
        self._hard_fault(pc)

    def enter(self, number: int, return_address: int) -> None:
        """Enter an exception; an unusable stack or vector becomes a HardFault."""
        try:
            self._exceptions.enter(number, return_address)
        except (BusFault, InvalidVectorError) as error:
            self._derived(number, error)

    def chain(self, exc_return: int) -> None:
        """Return from an exception or tail-chain, whose vector or frame may be unusable.

        Raises `exceptions.InvalidReturnError` if the return is illegal.
        """
        try:
            self._exceptions.leave(exc_return)
        except (BusFault, InvalidVectorError) as error:
            self._derived(self._exceptions.running, error)

    def _take(self, number: int, return_address: int) -> None:
        nvic = self._nvic
        if nvic.enabled >> number & 1 and nvic.group_priority(number) < nvic.execution_priority(
            *self._exceptions.masks()
        ):
            self.enter(number, return_address)
            return
        self._system_control.hfsr |= scs.HFSR_FORCED
        self._hard_fault(return_address)

    def _hard_fault(self, return_address: int) -> None:
        if self._nvic.execution_priority(*self._exceptions.masks()) <= -1:
            raise LockupError(
                f"fault at 0x{return_address:08x} while HardFault, NMI or FAULTMASK is in force"
            )
        self.enter(HARD_FAULT, return_address)

    def _derived(self, number: int, error: BusFault | InvalidVectorError) -> None:
        """An error while entering or leaving an exception leads to HardFault without stacking again."""
        if isinstance(error, BusFault):
            self._system_control.report_bus_fault(scs.CFSR_STKERR, None)
        else:
            self._system_control.hfsr |= scs.HFSR_VECTTBL
        if number == HARD_FAULT:
            raise LockupError(str(error)) from error
        self._system_control.hfsr |= scs.HFSR_FORCED
        try:
            self._exceptions.replace(number, by=HARD_FAULT)
        except (BusFault, InvalidVectorError) as second:
            raise LockupError(str(second)) from second
