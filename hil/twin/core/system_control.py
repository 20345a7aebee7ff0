# SPDX-License-Identifier: Apache-2.0
"""The system control space at 0xE000E000: system control block, SysTick, NVIC and debug registers.

Source: Armv7-M Architecture Reference Manual (DDI 0403), B3.2 to B3.4 and C1.6; values of the Cortex-M4 r0p1:
Technical Reference Manual (DDI 0439), "System control register summary".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hil.twin.core import mpu as protection
from hil.twin.core import nvic as exception_numbers
from hil.twin.core.component_id import identification_word
from hil.twin.core.mpu import ProtectionUnit
from hil.twin.core.nvic import Nvic
from hil.twin.core.systick import SysTick

CPUID = 0x410F_C241
"""Cortex-M4 r0p1."""
BASE, SIZE = 0xE000_E000, 0x1000

_VECTKEY, _VECTKEY_READ = 0x05FA, 0xFA05
CFSR_IACCVIOL, CFSR_DACCVIOL, CFSR_MUNSTKERR, CFSR_MSTKERR = 1 << 0, 1 << 1, 1 << 3, 1 << 4
CFSR_MLSPERR, CFSR_MMARVALID = 1 << 5, 1 << 7
CFSR_IBUSERR, CFSR_PRECISERR, CFSR_IMPRECISERR = 1 << 8, 1 << 9, 1 << 10
CFSR_UNSTKERR, CFSR_STKERR = 1 << 11, 1 << 12
CFSR_LSPERR, CFSR_BFARVALID = 1 << 13, 1 << 15
CFSR_UNDEFINSTR, CFSR_INVSTATE, CFSR_INVPC, CFSR_NOCP = 1 << 16, 1 << 17, 1 << 18, 1 << 19
CFSR_UNALIGNED, CFSR_DIVBYZERO = 1 << 24, 1 << 25
HFSR_VECTTBL, HFSR_FORCED, HFSR_DEBUGEVT = 1 << 1, 1 << 30, 1 << 31
SCR_SLEEPONEXIT, SCR_SLEEPDEEP, SCR_SEVONPEND = 2, 4, 16
CCR_NONBASETHRDENA, CCR_UNALIGN_TRP, CCR_DIV_0_TRP, CCR_BFHFNMIGN, CCR_STKALIGN = 1, 8, 16, 256, 512
_FPCCR, _FPCAR = 0xF34, 0xF38
_ASPEN, _LSPEN, _LSPACT, _USER, _THREAD, _READY = 1 << 31, 1 << 30, 1, 1 << 1, 1 << 3, 0x170
_FPCCR_RESET = _ASPEN | _LSPEN
_CPACR_MASK = 0x00F0_0000  # CP10, CP11
_SHCSR_ENABLES = {
    16: exception_numbers.MEM_MANAGE,
    17: exception_numbers.BUS_FAULT,
    18: exception_numbers.USAGE_FAULT,
}
_SHCSR_PENDING = {
    12: exception_numbers.USAGE_FAULT,
    13: exception_numbers.MEM_MANAGE,
    14: exception_numbers.BUS_FAULT,
    15: exception_numbers.SVCALL,
}
_SHCSR_ACTIVE = {
    0: exception_numbers.MEM_MANAGE,
    1: exception_numbers.BUS_FAULT,
    3: exception_numbers.USAGE_FAULT,
    7: exception_numbers.SVCALL,
    8: exception_numbers.DEBUG_MONITOR,
    10: exception_numbers.PENDSV,
    11: exception_numbers.SYSTICK,
}
_CONSTANTS = {
    0x004: (exception_numbers.INTERRUPT_COUNT - 1) // 32,  # ICTR
    0xD00: CPUID,
    0xD40: 0x0000_0030,  # ID_PFR0 and on: DDI 0439
    0xD44: 0x0000_0200,
    0xD48: 0x0010_0000,
    0xD50: 0x0000_0030,
    0xD58: 0x0100_0000,
    0xD60: 0x0110_1110,
    0xD64: 0x0211_2000,
    0xD68: 0x2123_2231,
    0xD6C: 0x0111_1131,
    0xD70: 0x0131_0132,
    0xF40: 0x1011_0021,  # MVFR0, MVFR1: single precision FPv4
    0xF44: 0x1100_0011,
}
_WRITE_ONE_TO_CLEAR = frozenset((0xD28, 0xD2C, 0xD30))
_ACTLR, _DISDEFWBUF = 0x008, 1 << 1
_STORED = frozenset((_ACTLR, 0xD34, 0xD38, _FPCCR, _FPCAR, 0xF3C))


class DebugRegisters(Protocol):
    """DHCSR to DEMCR, which a debugger and the program see differently."""

    def read_word(self, offset: int, from_debugger: bool) -> int:
        """Return the register at an offset of the system control space."""

    def write_word(self, offset: int, value: int, from_debugger: bool) -> None:
        """Write the register at an offset of the system control space."""


class SystemControlSpace:
    """The registers, as a peripheral on the bus; `from_debugger` marks accesses that come from the debug
    port.
    """

    name = "SCS"
    base = BASE
    size = SIZE

    def __init__(
        self,
        nvic: Nvic,
        systick: SysTick,
        debug: DebugRegisters,
        mpu: ProtectionUnit,
        *,
        running_exception: Callable[[], int],
        on_change: Callable[[], None],
        on_system_reset_request: Callable[[], None],
        on_core_reset: Callable[[], None],
        on_floating_point_trap: Callable[[bool], None],
        on_traps: Callable[[bool, bool], None],
        on_write_buffer: Callable[[bool], None],
    ) -> None:
        """Connect the registers to the core.

        Args:
            nvic: the interrupt controller.
            systick: the system timer.
            debug: the debug registers.
            mpu: the memory protection unit.
            running_exception: returns IPSR.
            on_change: called after a write that may let an exception run.
            on_system_reset_request: called for AIRCR.SYSRESETREQ.
            on_core_reset: called for AIRCR.VECTRESET, which resets the core and leaves the peripherals alone.
            on_floating_point_trap: told whether floating-point instructions need attention: no access to the
                unit, or a lazy save.
            on_traps: told CCR.DIV_0_TRP and CCR.UNALIGN_TRP when they change.
            on_write_buffer: told whether stores go through the write buffer (ACTLR.DISDEFWBUF).
        """
        self._nvic = nvic
        self._systick = systick
        self._debug = debug
        self._mpu = mpu
        self._running_exception = running_exception
        self._on_change = on_change
        self._on_system_reset_request = on_system_reset_request
        self._on_core_reset = on_core_reset
        self._on_floating_point_trap = on_floating_point_trap
        self._on_traps = on_traps
        self._on_write_buffer = on_write_buffer
        self.from_debugger = False
        self.reset()

    def reset(self) -> None:
        """State after a system reset."""
        self._mpu.reset()
        self.vtor = 0
        self.scr = 0
        self.ccr = CCR_STKALIGN
        self._on_traps(False, False)
        self.cpacr = 0
        self.cfsr = 0
        self.hfsr = 0
        self.dfsr = 0
        self._stored = dict.fromkeys(_STORED, 0) | {_FPCCR: _FPCCR_RESET}
        self._update_floating_point_trap()
        self._on_write_buffer(True)

    @property
    def automatic_floating_point_context(self) -> bool:
        """FPCCR.ASPEN: an exception saves the floating-point context if there is one."""
        return bool(self._stored[_FPCCR] & _ASPEN)

    @property
    def lazy_floating_point_context(self) -> bool:
        """FPCCR.LSPEN: it is saved when a handler first uses the unit."""
        return bool(self._stored[_FPCCR] & _LSPEN)

    @property
    def floating_point_context_reserved(self) -> bool:
        """FPCCR.LSPACT: a frame waits for the floating-point context."""
        return bool(self._stored[_FPCCR] & _LSPACT)

    @property
    def floating_point_context_is_unprivileged(self) -> bool:
        """FPCCR.USER: the context is that of unprivileged code."""
        return bool(self._stored[_FPCCR] & _USER)

    def reserve_floating_point_context(self, address: int, thread: bool, user: bool) -> None:
        """Note in FPCAR and FPCCR where the context belongs, and the state it was left in.

        The ready bits say that every fault handler could be taken: an assumption (hardware notes whether
        its priority allows it), they decide only on the escalation of a failing save.
        """
        self._stored[_FPCAR] = address
        flags = _LSPACT | _READY | (_THREAD if thread else 0) | (_USER if user else 0)
        self._stored[_FPCCR] = self._stored[_FPCCR] & (_ASPEN | _LSPEN) | flags
        self._update_floating_point_trap()

    def release_floating_point_context(self) -> int:
        """End the reservation; return where the context belongs."""
        self._stored[_FPCCR] &= ~_LSPACT
        self._update_floating_point_trap()
        return self._stored[_FPCAR]

    @property
    def floating_point_denied(self) -> bool:
        """CPACR gives no access to the floating-point unit."""
        return self.cpacr == 0

    def _update_floating_point_trap(self) -> None:
        self._on_floating_point_trap(self.floating_point_denied or self.floating_point_context_reserved)

    def report_bus_fault(self, flags: int, address: int | None) -> None:
        """Set BusFault flags of CFSR, and BFAR if the address is known."""
        self.cfsr |= flags
        if address is not None:
            self.cfsr |= CFSR_BFARVALID
            self._stored[0xD38] = address

    def report_memory_fault(self, flags: int, address: int | None) -> None:
        """Set MemManage flags of CFSR, and MMFAR if the address is known."""
        self.cfsr |= flags
        if address is not None:
            self.cfsr |= CFSR_MMARVALID
            self._stored[0xD34] = address

    def read(self, offset: int, width: int) -> int:
        """Return a register; bytes and halfwords are parts of their word."""
        return self._read_word(offset & ~3) >> 8 * (offset & 3) & (1 << 8 * width) - 1

    def write(self, offset: int, width: int, value: int) -> None:
        """Write a register; bytes and halfwords change their part of the word."""
        word = offset & ~3
        shift = 8 * (offset & 3)
        if width < 4:
            value <<= shift
            if word not in _WRITE_ONE_TO_CLEAR:
                mask = (1 << 8 * width) - 1 << shift
                value |= self._read_word(word) & ~mask
        self._write_word(word, value)

    def _read_word(self, offset: int) -> int:
        if offset in _CONSTANTS:
            return _CONSTANTS[offset]
        if 0x010 <= offset < 0x020:
            return self._systick.read_word(offset - 0x010)
        if 0x100 <= offset < 0x500:
            return self._nvic.read_word(offset)
        if 0xD18 <= offset <= 0xD20:
            first = offset - 0xD18 + 4
            return sum(self._nvic.priority(first + i) << 8 * i for i in range(4))
        if protection.FIRST_OFFSET <= offset <= protection.LAST_OFFSET:
            return self._mpu.read_word(offset)
        if 0xDF0 <= offset <= 0xDFC:
            return self._debug.read_word(offset, self.from_debugger)
        if offset >= 0xFD0:
            return identification_word("scs", offset)
        if offset in self._stored:
            return self._stored[offset]
        registers: dict[int, Callable[[], int]] = {
            0xD04: self._interrupt_control_state,
            0xD08: lambda: self.vtor,
            0xD0C: lambda: _VECTKEY_READ << 16 | self._nvic.priority_group << 8,
            0xD10: lambda: self.scr,
            0xD14: lambda: self.ccr,
            0xD24: self._system_handler_state,
            0xD28: lambda: self.cfsr,
            0xD2C: lambda: self.hfsr,
            0xD30: lambda: self.dfsr,
            0xD88: lambda: self.cpacr,
        }
        return registers[offset]() if offset in registers else 0

    def _write_word(self, offset: int, value: int) -> None:
        if 0x010 <= offset < 0x020:
            self._systick.write_word(offset - 0x010, value)
        elif 0x100 <= offset < 0x500:
            self._nvic.write_word(offset, value)
        elif 0xD18 <= offset <= 0xD20:
            for i in range(4):
                self._nvic.set_priority(offset - 0xD18 + 4 + i, value >> 8 * i)
        elif protection.FIRST_OFFSET <= offset <= protection.LAST_OFFSET:
            self._mpu.write_word(offset, value)
        elif 0xDF0 <= offset <= 0xDFC:
            self._debug.write_word(offset, value, self.from_debugger)
        elif offset in self._stored:
            self._stored[offset] = value
            self._update_floating_point_trap()
            if offset == _ACTLR:
                self._on_write_buffer(not value & _DISDEFWBUF)
        else:
            self._write_control(offset, value)
        self._on_change()

    def _write_control(self, offset: int, value: int) -> None:
        if offset == 0xD04:
            self._write_interrupt_control(value)
        elif offset == 0xD08:
            self.vtor = value & 0xFFFF_FF80
        elif offset == 0xD0C and value >> 16 == _VECTKEY:
            self._nvic.priority_group = value >> 8 & 7
            if value & 4:
                self._on_system_reset_request()
            elif value & 1 and self.from_debugger:  # VECTRESET is reserved for debuggers
                self._on_core_reset()
        elif offset == 0xD10:
            self.scr = value & (SCR_SLEEPONEXIT | SCR_SLEEPDEEP | SCR_SEVONPEND)
        elif offset == 0xD14:
            self.ccr = value & 0x31B
            self._on_traps(bool(value & CCR_DIV_0_TRP), bool(value & CCR_UNALIGN_TRP))
        elif offset == 0xD24:
            self._write_system_handler(value)
        elif offset == 0xD28:
            self.cfsr &= ~value
        elif offset == 0xD2C:
            self.hfsr &= ~value
        elif offset == 0xD30:
            self.dfsr &= ~value
        elif offset == 0xD88:
            self.cpacr = value & _CPACR_MASK
            self._update_floating_point_trap()
        elif offset == 0xF00 and value & 0x1FF < exception_numbers.INTERRUPT_COUNT:
            self._nvic.pend(exception_numbers.FIRST_INTERRUPT + (value & 0x1FF))

    def _interrupt_control_state(self) -> int:
        nvic = self._nvic
        running = self._running_exception()
        pending = nvic.pending
        return (
            running
            | (0 if nvic.active & ~(1 << running) else 1 << 11)  # RETTOBASE
            | (nvic.candidate() or 0) << 12
            | (1 << 22 if pending >> exception_numbers.FIRST_INTERRUPT else 0)
            | (pending >> exception_numbers.SYSTICK & 1) << 26
            | (pending >> exception_numbers.PENDSV & 1) << 28
            | (pending >> exception_numbers.NMI & 1) << 31
        )

    def _write_interrupt_control(self, value: int) -> None:
        if value >> 31 & 1:
            self._nvic.pend(exception_numbers.NMI)
        for bit, number in ((28, exception_numbers.PENDSV), (26, exception_numbers.SYSTICK)):
            if value >> bit & 1:
                self._nvic.pend(number)
            if value >> bit - 1 & 1:
                self._nvic.unpend(number)

    def _system_handler_state(self) -> int:
        nvic = self._nvic
        value = 0
        for word, bits in (
            (nvic.enabled, _SHCSR_ENABLES),
            (nvic.pending, _SHCSR_PENDING),
            (nvic.active, _SHCSR_ACTIVE),
        ):
            for bit, number in bits.items():
                value |= (word >> number & 1) << bit
        return value

    def _write_system_handler(self, value: int) -> None:
        nvic = self._nvic
        for bit, number in _SHCSR_ENABLES.items():
            nvic.enable(number, bool(value >> bit & 1))
        for bit, number in _SHCSR_PENDING.items():
            if value >> bit & 1:
                nvic.pend(number)
            else:
                nvic.unpend(number)
        for bit, number in _SHCSR_ACTIVE.items():
            nvic.active = nvic.active & ~(1 << number) | (value >> bit & 1) << number
