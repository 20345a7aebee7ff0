# SPDX-License-Identifier: Apache-2.0
"""What the architecture makes of every stop of the emulator: handlers, faults, sleep, halt."""

from __future__ import annotations

from typing import Protocol

from hil.twin.core import block_hook
from hil.twin.core import system_control as scs
from hil.twin.core.debug import DFSR_BKPT, DFSR_VCATCH, HaltingDebug
from hil.twin.core.emulator import Emulator, Stop
from hil.twin.core.exceptions import Exceptions, InvalidReturnError
from hil.twin.core.faults import Faults
from hil.twin.core.nvic import HARD_FAULT, Nvic
from hil.twin.core.system_control import SystemControlSpace

_HARMLESS_STOPS = frozenset((Stop.REQUEST, Stop.MASKS_WRITTEN, Stop.EXCEPTION_RETURN, Stop.STEPPED))


class Suspendable(Protocol):
    """A core that can stop executing."""

    def wait(self, for_event: bool) -> None:
        """WFE or WFI was executed."""

    def halt(self, reason: int) -> None:
        """Enter the halted state; `reason` is a flag of DFSR."""


class Execution:
    """Attends to stops; faults may end in `faults.LockupError`."""

    def __init__(
        self,
        core: Suspendable,
        emulator: Emulator,
        nvic: Nvic,
        exceptions: Exceptions,
        system_control: SystemControlSpace,
        debug: HaltingDebug,
    ) -> None:
        self._core = core
        self._emulator = emulator
        self._nvic = nvic
        self._exceptions = exceptions
        self._faults = Faults(exceptions, nvic, system_control)
        self._system_control = system_control
        self._debug = debug

    def attend(self, stop: Stop, stepping: bool) -> bool:
        """Do what the architecture does for `stop`; return False when the slice is over."""
        pc = self._emulator.engine.pc
        faults = self._faults
        if stop is Stop.DEADLINE:
            return False
        if stop is Stop.SUPERVISOR_CALL:
            faults.supervisor_call(pc)
        elif stop is Stop.EXCEPTION_RETURN:
            self._return_from_exception(pc)
        elif stop in (Stop.WAIT_FOR_INTERRUPT, Stop.WAIT_FOR_EVENT):
            if not stepping:
                self._core.wait(for_event=stop is Stop.WAIT_FOR_EVENT)
        elif stop is Stop.BREAKPOINT_UNIT or (stop is Stop.BREAKPOINT_INSTRUCTION and self._debug.enabled):
            if self._debug.enabled:
                self._core.halt(DFSR_BKPT)
        elif stop is Stop.BREAKPOINT_INSTRUCTION:
            faults.unhandled_breakpoint(pc)
        elif stop is Stop.DATA_FAULT:
            faults.data_access(pc, self._emulator.fault_address)
        elif stop is Stop.FETCH_FAULT:
            faults.fetch(pc)
        elif stop is Stop.EXECUTE_NEVER:
            faults.execute_never(pc)
        elif stop is Stop.UNDEFINED:
            faults.usage(pc, scs.CFSR_UNDEFINSTR)
        elif stop is Stop.INVALID_STATE:
            faults.usage(pc, scs.CFSR_INVSTATE)
        elif stop is Stop.FLOATING_POINT_DENIED:
            if self._emulator.at_floating_point():
                faults.usage(pc, scs.CFSR_NOCP)
            else:
                return self.attend(self._emulator.step(), stepping=False)
        in_hard_fault = bool(self._nvic.active >> HARD_FAULT & 1)
        if self._debug.catches_hard_fault and in_hard_fault and stop not in _HARMLESS_STOPS:
            self._core.halt(DFSR_VCATCH)
        return True

    def _return_from_exception(self, pc: int) -> None:
        if self._exceptions.running == 0:
            self._faults.execute_never(pc)
            return
        try:
            self._faults.chain(pc | 1)
        except InvalidReturnError:
            self._faults.usage(pc, scs.CFSR_INVPC)
            return
        if self._system_control.scr & scs.SCR_SLEEPONEXIT and self._exceptions.running == 0:
            self._core.wait(for_event=False)

    def take_exception(self) -> None:
        """Enter the exception that may preempt now; where one is only masked, watch for the mask to fall."""
        nvic, state = self._nvic, self._emulator.state
        state[block_hook.WATCH_MASKS] = 0
        if not nvic.pending & nvic.enabled or (self._debug.enabled and self._debug.mask_interrupts):
            return
        number = self._exceptions.preempting()
        if number is None:
            state[block_hook.WATCH_MASKS] = 1
        else:
            self._faults.enter(number, self._emulator.engine.pc)
