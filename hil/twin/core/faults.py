# SPDX-License-Identifier: Apache-2.0
"""Faults: which handler an error of the program leads to, and lockup when there is none.

Source: Armv7-M Architecture Reference Manual (DDI 0403), B1.5.11 (derived exceptions), B1.5.14 (faults),
B1.5.15 (lockup) and C1.6.5 (vector catch).
"""

from __future__ import annotations

from hil.twin.core import system_control as scs
from hil.twin.core.bus import BusFault
from hil.twin.core.exceptions import Exceptions, InvalidReturnError
from hil.twin.core.mpu import ProtectionFault
from hil.twin.core.nvic import BUS_FAULT, HARD_FAULT, MEM_MANAGE, NMI, SVCALL, USAGE_FAULT, Nvic
from hil.twin.core.system_control import SystemControlSpace

VC_MMERR, VC_NOCPERR, VC_CHKERR, VC_STATERR = 1 << 4, 1 << 5, 1 << 6, 1 << 7
VC_BUSERR, VC_INTERR, VC_HARDERR = 1 << 8, 1 << 9, 1 << 10
_USAGE_CATCH = {
    scs.CFSR_NOCP: VC_NOCPERR,
    scs.CFSR_UNALIGNED: VC_CHKERR,
    scs.CFSR_DIVBYZERO: VC_CHKERR,
}
_HARD_FAULT_PRIORITY = -1


class LockupError(Exception):
    """A fault that no handler can take."""


