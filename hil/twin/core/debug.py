# SPDX-License-Identifier: Apache-2.0
"""Halting debug: DHCSR, DCRSR, DCRDR and DEMCR, as a debugger and as the program see them.

Source: Armv7-M Architecture Reference Manual (DDI 0403), C1.6.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from unicorn import arm_const as arm

from hil.twin.core.emulator import Emulator
from hil.twin.core.engine import PRIVILEGED_REGISTERS
from hil.twin.core.nvic import PRIORITY_BITS

C_DEBUGEN, C_HALT, C_STEP, C_MASKINTS, C_SNAPSTALL = 1, 2, 4, 8, 32
S_REGRDY, S_HALT, S_SLEEP, S_LOCKUP, S_RETIRE_ST, S_RESET_ST = (
    1 << 16,
    1 << 17,
    1 << 18,
    1 << 19,
    1 << 24,
    1 << 25,
)
VC_CORERESET, MON_EN, MON_PEND, TRCENA = 1 << 0, 1 << 16, 1 << 17, 1 << 24
DFSR_HALTED, DFSR_BKPT, DFSR_DWTTRAP, DFSR_VCATCH = 1, 2, 4, 8

_DHCSR, _DCRSR, _DCRDR, _DEMCR = 0xDF0, 0xDF4, 0xDF8, 0xDFC
_DEBUG_KEY = 0xA05F
_DEMCR_MASK = 0x010F_07F1
_REGISTER_WRITE = 1 << 16
_REGISTERS: dict[int, int] = (
    {i: arm.UC_ARM_REG_R0 + i for i in range(13)}
    | {13: arm.UC_ARM_REG_SP, 14: arm.UC_ARM_REG_LR, 15: arm.UC_ARM_REG_PC, 16: arm.UC_ARM_REG_XPSR}
    | {17: arm.UC_ARM_REG_MSP, 18: arm.UC_ARM_REG_PSP, 33: arm.UC_ARM_REG_FPSCR}
    | {64 + i: arm.UC_ARM_REG_S0 + i for i in range(32)}
)
_PC, _SPECIAL = 15, 20
_STACK_POINTERS = frozenset((arm.UC_ARM_REG_SP, arm.UC_ARM_REG_MSP, arm.UC_ARM_REG_PSP))
"""Bits 1:0 of these read as zero and ignore writes (DDI 0403, B1.4.1)."""
_SPECIAL_FIELDS = (
    (24, arm.UC_ARM_REG_CONTROL, 0x7),
    (16, arm.UC_ARM_REG_FAULTMASK, 0x1),
    (8, arm.UC_ARM_REG_BASEPRI, PRIORITY_BITS),
    (0, arm.UC_ARM_REG_PRIMASK, 0x1),
)


class DebuggedCore(Protocol):
    """What halting debug does to a core."""

    @property
    def state(self) -> str:
        """The core's state."""

    @property
    def cycle_count(self) -> int:
        """Cycles executed."""

    def debug_halt(self) -> None:
        """Halt as soon as possible."""

    def debug_resume(self, step: bool) -> None:
        """Leave the halted state, for one instruction if `step`."""


