# SPDX-License-Identifier: Apache-2.0
"""Unicorn as an Armv7-M execution engine: it runs instructions and says why it stopped; exceptions are ours
to model.

How each event of the architecture surfaces from Unicorn 2.1 is decided here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from unicorn import arm_const as arm
from unicorn import unicorn_const as uc
from unicorn.unicorn_py3 import unicorn as binding

from hil.twin.core import block_hook, block_timing_word, device_hook
from hil.twin.core import state_layout as words
from hil.twin.core.bus import DEVICE_REGIONS, Bus
from hil.twin.core.code_stops import CodeStops
from hil.twin.core.condition import condition_passes, in_it_block
from hil.twin.core.core_clock import CoreClock
from hil.twin.core.cycle_counter import CodeDeviation, CycleCounter
from hil.twin.core.division_hook import ON_DIVISION
from hil.twin.core.engine import EVERYWHERE, Engine
from hil.twin.core.flash_load_hook import ON_LOAD
from hil.twin.core.idle_loops import IdleLoops
from hil.twin.core.instruction_timing import analyse, instruction_size
from hil.twin.core.loop_prediction import LoopPrediction
from hil.twin.core.memory import Memory
from hil.twin.core.native_code_hook import NativeCodeHook
from hil.twin.core.page_hook import ON_PAGE
from hil.twin.core.polling import Polling
from hil.twin.core.priority_mask_hook import ON_PRIORITY_MASK
from hil.twin.core.program_access import Ending, ProgramAccess
from hil.twin.core.protection import Protection
from hil.twin.core.stop import INSIDE_BLOCK, NOT_EXECUTED, Stop
from hil.twin.core.trap_hooks import CORE_REGISTERS
from hil.twin.core.traps import Traps
from hil.twin.core.watchpoints import Watchpoint, Watchpoints

_INVALID_ACCESSES = (
    uc.UC_HOOK_MEM_READ_UNMAPPED
    | uc.UC_HOOK_MEM_WRITE_UNMAPPED
    | uc.UC_HOOK_MEM_FETCH_UNMAPPED
    | uc.UC_HOOK_MEM_FETCH_PROT
)
_STOPS_OF_INTERRUPTS = {
    2: Stop.SUPERVISOR_CALL,
    3: Stop.EXECUTE_NEVER,
    7: Stop.BREAKPOINT_INSTRUCTION,
    8: Stop.EXCEPTION_RETURN,
    17: Stop.NO_COPROCESSOR,
    18: Stop.INVALID_STATE,
}
"""By Unicorn's numbers (QEMU's EXCP_ values); all others are undefined instructions."""
_WIDE_HINT = 0xF3AF
_ADDRESS_SPACE = 1 << 32
_WFI_ENCODINGS = ((0xBF30,), (_WIDE_HINT, 0x8003))
_WFE_ENCODINGS = ((0xBF20,), (_WIDE_HINT, 0x8002))
_YIELD_ENCODINGS = ((0xBF10,), (_WIDE_HINT, 0x8001))


class Emulator:
    """One Cortex-M4F on Unicorn, its memories and its way to the bus."""

    def __init__(
        self,
        memory: Memory,
        bus: Bus,
        clock: CoreClock,
        deviation: CodeDeviation,
        *,
        at_negative_priority: Callable[[], bool],
        flash_written: Callable[[int, int, int], None],
        ignores_data_faults: Callable[[], bool],
    ) -> None:
        """What its parts ask or tell: see `Protection` and `ProgramAccess`."""
        self._memory = memory
        self._counter = CycleCounter(memory, deviation)
        self.state = self._counter.state
        self._ending = Ending()
        self.engine = Engine(self.state)
        self.polling = Polling(
            self.engine, memory, self.state, clock.cycles_at, cycles_now=lambda: self.access.cycles_now()
        )
        self.prediction = LoopPrediction(
            self.engine,
            memory,
            self.polling,
            self.state,
            clock,
            is_watched=lambda: self.watchpoints.watching,
        )
        self._idle_loops = IdleLoops(self.engine, memory, self.polling, self.prediction, self.state)
        self._code_stops = CodeStops(
            self.engine,
            memory,
            self._halt,
            self._drop_around,
            stepping=lambda: self._traps.words.divisions_suspended,
        )
        self.set_breakpoints = self._code_stops.set_breakpoints
        self._traps = Traps(self.engine)
        self._division_cycles = NativeCodeHook(self.engine, ON_DIVISION, self.state)
        self._priority_masks = NativeCodeHook(self.engine, ON_PRIORITY_MASK, self.state)
        self._flash_loads = NativeCodeHook(self.engine, ON_LOAD, self.state)
        self.watchpoints = Watchpoints(self.engine, memory.read)
        self.protection = Protection(self.engine, self.request_stop, at_negative_priority)
        self.access = ProgramAccess(
            self.engine,
            self._counter,
            memory,
            bus,
            ending=self._ending,
            polling=self.polling,
            protection=self.protection,
            watchpoints=self.watchpoints,
            flash_written=flash_written,
            ignores_data_faults=ignores_data_faults,
        )
        device_hook.register(self.engine.handle, self.access)
        self._map_memory()
        self._add_hooks()
        memory.invalidated.connect(self.invalidate)

    # --- execution ---

    def run(self) -> Stop:
        """Execute until something needs attention."""
        state = self.state
        state[words.STOP_REQUEST] = 0
        self._apply_hooks()
        self._idle_loops.interrupted()
        while True:
            stop = self._start()
            if stop is Stop.IT_BLOCK or (stop is Stop.DIVISION_BY_ZERO and not self._divides_by_zero()):
                stop = self._walk_it_block()
            if stop is not None:
                return stop
            reason = int(state[words.REASON])
            if reason == block_hook.REASON_LOOP:
                self._idle_loops.look()
                continue
            if reason == block_hook.REASON_MISS:
                if not self.engine.is_thumb:
                    return Stop.INVALID_STATE
                timing = self._counter.fill_missing(self.engine.read_register)
                hooked = (
                    self._division_cycles.watch(address for address, _ in timing.divisions),
                    self._priority_masks.watch(timing.priority_masks),
                    self._flash_loads.watch(self._counter.flash_lookups(timing, self.engine.read_register)),
                    self._traps.watch_divisions(timing.divisions, self._memory),
                    self._code_stops.watch_undefined(timing.undefined),
                )
                if any(hooked):
                    self._drop_present_code()
                continue
            if reason == block_hook.REASON_DEADLINE:
                return Stop.DEADLINE
            if reason == block_hook.REASON_REQUEST:
                return Stop.REQUEST
            if reason == block_hook.REASON_MASKS:
                state[words.LAST_FLAGS] = 0
                return Stop.MASKS_WRITTEN
            if reason == block_hook.REASON_FLOATING_POINT:
                return Stop.FLOATING_POINT_TRAP
            if self._hint_before(self.engine.pc) in _WFI_ENCODINGS:
                return Stop.WAIT_FOR_INTERRUPT

    def step(self, checked: bool = False) -> Stop:
        """Execute one instruction and count its cycles; `checked` ones are not looked at by watchpoints and
        the trap of divisions.
        """
        engine = self.engine
        self._apply_hooks()
        pc = engine.pc
        if not checked and self._divides_by_zero():
            return Stop.DIVISION_BY_ZERO
        if self._code_stops.is_undefined(pc) and self._condition_passes():
            return Stop.UNDEFINED
        view = self._memory.view(pc, 4)
        if view is not None:
            self._priority_masks.watch(analyse(view.tobytes(), pc).priority_masks)
        engine.drop_translations(pc, 4)  # a translated block would be executed whole
        self._counter.begin_step(pc)
        self._suspend_checks(True, checked)
        stop = None
        try:
            stop = self._start(pc + self._size_at(pc))
        finally:
            self._suspend_checks(False, False)
            engine.drop_translations(pc, 4)
            after = engine.pc
            self._counter.end_step(pc, after, executed=stop not in NOT_EXECUTED)
        if stop is None and after != pc and self._hint_before(after) in _WFI_ENCODINGS:
            return Stop.WAIT_FOR_INTERRUPT
        return stop or Stop.STEPPED

    def skip(self) -> None:
        """Go on after the instruction at PC without executing it."""
        pc = self.engine.pc
        self.redirect(pc + self._size_at(pc))

    def set_traps(self, divide: bool, unaligned: bool) -> None:
        """Stop at divisions by zero and at unaligned accesses, from the next block on."""
        if self._traps.want(divide, unaligned):
            self.request_stop()

    def watch(self, watchpoints: Iterable[Watchpoint]) -> None:
        """Stop before accesses, from the next block on."""
        if self.watchpoints.want(watchpoints):
            self.request_stop()

    def take_imprecise_fault(self) -> bool:
        """Tell whether a buffered store has failed, and forget it."""
        failed, self._ending.imprecise = self._ending.imprecise, False
        return failed

    @property
    def fault_address(self) -> int:
        """Address of the access behind the last DATA_FAULT or FETCH_FAULT."""
        return self._ending.fault_address

    def at_floating_point(self) -> bool:
        """Tell whether the next instruction is a floating-point one."""
        view = self._memory.view(self.engine.pc, 4)
        if view is None:
            return False
        code = view.tobytes()[: instruction_size(view[1])]
        return bool(analyse(code, self.engine.pc).flags & block_timing_word.FLAG_FLOATING_POINT)

    def request_stop(self) -> None:
        """Stop the running program before its next block."""
        self.state[words.STOP_REQUEST] = 1

    def redirect(self, pc: int) -> None:
        """Continue at `pc`; the refill is part of what the caller counts (exception entry or return)."""
        self.engine.write_register(arm.UC_ARM_REG_PC, pc | 1)
        self.state[words.REFILL] = 0
        self.state[words.LAST_FLAGS] = 0

    def invalidate(self, address: int, size: int) -> None:
        """Drop translations and timings of changed code, in the flash alias too."""
        if not self._counter.has_code(address, size):
            return  # data, as most of what DMA and debuggers write
        self._traps.forget(address, size)
        other = self._memory.map.elsewhere(address)
        if other is not None:
            self._traps.forget(other, size)
            self.engine.drop_translations(other, size)
        self.engine.drop_translations(address, size)
        self._counter.forget(address, size)

    # --- internals ---

    def _apply_hooks(self) -> None:
        """Bring the hooks up to what program and debugger want; code translated before ignores new ones."""
        changed = (self._traps.apply(), self.protection.apply(), self.watchpoints.apply())
        if any(changed):
            self.engine.drop_all_translations()
            self._counter.forget_all()
        self.protection.refresh()

    def _drop_present_code(self) -> None:
        state = self.state
        self.engine.drop_translations(int(state[words.MISSED_ADDRESS]), int(state[words.MISSED_SIZE]))

    def _suspend_checks(self, divisions: bool, watchpoints: bool) -> None:
        self._traps.words.suspend_divisions(divisions)
        self.watchpoints.suspended = watchpoints

    def _walk_it_block(self) -> Stop | None:
        """Execute the IT instruction at PC and its block one by one; return None at its end."""
        stop = self.step()
        while stop is Stop.STEPPED and in_it_block(self.engine.read_register(arm.UC_ARM_REG_XPSR)):
            if self._code_stops.has_breakpoint(self.engine.pc):
                return Stop.BREAKPOINT_UNIT
            stop = self.step()
        return None if stop is Stop.STEPPED else stop

    def _divides_by_zero(self) -> bool:
        """Tell whether the instruction at PC will be a trapped division by zero."""
        pc = self.engine.pc
        view = self._memory.view(pc, 4) if self._traps.dividing else None
        if view is None or instruction_size(view[1]) != 4:
            return False
        divisions = analyse(view.tobytes(), pc).divisions
        if not divisions or not self._condition_passes():
            return False
        return self.engine.read_register(CORE_REGISTERS[divisions[0][1]]) == 0

    def _size_at(self, pc: int) -> int:
        view = self._memory.view(pc, 2)
        return 2 if view is None else instruction_size(view[1])

    def _condition_passes(self) -> bool:
        """Tell whether the instruction at PC is executed where it stands in an IT block."""
        return condition_passes(self.engine.read_register(arm.UC_ARM_REG_XPSR))

    def _start(self, until: int | None = None) -> Stop | None:
        state, ending = self.state, self._ending
        ending.stop = None
        if not self._idle_loops.looking:
            self.polling.forget()
        state[words.REASON] = block_hook.REASON_NONE
        status = self.engine.start(until)
        if ending.error is not None:
            error, ending.error = ending.error, None
            raise error
        stop_of_checks = self._stop_of_checks()
        if ending.stop is None:
            ending.stop = stop_of_checks
        if ending.stop is None and status != uc.UC_ERR_OK:
            ending.stop = self._stop_of_error(status)
        if ending.stop in INSIDE_BLOCK:
            self._counter.stop_at(self.engine.pc)
        return ending.stop

    def _stop_of_checks(self) -> Stop | None:
        violation = self.protection.take_violation()
        if violation is not None:
            self._ending.fault_address = violation.address
            if violation.fetch:
                return Stop.FORBIDDEN_FETCH
            view = self._memory.ram_view(violation.address, len(violation.before))
            if view is not None and violation.store:
                view[:] = np.frombuffer(violation.before, dtype=np.uint8)
            return Stop.FORBIDDEN_ACCESS
        if self._traps.dividing and self._traps.words.take_division():
            return Stop.DIVISION_BY_ZERO
        access = self._traps.words.take_access()
        if access is not None:
            address, before = access
            view = self._memory.ram_view(address, len(before))
            if view is not None:
                view[:] = np.frombuffer(before, dtype=np.uint8)
            return Stop.UNALIGNED
        if self.watchpoints.take_hit():
            return Stop.WATCHPOINT
        return None

    def _stop_of_error(self, status: int) -> Stop:
        if status in (
            uc.UC_ERR_READ_UNMAPPED,
            uc.UC_ERR_WRITE_UNMAPPED,
            uc.UC_ERR_WRITE_PROT,
            uc.UC_ERR_READ_PROT,
        ):
            return Stop.DATA_FAULT
        if status in (uc.UC_ERR_FETCH_UNMAPPED, uc.UC_ERR_FETCH_PROT):
            return Stop.FETCH_FAULT
        if status == uc.UC_ERR_EXCEPTION:
            return Stop.EXECUTE_NEVER
        if status == uc.UC_ERR_INSN_INVALID:
            return Stop.UNDEFINED
        raise binding.UcError(status)

    def _hint_before(self, pc: int) -> tuple[int, ...]:
        view = self._memory.view(pc - 4, 4)
        if view is None:
            return ()
        first, second = int(view[0]) | int(view[1]) << 8, int(view[2]) | int(view[3]) << 8
        return (first, second) if first == _WIDE_HINT else (second,)

    def _drop_around(self, address: int) -> None:
        # A block that contains the address starts at most a page before it: translation ends blocks at page
        # borders.
        page = address & ~0xFFF
        self.invalidate(page, address + 4 - page)

    def _map_memory(self) -> None:
        for address, size, pointer, writable in self._memory.regions():
            self.engine.map_memory(address, size, pointer, writable)
            words.tell_host_address(self.state, address, pointer)
        for base, size in DEVICE_REGIONS:
            self.engine.map_device(
                base, size, device_hook.ON_READ, self.state.ctypes.data, block_hook.IGNORE_MMIO_WRITE
            )
        # A store to where nothing is goes to the bus: the write buffer has taken it before it fails.
        taken = [(address, size) for address, size, _, _ in self._memory.regions()]
        end = 0
        for base, size in sorted([*taken, *DEVICE_REGIONS, (_ADDRESS_SPACE, 0)]):
            if base > end:
                self.engine.map_device(
                    end, base - end, device_hook.ON_READ, self.state.ctypes.data, block_hook.IGNORE_MMIO_WRITE
                )
            end = max(end, base + size)

    def _add_hooks(self) -> None:
        for kind, function in ((uc.UC_HOOK_BLOCK, block_hook.ON_BLOCK), (uc.UC_HOOK_TLB_FILL, ON_PAGE)):
            self.engine.add_native_hook(kind, function, self.state.ctypes.data)
        for kind, callback in (
            (uc.UC_HOOK_INTR, binding.HOOK_INTR_CFUNC(self._on_interrupt)),
            (uc.UC_HOOK_INSN_INVALID, binding.HOOK_INSN_INVALID_CFUNC(self._on_invalid_instruction)),
        ):
            self.engine.add_hook(kind, callback, *EVERYWHERE)
        # A page that any hook on accesses covers keeps Unicorn's slow way for stores.
        on_invalid_access = binding.HOOK_MEM_INVALID_CFUNC(self._on_invalid_access)
        for bounds in self._memory.map.outside_rams():
            for kind, function in (
                (uc.UC_HOOK_MEM_READ_PROT, device_hook.ON_LOAD),
                (uc.UC_HOOK_MEM_WRITE_PROT, device_hook.ON_STORE),
            ):
                self.engine.add_native_hook(kind, function, self.state.ctypes.data, bounds)
            self.engine.add_hook(_INVALID_ACCESSES, on_invalid_access, *bounds)

    def _halt(self, stop: Stop) -> None:
        if not self.engine.is_leaving:
            self._ending.stop = stop
            self.engine.stop()

    # --- callbacks of Unicorn: no Python exception may leave them ---

    def _on_invalid_access(
        self, _handle: int, access: int, address: int, _width: int, _value: int, _user: int
    ) -> bool:
        if self.engine.is_leaving:
            return False
        self._ending.fault_address = address
        fetch = access in (uc.UC_MEM_FETCH_UNMAPPED, uc.UC_MEM_FETCH_PROT, uc.UC_MEM_FETCH)
        self._ending.stop = Stop.FETCH_FAULT if fetch else Stop.DATA_FAULT
        if access == uc.UC_MEM_WRITE_UNMAPPED:
            self.engine.stop_at_access(access)
        return False

    def _on_interrupt(self, _handle: int, number: int, _user: int) -> None:
        self._halt(_STOPS_OF_INTERRUPTS.get(number, Stop.UNDEFINED))

    def _on_invalid_instruction(self, _handle: int, _user: int) -> bool:
        if self.engine.is_leaving:
            return False
        pc = self.engine.pc
        if pc == self.state[words.BLOCK_END] or not self.state[words.COUNTING]:
            hint = self._hint_before(pc)
            if hint in _WFE_ENCODINGS:
                self._halt(Stop.WAIT_FOR_EVENT)
                return True
            if hint in _YIELD_ENCODINGS:
                return True
        self._ending.stop = Stop.UNDEFINED if self.engine.is_thumb else Stop.INVALID_STATE
        return False