class Faults:
    """Takes exceptions and faults, escalates faults to HardFault, or raises LockupError."""

    def __init__(self, exceptions: Exceptions, nvic: Nvic, system_control: SystemControlSpace) -> None:
        self._exceptions = exceptions
        self._nvic = nvic
        self._system_control = system_control
        self.caught = 0
        """Vector catch bits of DEMCR that the faults since the last `forget_caught` answer to."""

    def forget_caught(self) -> None:
        """Start a new account of what vector catch may halt at."""
        self.caught = 0

    # --- faults of instructions ---

    def data_access(self, pc: int, address: int) -> None:
        """A load or store at `pc` found nothing at `address`."""
        self._system_control.report_bus_fault(scs.CFSR_PRECISERR, address)
        self.caught |= VC_BUSERR
        self._take(BUS_FAULT, pc)

    def buffered_store(self, pc: int) -> None:
        """A store before `pc` failed after the write buffer had taken it (DDI 0403, B1.5.6 and B3.2.15).

        Such a fault has no instruction that could not go on without it: it waits until it can be taken.
        """
        self._system_control.report_bus_fault(scs.CFSR_IMPRECISERR, None)
        self.caught |= VC_BUSERR
        number = BUS_FAULT
        if not self._nvic.enabled >> BUS_FAULT & 1:
            self._system_control.hfsr |= scs.HFSR_FORCED
            self.caught |= VC_HARDERR
            number = HARD_FAULT
        if self._can_take(number, self._execution_priority()):
            self.enter(number, pc)
        else:
            self._nvic.pend(number)

    def ignores_data_faults(self) -> bool:
        """CCR.BFHFNMIGN: handlers of negative priority go on after a load or store that failed."""
        ignoring = bool(self._system_control.ccr & scs.CCR_BFHFNMIGN)
        return ignoring and self._execution_priority() < 0

    def fetch(self, pc: int) -> None:
        """There is no instruction at `pc`."""
        self._system_control.report_bus_fault(scs.CFSR_IBUSERR, None)
        self.caught |= VC_BUSERR
        self._take(BUS_FAULT, pc)

    def execute_never(self, pc: int) -> None:
        """Instructions must not be fetched from `pc`."""
        self._system_control.cfsr |= scs.CFSR_IACCVIOL
        self.caught |= VC_MMERR
        self._take(MEM_MANAGE, pc)

    def forbidden_access(self, pc: int, address: int) -> None:
        """The MPU forbids the load or store at `pc`."""
        self._system_control.report_memory_fault(scs.CFSR_DACCVIOL, address)
        self.caught |= VC_MMERR
        self._take(MEM_MANAGE, pc)

    def usage(self, pc: int, flag: int) -> None:
        """A UsageFault with its flag of CFSR."""
        self._system_control.cfsr |= flag
        self.caught |= _USAGE_CATCH.get(flag, VC_STATERR)
        self._take(USAGE_FAULT, pc)

    def lazy_save(self, pc: int, error: BusFault) -> None:
        """The floating-point context of what was preempted could not be written."""
        self._take(self._report(error, scs.CFSR_LSPERR, scs.CFSR_MLSPERR), pc)

    def supervisor_call(self, return_address: int) -> None:
        """SVC was executed; it escalates where its handler cannot preempt."""
        self._take(SVCALL, return_address)

    def unhandled_breakpoint(self, pc: int) -> None:
        """BKPT without a debugger."""
        self._system_control.hfsr |= scs.HFSR_DEBUGEVT
        self._hard_fault(pc)

    # --- entry and return ---

    def enter(self, number: int, return_address: int) -> None:
        """Enter an exception; an unusable stack or vector leads to a fault in its place or after it."""
        priority = self._execution_priority()
        exc_return, error = self._exceptions.push(return_address)
        if error is not None:
            number = self._after_stacking_error(number, priority, error)
        self._start(number, exc_return)

    def replace(self, number: int, by: int) -> None:
        """Let `by`, which arrived while the context was stacked for `number`, go first."""
        self._start(by, self._exceptions.give_way(number))

    def leave(self, exc_return: int) -> None:
        """Return from an exception: to the next one (tail-chaining), to what it preempted, or to a fault."""
        exceptions = self._exceptions
        try:
            exceptions.deactivate(exc_return)
            chained = exceptions.preempting()
            if chained is not None:
                exceptions.add_tail_chain_cycles()
                self._start(chained, exc_return)
                return
            if not exceptions.unstack(exc_return):
                self.usage(exceptions.without_thumb(), scs.CFSR_INVSTATE)
        except InvalidReturnError:
            self._system_control.cfsr |= scs.CFSR_INVPC
            self._chain_fault(USAGE_FAULT, exc_return, VC_STATERR)
        except BusFault as error:
            fault = self._report(error, scs.CFSR_UNSTKERR, scs.CFSR_MUNSTKERR)
            self._chain_fault(fault, exc_return, VC_INTERR)

    # --- internals ---

    def _execution_priority(self) -> int:
        return self._nvic.execution_priority(*self._exceptions.masks())

    def _can_take(self, number: int, priority: int) -> bool:
        return bool(self._nvic.enabled >> number & 1) and self._nvic.group_priority(number) < priority

    def _escalated(self, number: int, priority: int) -> int:
        """Return `number` if it beats `priority`, else HardFault; raises LockupError if that cannot."""
        if self._can_take(number, priority):
            return number
        if priority <= _HARD_FAULT_PRIORITY:
            raise LockupError(f"exception {number} while HardFault, NMI or FAULTMASK is in force")
        self._system_control.hfsr |= scs.HFSR_FORCED
        self.caught |= VC_HARDERR
        return HARD_FAULT

    def _take(self, number: int, return_address: int) -> None:
        self.enter(self._escalated(number, self._execution_priority()), return_address)

    def _hard_fault(self, return_address: int) -> None:
        if self._execution_priority() <= _HARD_FAULT_PRIORITY:
            raise LockupError(
                f"fault at 0x{return_address:08x} while HardFault, NMI or FAULTMASK is in force"
            )
        self.caught |= VC_HARDERR
        self.enter(HARD_FAULT, return_address)

    def _report(self, error: BusFault, bus_flag: int, memory_flag: int) -> int:
        """Note an access of the core itself that failed; return the exception that it leads to."""
        self.caught |= VC_INTERR
        if isinstance(error, ProtectionFault):
            self._system_control.report_memory_fault(memory_flag, None)
            return MEM_MANAGE
        self._system_control.report_bus_fault(bus_flag, None)
        return BUS_FAULT

    def _after_stacking_error(self, number: int, priority: int, error: BusFault) -> int:
        """Return what is entered when stacking for `number` failed: the fault, or it with the fault pending.

        `priority` is that of what was preempted.
        """
        fault = self._escalated(self._report(error, scs.CFSR_STKERR, scs.CFSR_MSTKERR), priority)
        if fault == number:
            if fault == HARD_FAULT:
                raise LockupError("the stack cannot be written on entry to HardFault")
            return number  # it was pending for another reason already
        nvic = self._nvic
        if nvic.group_priority(fault) < nvic.group_priority(number):
            nvic.pend(number)
            return fault
        nvic.pend(fault)
        return number

    def _chain_fault(self, number: int, exc_return: int, caught: int) -> None:
        """Take a fault of an exception return on the frame that is there."""
        self.caught |= caught
        self._exceptions.add_tail_chain_cycles()
        self._start(self._escalated(number, self._execution_priority()), exc_return)

    def _start(self, number: int, exc_return: int) -> None:
        """Start a handler, the context being stacked."""
        try:
            vector = self._exceptions.take(number, exc_return)
        except BusFault as error:
            self._system_control.hfsr |= scs.HFSR_VECTTBL
            self.caught |= VC_INTERR | VC_HARDERR
            if number in (HARD_FAULT, NMI):
                raise LockupError(f"vector of exception {number} cannot be read") from error
            self._nvic.pend(number)
            self._start(HARD_FAULT, exc_return)
            return
        if not vector & 1:
            self.usage(self._exceptions.without_thumb(), scs.CFSR_INVSTATE)