class HaltingDebug:
    """The debug registers of the core; a system reset leaves them alone, a power cycle does not."""

    def __init__(
        self,
        core: DebuggedCore,
        emulator: Emulator,
        *,
        on_trace_enable: Callable[[bool], None],
        on_enable: Callable[[], None],
        on_monitor_pend: Callable[[bool], None],
        is_monitor_pending: Callable[[], bool],
    ) -> None:
        """``on_trace_enable`` is called when DEMCR.TRCENA changes, ``on_enable`` when DHCSR.C_DEBUGEN or
        DEMCR.MON_EN does, ``on_monitor_pend`` when DEMCR.MON_PEND is written.
        """
        self._core = core
        self._emulator = emulator
        self._on_trace_enable = on_trace_enable
        self._on_enable = on_enable
        self._on_monitor_pend = on_monitor_pend
        self._is_monitor_pending = is_monitor_pending
        self.power_on_reset()

    def power_on_reset(self) -> None:
        """State after power-up."""
        self.enabled = False
        self.mask_interrupts = False
        self.demcr = 0
        self._step = False
        self._halt_requested = False
        self._snapstall = False
        self._data = 0
        self._reset_seen = True
        self._cycles_seen = 0

    def note_reset(self) -> None:
        """The core was reset: S_RESET_ST until the next read of DHCSR.

        C_HALT is cleared, so a core that was halted runs again after a reset without vector catch; a halt
        that the debugger requests while the reset line is held stays.
        """
        self._reset_seen = True
        if self._core.state != "reset":
            self._halt_requested = False

    def note_halted(self) -> None:
        """The core halted: C_HALT reads 1 from now on, whatever the cause."""
        self._halt_requested = True

    @property
    def halt_at_reset(self) -> bool:
        """A reset ends in the halted state: vector catch, or a halt requested meanwhile."""
        return self.enabled and (bool(self.demcr & VC_CORERESET) or self._halt_requested)

    def catches(self, causes: int) -> bool:
        """Tell whether the debugger wants to halt at a fault, whose vector catch bits are `causes`."""
        return self.enabled and bool(self.demcr & causes)

    @property
    def monitored(self) -> bool:
        """DEMCR.MON_EN: without halting debug, debug events lead to the DebugMonitor exception."""
        return not self.enabled and bool(self.demcr & MON_EN)

    def read_word(self, offset: int, from_debugger: bool) -> int:
        """Return DHCSR (its sticky bits are cleared by a debugger's read), DCRDR or DEMCR."""
        if offset == _DHCSR:
            return self._read_status(from_debugger)
        demcr = self.demcr | (MON_PEND if self._is_monitor_pending() else 0)
        return {_DCRDR: self._data, _DEMCR: demcr}.get(offset, 0)

    def write_word(self, offset: int, value: int, from_debugger: bool) -> None:
        """Write DHCSR, DCRSR, DCRDR or DEMCR."""
        if offset == _DHCSR and value >> 16 == _DEBUG_KEY:
            self._write_control(value, from_debugger)
        elif offset == _DCRSR:
            self._transfer(value & 0x7F, bool(value & _REGISTER_WRITE))
        elif offset == _DCRDR:
            self._data = value
        elif offset == _DEMCR:
            changed = self.demcr ^ value
            self.demcr = value & _DEMCR_MASK & ~MON_PEND
            self._on_monitor_pend(bool(value & MON_PEND))
            if changed & TRCENA:
                self._on_trace_enable(bool(value & TRCENA))
            if changed & MON_EN:
                self._on_enable()

    def _read_status(self, from_debugger: bool) -> int:
        core = self._core
        state = core.state
        value = S_REGRDY
        value |= C_DEBUGEN if self.enabled else 0
        value |= C_HALT if self._halt_requested or state == "halted" else 0
        value |= C_STEP if self._step else 0
        value |= C_MASKINTS if self.mask_interrupts else 0
        value |= C_SNAPSTALL if self._snapstall else 0
        value |= {"halted": S_HALT, "sleeping": S_SLEEP, "lockup": S_LOCKUP}.get(state, 0)
        cycles = core.cycle_count
        value |= S_RETIRE_ST if cycles != self._cycles_seen else 0
        value |= S_RESET_ST if self._reset_seen or state == "reset" else 0
        if from_debugger:
            self._cycles_seen = cycles
            self._reset_seen = False
        return value

    def _write_control(self, value: int, from_debugger: bool) -> None:
        core = self._core
        if from_debugger and self.enabled != bool(value & C_DEBUGEN):
            self.enabled = bool(value & C_DEBUGEN)
            self._on_enable()
        if not self.enabled:
            self._halt_requested = self._step = self.mask_interrupts = self._snapstall = False
            if core.state == "halted":
                core.debug_resume(step=False)
            return
        self._step = bool(value & C_STEP)
        self._snapstall = bool(value & C_SNAPSTALL)
        self.mask_interrupts = bool(value & C_MASKINTS)
        self._halt_requested = bool(value & C_HALT)
        if value & C_HALT:
            if core.state != "halted":
                core.debug_halt()
        elif core.state == "halted":
            core.debug_resume(step=self._step)

    def _transfer(self, selector: int, write: bool) -> None:
        """Move a register between the core, which must be halted, and DCRDR."""
        engine = self._emulator.engine
        if self._core.state != "halted":
            return
        if selector == _SPECIAL:
            self._transfer_special(write)
            return
        register = _REGISTERS.get(selector)
        if register is None:
            return
        if write and register in _STACK_POINTERS:
            self._data &= ~3
        if register in PRIVILEGED_REGISTERS:
            if write:
                engine.write_privileged(register, self._data)
            else:
                self._data = engine.read_privileged(register)
        elif not write:
            self._data = engine.read_register(register)
        elif selector == _PC:
            self._emulator.redirect(self._data)
        else:
            engine.write_register(register, self._data)

    def _transfer_special(self, write: bool) -> None:
        engine = self._emulator.engine
        if write:
            for shift, register, mask in _SPECIAL_FIELDS:
                engine.write_privileged(register, self._data >> shift & mask)
            return
        self._data = 0
        for shift, register, mask in _SPECIAL_FIELDS:
            self._data |= (engine.read_privileged(register) & mask) << shift
