# SPDX-License-Identifier: Apache-2.0
"""What the architecture makes of every stop of the emulator: handlers, faults, sleep, halt."""

from __future__ import annotations

from typing import Protocol

from hil.twin.core import block_timing_word
from hil.twin.core import state_layout as words
from hil.twin.core import system_control as scs
from hil.twin.core.bus import BusFault
from hil.twin.core.debug import DFSR_BKPT, DFSR_DWTTRAP, DFSR_VCATCH, HaltingDebug
from hil.twin.core.dwt import DataWatchpointTrace
from hil.twin.core.emulator import Emulator
from hil.twin.core.exceptions import Exceptions
from hil.twin.core.faults import Faults
from hil.twin.core.nvic import DEBUG_MONITOR, PENDSV, Nvic
from hil.twin.core.stop import Stop
from hil.twin.core.system_control import SystemControlSpace

_USAGE_FLAGS = {
    Stop.UNDEFINED: scs.CFSR_UNDEFINSTR,
    Stop.INVALID_STATE: scs.CFSR_INVSTATE,
    Stop.NO_COPROCESSOR: scs.CFSR_NOCP,
    Stop.UNALIGNED: scs.CFSR_UNALIGNED,
    Stop.DIVISION_BY_ZERO: scs.CFSR_DIVBYZERO,
}
_NOT_MASKED_BY_DEBUGGER = (1 << PENDSV) - 1
"""DHCSR.C_MASKINTS holds PendSV, SysTick and interrupts back, and nothing else."""


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
        dwt: DataWatchpointTrace,
    ) -> None:
        self._core = core
        self._emulator = emulator
        self._nvic = nvic
        self._exceptions = exceptions
        self._faults = Faults(exceptions, nvic, system_control)
        self._system_control = system_control
        self._debug = debug
        self._dwt = dwt
        self._entered: tuple[int, int] | None = None
        """Program counter and cycles after the last entry: the same later means that nothing was executed,
        and what comes then is a late arrival (B1.5.10).
        """

    def ignores_data_faults(self) -> bool:
        """Whether a handler of negative priority lets failing data accesses go (CCR.BFHFNMIGN)."""
        return self._faults.ignores_data_faults()

    def attend(self, stop: Stop, stepping: bool) -> bool:
        """Do what the architecture does for `stop`; return False when the slice is over."""
        failed = self._emulator.take_imprecise_fault()
        if stop is Stop.DEADLINE and not failed:
            return False
        self._faults.forget_caught()
        going_on = stop is not Stop.DEADLINE and self._attend(stop, stepping)
        if failed:
            self._faults.buffered_store(self._emulator.engine.pc)
        if self._emulator.watchpoints.take_late_hit():
            self.debug_event(DFSR_DWTTRAP)
        if self._debug.catches(self._faults.caught):
            self._core.halt(DFSR_VCATCH)
        return going_on

    def _attend(self, stop: Stop, stepping: bool) -> bool:
        emulator, faults = self._emulator, self._faults
        pc = emulator.engine.pc
        if stop is Stop.SUPERVISOR_CALL:
            faults.supervisor_call(pc)
        elif stop is Stop.EXCEPTION_RETURN:
            self._return_from_exception(pc)
        elif stop in (Stop.WAIT_FOR_INTERRUPT, Stop.WAIT_FOR_EVENT):
            if not stepping:
                self._core.wait(for_event=stop is Stop.WAIT_FOR_EVENT)
        elif stop in (Stop.BREAKPOINT_UNIT, Stop.BREAKPOINT_INSTRUCTION):
            return self._at_breakpoint(pc, stop, stepping)
        elif stop is Stop.WATCHPOINT:
            going_on = self.attend(emulator.step(checked=True), stepping=True)
            self.debug_event(DFSR_DWTTRAP)
            return going_on
        elif stop is Stop.DATA_FAULT:
            if faults.ignores_data_faults():
                emulator.skip()
            else:
                faults.data_access(pc, emulator.fault_address)
        elif stop is Stop.FORBIDDEN_ACCESS:
            faults.forbidden_access(pc, emulator.fault_address)
        elif stop is Stop.FETCH_FAULT:
            faults.fetch(pc)
        elif stop in (Stop.EXECUTE_NEVER, Stop.FORBIDDEN_FETCH):
            faults.execute_never(pc)
        elif stop in _USAGE_FLAGS:
            faults.usage(pc, _USAGE_FLAGS[stop])
        elif stop is Stop.FLOATING_POINT_TRAP:
            return self._at_floating_point(pc)
        return True

    def _at_floating_point(self, pc: int) -> bool:
        """A block with floating-point instructions: go on to the first of them, and see to it."""
        if not self._emulator.at_floating_point():
            return self._attend(self._emulator.step(), stepping=False)
        if self._system_control.floating_point_denied:
            self._faults.usage(pc, scs.CFSR_NOCP)
            return True
        try:
            self._exceptions.save_floating_point_context()
        except BusFault as error:
            self._faults.lazy_save(pc, error)
        return True

    def _at_breakpoint(self, pc: int, stop: Stop, stepping: bool) -> bool:
        if self._dwt.note_instruction(pc) and stop is Stop.BREAKPOINT_UNIT:
            self.debug_event(DFSR_DWTTRAP)
        elif self._debug.enabled:
            self._core.halt(DFSR_BKPT)
        elif self._debug.monitored and self._exceptions.would_preempt(DEBUG_MONITOR):
            self._system_control.dfsr |= DFSR_BKPT
            self._faults.enter(DEBUG_MONITOR, pc)
        elif stop is Stop.BREAKPOINT_INSTRUCTION:
            self._faults.unhandled_breakpoint(pc)
        else:
            return self._attend(self._emulator.step(checked=True), stepping)
        return True

    def debug_event(self, flag: int) -> None:
        """Halt, or make DebugMonitor pending; without either the event is lost."""
        if self._debug.enabled:
            self._core.halt(flag)
        elif self._debug.monitored:
            self._system_control.dfsr |= flag
            self._nvic.pend(DEBUG_MONITOR)

    def _return_from_exception(self, pc: int) -> None:
        if self._exceptions.running == 0:
            self._faults.execute_never(pc)
            return
        self._faults.leave(pc | 1)
        if self._system_control.scr & scs.SCR_SLEEPONEXIT and self._exceptions.running == 0:
            self._core.wait(for_event=False)

    def take_exception(self) -> bool:
        """Enter the exception that may preempt now and return True; where one is only masked, watch for the
        mask to fall.
        """
        nvic, state = self._nvic, self._emulator.state
        state[words.WATCH_MASKS] = 0
        pending = nvic.pending & nvic.enabled
        if self._debug.enabled and self._debug.mask_interrupts:
            pending &= _NOT_MASKED_BY_DEBUGGER
        if not pending:
            return False
        number = self._exceptions.preempting(pending)
        if number is None:
            state[words.WATCH_MASKS] = block_timing_word.FLAG_WRITES_MASKS
            return False
        pc, cycles = self._emulator.engine.pc, int(state[words.CYCLES])
        self._faults.forget_caught()
        if self._entered == (pc, cycles):
            self._faults.replace(self._exceptions.running, by=number)
        else:
            self._faults.enter(number, pc)
        self._entered = self._emulator.engine.pc, int(state[words.CYCLES])
        if self._debug.catches(self._faults.caught):
            self._core.halt(DFSR_VCATCH)
        return True
