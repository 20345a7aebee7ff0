# SPDX-License-Identifier: Apache-2.0
"""A Cortex-M4F core: what it executes, when it sleeps, halts and resets."""

from __future__ import annotations

from typing import Literal

from unicorn import arm_const as arm

from hil.twin.core import block_timing_word, flash_accelerator
from hil.twin.core import state_layout as words
from hil.twin.core import system_control as scs
from hil.twin.core.breakpoints import BreakpointUnit
from hil.twin.core.bus import Bus, Peripheral
from hil.twin.core.core_clock import CoreClock
from hil.twin.core.cycle_counter import CodeDeviation
from hil.twin.core.debug import DFSR_DWTTRAP, DFSR_HALTED, DFSR_VCATCH, HaltingDebug
from hil.twin.core.debug_access import DebugAccess
from hil.twin.core.dwt import DataWatchpointTrace
from hil.twin.core.emulator import Emulator
from hil.twin.core.exceptions import Exceptions
from hil.twin.core.execution import Execution
from hil.twin.core.faults import LockupError
from hil.twin.core.memory import Memory
from hil.twin.core.memory_map import MemoryMap
from hil.twin.core.nvic import DEBUG_MONITOR, FIRST_INTERRUPT, NMI, SYSTICK, Nvic
from hil.twin.core.polling import Polling
from hil.twin.core.rom_table import InstrumentationTrace, RomTable
from hil.twin.core.scheduler import Scheduler
from hil.twin.core.stop import Stop
from hil.twin.core.surroundings import Surroundings
from hil.twin.core.system_control import SystemControlSpace
from hil.twin.core.systick import SysTick
from hil.twin.core.wake_up import WakeUp

State = Literal["running", "sleeping", "halted", "reset", "unpowered", "lockup"]
_SYST_CSR, _SYST_CVR = 0xE000_E010, 0xE000_E018
_DWT_CYCCNT = 0xE000_1004
_CLEARED_AT_RESET = (
    *(arm.UC_ARM_REG_R0 + i for i in range(13)),
    arm.UC_ARM_REG_PRIMASK,
    arm.UC_ARM_REG_FAULTMASK,
    arm.UC_ARM_REG_BASEPRI,
    arm.UC_ARM_REG_FPSCR,
    arm.UC_ARM_REG_PSP,
)


class Core:
    """Executes the program in `memory` on behalf of the scheduler, and answers the debugger.

    It starts unpowered.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        memory_map: MemoryMap,
        surroundings: Surroundings,
        *,
        hclk_hz: int,
        deviation: CodeDeviation,
        seed: int = 0,
    ) -> None:
        """``hclk_hz`` is the core clock at the start, ``seed`` decides what the SRAMs hold at power-up."""
        self.scheduler = scheduler
        self.memory = Memory(memory_map, seed)
        self._surroundings = surroundings
        self.debug_access_ok = True
        """False while the debug port cannot reach the bus: a stopped clock that DBGMCU does not keep alive.
        """
        self._state: State = "unpowered"
        self._bus = Bus(self.memory)
        self._clock = CoreClock(hclk_hz)
        self._emulator = Emulator(
            self.memory,
            self._bus,
            self._clock,
            deviation,
            at_negative_priority=self._at_negative_priority,
            flash_written=surroundings.flash_written,
            ignores_data_faults=lambda: self._execution.ignores_data_faults(),
        )
        self._nvic = Nvic()
        self._systick = SysTick(scheduler, self._pend_systick)
        self._debug = HaltingDebug(
            self,
            self._emulator,
            on_trace_enable=lambda enabled: self._dwt.set_trace_enable(enabled),
            on_enable=self._update_breakpoints,
            on_monitor_pend=self._set_monitor_pending,
            is_monitor_pending=self._is_monitor_pending,
        )
        self._system_control = SystemControlSpace(
            self._nvic,
            self._systick,
            self._debug,
            self._emulator.protection.unit,
            running_exception=lambda: self._exceptions.running,
            on_change=self._exceptions_changed,
            on_system_reset_request=self._request_system_reset,
            on_core_reset=lambda: self.reset("core"),
            on_floating_point_trap=self._set_floating_point_trap,
            on_traps=self._emulator.set_traps,
            on_write_buffer=self._set_write_buffer,
        )
        self._exceptions = Exceptions(
            self._emulator, self.memory, self._bus, self._nvic, self._system_control
        )
        self._dwt = DataWatchpointTrace(
            lambda: self.cycle_count, lambda: self._emulator.engine.pc, self._update_breakpoints
        )
        self._breakpoints = BreakpointUnit(self._update_breakpoints)
        self._execution = Execution(
            self,
            self._emulator,
            self._nvic,
            self._exceptions,
            self._system_control,
            self._debug,
            self._dwt,
        )
        self._wake_up = WakeUp(self._emulator, self._nvic, self._exceptions)
        self._debug_access = DebugAccess(self, self.memory, self._bus, self._system_control, surroundings)
        self._set_floating_point_trap(wanted=True)
        self.polling.allow(_SYST_CSR, self._systick.flag_changes_at_ps)
        self.polling.allow_counter(_SYST_CVR, self._systick.counting)
        self.polling.allow_counter(_DWT_CYCCNT, self._dwt.counting)
        self._deep_sleep = False
        self._held_in_reset = False
        self._reset_requested = False
        self._deferred_reset: str | None = None
        self._halt_requested = False
        self._step_requested = False
        self._slice_end_ps = 0
        self._flash_busy_end_ps = 0
        for unit in (self._system_control, self._dwt, self._breakpoints, RomTable(), InstrumentationTrace()):
            self.attach(unit)
        scheduler.set_processor(self)

    # --- what the rest of the part uses ---

    @property
    def state(self) -> State:
        """What the core is doing."""
        return self._state

    @property
    def cycle_count(self) -> int:
        """Core clock cycles executed since the twin began."""
        return self._emulator.access.cycles_now()

    def code_executed(self) -> tuple[int, float]:
        """Cycles executed, and how many cycles of the tables' code more they were worth (`CodeDeviation`)."""
        state = self._emulator.state
        deviation = int(state[words.DEVIATION]) / block_timing_word.DEVIATION_SCALE
        return int(state[words.CYCLES]), deviation

    @property
    def hclk_hz(self) -> int:
        """Frequency of the core clock."""
        return self._clock.hclk_hz

    @property
    def executes_from_sram(self) -> bool:
        """The next instruction lies in an SRAM, not in flash or system memory."""
        region = self.memory.map.at(self._emulator.access.pc)
        return region is not None and region.kind == "ram"

    @property
    def sleeps_deeply(self) -> bool:
        """SCR.SLEEPDEEP was set when the core went to sleep."""
        return self._state == "sleeping" and self._deep_sleep

    @property
    def debugged(self) -> bool:
        """DHCSR.C_DEBUGEN: a debugger has the core."""
        return self._debug.enabled

    def attach(self, peripheral: Peripheral) -> None:
        """Put a peripheral on the bus; raises ValueError if its addresses are taken or no device's."""
        self._bus.attach(peripheral)

    @property
    def polling(self) -> Polling:
        """Where peripherals name the registers that programs wait for."""
        return self._emulator.polling

    def set_interrupt(self, irq: int, level: bool) -> None:
        """Follow the request line of a peripheral to the NVIC."""
        self._nvic.set_level(irq, level)
        self._exceptions_changed()

    def set_nmi(self, level: bool) -> None:
        """Follow the request line of the NMI."""
        self.set_interrupt(NMI - FIRST_INTERRUPT, level)

    def send_event(self) -> None:
        """Set the event register, as an EXTI line in event mode does."""
        self._emulator.state[words.EVENT_REGISTER] = 1
        self._exceptions_changed()

    def set_hclk_hz(self, hz: int) -> None:
        """Change the core clock at this instant; raises ValueError unless `hz` is positive.

        A core without a clock is one that sleeps.
        """
        if hz <= 0:
            raise ValueError(f"core: HCLK must be positive, not {hz} Hz")
        self._clock.set_hclk(hz, self._emulator.access.cycles_now())
        self._update_flash_busy()
        self._update_systick()
        self._update_deadline()

    def set_flash_timing(
        self, wait_states: int, instruction_cache: bool, data_cache: bool, prefetch: bool
    ) -> None:
        """Set what flash accesses cost, from FLASH_ACR."""
        flash_accelerator.set_up(self._emulator.state, wait_states, instruction_cache, data_cache, prefetch)

    def set_flash_busy(self, end_ps: int, banks: int) -> None:
        """Keep the program from reading the flash's ``banks`` (bit 0: the first) until an instant."""
        self._flash_busy_end_ps = end_ps
        self._emulator.state[words.FLASH_BUSY_BANKS] = banks
        self._update_flash_busy()

    def _update_flash_busy(self) -> None:
        self._emulator.state[words.FLASH_BUSY_UNTIL] = self._clock.cycles_at(self._flash_busy_end_ps)

    def _go_on_at(self, time_ps: int) -> None:
        """The core executes nothing until an instant: what it waits for comes so many cycles earlier."""
        state = self._emulator.state
        before = int(state[words.FLASH_BUSY_UNTIL])
        self._clock.anchor(time_ps, self.cycle_count)
        self._update_flash_busy()
        earlier = before - int(state[words.FLASH_BUSY_UNTIL])
        state[words.STALLS] = max(0, int(state[words.STALLS]) - max(0, earlier))

    # --- power and reset ---

    def power_on(self) -> None:
        """Supply is there: SRAM holds noise, debug registers are at their reset values; the core starts."""
        self.memory.lose_content()
        self.lose_debug_state()
        self._state = "reset"
        self.reset("power")

    def lose_debug_state(self) -> None:
        """The debug logic was without supply: its registers are at their reset values."""
        self._debug.power_on_reset()
        self._dwt.set_trace_enable(False)
        self._dwt.reset()
        self._breakpoints.reset()

    def power_off(self) -> None:
        """Supply is gone."""
        self._set_state("unpowered")

    def hold_in_reset(self, held: bool) -> None:
        """Follow the core's reset line; it starts when the line is released."""
        if held == self._held_in_reset:
            return
        self._held_in_reset = held
        if self._state != "unpowered":
            self.reset("pin")

    def reset(self, kind: str) -> None:
        """Reset the core: it starts from the vector table at 0, or stays in reset while held there.

        `kind` says why, for logs.  The peripherals are the caller's to reset, before this.
        """
        if self._state == "unpowered":
            return
        if self._emulator.engine.is_running:  # a register write of the program: its block ends first
            self._deferred_reset = kind
            self._emulator.request_stop()
            return
        self._reset_requested = self._halt_requested = self._step_requested = False
        self._nvic.reset()
        self._system_control.reset()
        self._systick.reset()
        self._debug.note_reset()
        self._clear_registers()
        self._go_on_at(self.scheduler.now_ps)
        if self._held_in_reset:
            self._set_state("reset")
            return
        stack, start = self.memory.read(0, 4) or 0, self.memory.read(4, 4) or 0
        self._emulator.engine.write_register(arm.UC_ARM_REG_MSP, stack & ~3)
        self._emulator.redirect(start)
        if self._debug.halt_at_reset:
            self.halt(DFSR_VCATCH)
        else:
            self._set_state("running")

    def _clear_registers(self) -> None:
        emulator = self._emulator
        emulator.engine.write_register(arm.UC_ARM_REG_CONTROL, 0)
        emulator.engine.write_register(arm.UC_ARM_REG_XPSR, 1 << 24)
        emulator.engine.write_register(arm.UC_ARM_REG_CONTROL, 0)
        for register in _CLEARED_AT_RESET:
            emulator.engine.write_register(register, 0)
        emulator.engine.write_register(arm.UC_ARM_REG_LR, 0xFFFF_FFFF)
        emulator.state[words.EVENT_REGISTER] = 0
        emulator.state[words.WATCH_MASKS] = 0

    # --- the scheduler's processor ---

    @property
    def time_ps(self) -> int:
        """How far the program is, also from inside an access of its own."""
        return self._clock.time_ps(self._emulator.access.cycles_now())

    def has_passed(self, time_ps: int) -> bool:
        """Tell whether the block under way would not have been entered before an event at `time_ps`."""
        return int(self._emulator.state[words.CYCLES]) > self._clock.cycles_at(time_ps)

    def shorten(self, time_ps: int) -> None:
        """End the running slice at `time_ps`."""
        self._slice_end_ps = time_ps
        self._update_deadline()

    def run_until(self, time_ps: int) -> int:
        """Execute up to `time_ps`, at most one block short of it; return the instant reached."""
        if self._state != "running":
            return time_ps
        self._slice_end_ps = time_ps
        try:
            while self._state == "running":
                if not self._run_once():
                    return self._slice_end_ps
        except LockupError:
            self._set_state("lockup")
        return min(self._slice_end_ps, self.time_ps)

    def _run_once(self) -> bool:
        """Execute until something needs attention and attend to it; return False when the slice is over."""
        emulator = self._emulator
        self._serve_requests()
        if self._state != "running":
            return True
        if (
            self._surroundings.flash_is_closed()
            and self.memory.map.flash_offset(emulator.engine.pc) is not None
        ):
            raise LockupError("read protection closes the flash, and with it every handler")
        entered = self._execution.take_exception()
        if entered and self._step_requested:  # a step into a handler ends before its first instruction
            self._step_requested = False
            self.halt(DFSR_HALTED)
        if self._state != "running":
            return True
        match = self._cycle_match_before_deadline()
        if emulator.state[words.CYCLES] >= emulator.state[words.DEADLINE]:
            if match is None:
                return False
            self._dwt.note_cycle_match()
            self._execution.debug_event(DFSR_DWTTRAP)
            return True
        if self._step_requested:
            self._step_requested = False
            self._execution.attend(emulator.step(), stepping=True)
            if self._state == "running":
                self.halt(DFSR_HALTED)
            return True
        stop = emulator.run()
        if stop is Stop.DEADLINE and match is not None:
            stop = emulator.step()  # the rest of a block that would go beyond the match
        return self._execution.attend(stop, stepping=False)

    def _cycle_match_before_deadline(self) -> int | None:
        """Set the deadline of the slice; return the cycle of a DWT match if that comes first."""
        self._update_deadline()
        match = self._dwt.cycle_match()
        if match is None or match >= self._emulator.state[words.DEADLINE]:
            return None
        self._emulator.state[words.DEADLINE] = match
        return match

    def _update_deadline(self) -> None:
        self._emulator.state[words.DEADLINE] = self._clock.cycles_at(self._slice_end_ps)

    def _serve_requests(self) -> None:
        if self._deferred_reset is not None:
            kind, self._deferred_reset = self._deferred_reset, None
            self.reset(kind)
        if self._reset_requested:
            self._reset_requested = False
            self._surroundings.system_reset("software")
        if self._halt_requested:
            self._halt_requested = False
            self.halt(DFSR_HALTED)

    # --- exceptions, sleep ---

    def wait(self, for_event: bool) -> None:
        """WFI or WFE: sleep unless there is a reason to go on."""
        self._wake_up.for_event = for_event
        deep = bool(self._system_control.scr & scs.SCR_SLEEPDEEP)
        if not self._wake_up.is_due() and not self._surroundings.refuses_sleep(deep):
            self._deep_sleep = deep
            self._set_state("sleeping")
            self._surroundings.sleeps(self._deep_sleep)
        elif for_event:
            self._emulator.state[words.EVENT_REGISTER] = 0

    def _wake(self) -> None:
        if self._wake_up.for_event:
            self._emulator.state[words.EVENT_REGISTER] = 0
        latency_ps = self._surroundings.wakes()
        self._go_on_at(self.scheduler.now_ps + latency_ps)
        self._set_state("running")

    def _exceptions_changed(self) -> None:
        """A request line, an enable or a priority changed."""
        if self._nvic.newly_pending:
            self._nvic.newly_pending = False
            if self._system_control.scr & scs.SCR_SEVONPEND:
                self._emulator.state[words.EVENT_REGISTER] = 1
        if self._state == "sleeping":
            if self._wake_up.is_due():
                self._wake()
        elif self._nvic.pending & self._nvic.enabled:
            self._emulator.request_stop()

    def _pend_systick(self) -> None:
        self._nvic.pend(SYSTICK)
        self._exceptions_changed()

    def _set_floating_point_trap(self, wanted: bool) -> None:
        self._emulator.state[words.TRAP_FLOATING_POINT] = (
            block_timing_word.FLAG_FLOATING_POINT if wanted else 0
        )

    def _set_write_buffer(self, buffered: bool) -> None:
        self._emulator.access.buffers_stores = buffered

    def _at_negative_priority(self) -> bool:
        return self._nvic.execution_priority(*self._exceptions.masks()) < 0

    def _is_monitor_pending(self) -> bool:
        return bool(self._nvic.pending >> DEBUG_MONITOR & 1)

    def _set_monitor_pending(self, pending: bool) -> None:
        if pending:
            self._nvic.pend(DEBUG_MONITOR)
        else:
            self._nvic.unpend(DEBUG_MONITOR)
        self._exceptions_changed()

    def _request_system_reset(self) -> None:
        if self._emulator.engine.is_running:
            self._reset_requested = True
            self._emulator.request_stop()
        else:
            self._surroundings.system_reset("software")

    def _set_state(self, state: State) -> None:
        if state != self._state:
            self._state = state
            self._emulator.request_stop()
            self._update_systick()
            self._surroundings.changed()

    def _update_systick(self) -> None:
        running = self._state == "running" or (self._state == "sleeping" and not self._deep_sleep)
        self._systick.set_clock(self._clock.hclk_hz, running)

    # --- debugger ---

    def debug_read(self, address: int, width: int) -> int:
        """Return what the debug port reads; raises BusFault if nothing answers or the bus is out of reach."""
        return self._debug_access.read(address, width)

    def debug_write(self, address: int, width: int, value: int) -> None:
        """Write through the debug port; raises BusFault if nothing answers or the bus is out of reach."""
        self._debug_access.write(address, width, value)

    def debug_read_block(self, address: int, byte_count: int) -> bytes:
        """Return a range read through the debug port; raises BusFault as `debug_read` does."""
        return self._debug_access.read_block(address, byte_count)

    def debug_write_block(self, address: int, data: bytes) -> None:
        """Write a range through the debug port; raises BusFault as `debug_write` does."""
        self._debug_access.write_block(address, data)

    def _update_breakpoints(self) -> None:
        """Comparators do nothing without halting debug or the debug monitor."""
        used = self._debug.enabled or self._debug.monitored
        addresses = self._breakpoints.addresses() | self._dwt.watched_instructions()
        self._emulator.set_breakpoints(addresses if used else ())
        self._emulator.watch(self._dwt.watchpoints() if used else ())

    def debug_halt(self) -> None:
        """Halt as DHCSR.C_HALT does: at once, or before the next block when the program itself asks."""
        if self._emulator.engine.is_running:
            self._halt_requested = True
            self._emulator.request_stop()
        elif self._state in ("running", "sleeping", "lockup"):
            self.halt(DFSR_HALTED)

    def debug_resume(self, step: bool) -> None:
        """Leave the halted state, for one instruction if `step`."""
        self._step_requested = step
        self._go_on_at(self.scheduler.now_ps)
        self._set_state("running")

    def halt(self, reason: int) -> None:
        """Enter the halted state; `reason` is a flag of DFSR."""
        if self._state == "sleeping":
            self._surroundings.wakes()
        self._system_control.dfsr |= reason
        self._debug.note_halted()
        self._set_state("halted")
