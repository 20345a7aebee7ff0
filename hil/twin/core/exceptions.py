# SPDX-License-Identifier: Apache-2.0
"""Exception entry and return of an Armv7-M core: stacking, handlers, tail-chaining.

Source: Armv7-M Architecture Reference Manual (DDI 0403), B1.5.6 to B1.5.8.  Cycles: Cortex-M4 TRM (DDI 0439),
"Exceptions" (12 to the first handler instruction, 6 when tail-chained), at zero wait states; a return takes
as long as the unstacking, 10 cycles (Arm, "A Beginner's Guide on Interrupt Latency", for Cortex-M3 and M4).

Floating-point context is saved lazily where FPCCR.LSPEN says so (B1.5.7): entry reserves the frame, and the
first floating-point instruction of a handler fills it (`save_floating_point_context`).
"""

from __future__ import annotations

import struct

import numpy as np
from unicorn import arm_const as arm

from hil.twin.core.bus import Bus, BusFault
from hil.twin.core.emulator import Emulator
from hil.twin.core.memory import Memory
from hil.twin.core.nvic import NMI, Nvic
from hil.twin.core.state_layout import CYCLES, EVENT_REGISTER
from hil.twin.core.system_control import CCR_NONBASETHRDENA, CCR_STKALIGN, SystemControlSpace

ENTRY_CYCLES = 12
TAIL_CHAIN_CYCLES = 6
RETURN_CYCLES = 10
FLOAT_FRAME_CYCLES = 17
"""What 17 more words add to stacking that is not lazy, and to unstacking.  Assumption: one cycle each."""
LAZY_SAVE_CYCLES = 18
"""17 words to the stack.  Assumption: one cycle each and one more, as a VSTM of 17 registers."""

_BASIC_REGISTERS = (
    arm.UC_ARM_REG_R0,
    arm.UC_ARM_REG_R1,
    arm.UC_ARM_REG_R2,
    arm.UC_ARM_REG_R3,
    arm.UC_ARM_REG_R12,
    arm.UC_ARM_REG_LR,
)
_FLOAT_REGISTERS = tuple(arm.UC_ARM_REG_S0 + i for i in range(16))
_BASIC_FRAME, _EXTENDED_FRAME = 0x20, 0x68
_CONTROL_NPRIV, _CONTROL_SPSEL, _CONTROL_FPCA = 1, 2, 4
_XPSR_ALIGNED, _XPSR_THUMB, _XPSR_EXCEPTION = 1 << 9, 1 << 24, 0x1FF
_VALID_RETURNS = frozenset((0xFFFF_FFE1, 0xFFFF_FFE9, 0xFFFF_FFED, 0xFFFF_FFF1, 0xFFFF_FFF9, 0xFFFF_FFFD))


class InvalidReturnError(Exception):
    """EXC_RETURN does not fit the state it would return to."""


_STACKED_REGISTERS = (
    *(arm.UC_ARM_REG_XPSR, arm.UC_ARM_REG_CONTROL),
    arm.UC_ARM_REG_SP,  # MSP and PSP read 0 in unprivileged code
    *_BASIC_REGISTERS,
)
_MASKS = (arm.UC_ARM_REG_PRIMASK, arm.UC_ARM_REG_FAULTMASK, arm.UC_ARM_REG_BASEPRI)


class Exceptions:
    """Changes between programs and handlers."""

    def __init__(
        self, emulator: Emulator, memory: Memory, bus: Bus, nvic: Nvic, system_control: SystemControlSpace
    ) -> None:
        self._emulator = emulator
        self._memory = memory
        self._bus = bus
        self._nvic = nvic
        self._system_control = system_control

    @property
    def running(self) -> int:
        """Number of the exception being handled (IPSR), 0 in Thread mode."""
        return self._emulator.engine.read_register(arm.UC_ARM_REG_XPSR) & _XPSR_EXCEPTION

    @property
    def control(self) -> int:
        """CONTROL: nPRIV, SPSEL, FPCA."""
        return self._emulator.engine.read_register(arm.UC_ARM_REG_CONTROL) & 7

    def masks(self) -> tuple[int, int, int]:
        """Return PRIMASK, FAULTMASK, BASEPRI."""
        primask, faultmask, basepri = self._emulator.engine.read_all_privileged(_MASKS)
        return primask, faultmask, basepri

    def preempting(self, among: int | None = None) -> int | None:
        """Return the exception that would be taken now, None if there is none.

        `among` limits the choice to a mask of pending and enabled exceptions.
        """
        waiting = self._nvic.pending & self._nvic.enabled if among is None else among
        return self._nvic.preempting(*self.masks(), among=waiting) if waiting else None

    def would_preempt(self, number: int) -> bool:
        """Tell whether an exception could be taken now if it were pending."""
        return self._nvic.group_priority(number) < self._nvic.execution_priority(*self.masks())

    def push(self, return_address: int) -> tuple[int, BusFault | None]:
        """Stack the context, with `return_address` as where to continue.

        Return EXC_RETURN, and the error if the stack could not be written: it is lower all the same.
        """
        emulator, system_control = self._emulator, self._system_control
        xpsr, control, stack, *basic = emulator.engine.read_registers(_STACKED_REGISTERS)
        in_handler = bool(xpsr & _XPSR_EXCEPTION)
        process_stack = bool(control & _CONTROL_SPSEL) and not in_handler
        extended = bool(control & _CONTROL_FPCA) and system_control.automatic_floating_point_context
        aligned = bool(system_control.ccr & CCR_STKALIGN) or extended
        frame = stack - (_EXTENDED_FRAME if extended else _BASIC_FRAME) & ~(7 if aligned else 3) & 0xFFFF_FFFF
        xpsr = xpsr & ~_XPSR_ALIGNED | (_XPSR_ALIGNED if aligned and stack & 4 else 0)
        words = [*basic, return_address & ~1, xpsr]
        if extended:
            if system_control.lazy_floating_point_context:
                system_control.reserve_floating_point_context(
                    frame + _BASIC_FRAME, thread=not in_handler, user=bool(control & _CONTROL_NPRIV)
                )
            else:
                words += self._floating_point_words()
                emulator.state[CYCLES] += FLOAT_FRAME_CYCLES
        stack_register = arm.UC_ARM_REG_PSP if process_stack else arm.UC_ARM_REG_MSP
        emulator.engine.write_privileged(stack_register, frame)
        exc_return = 0xFFFF_FFE1 if extended else 0xFFFF_FFF1
        exc_return |= 0 if in_handler else 0xC if process_stack else 0x8
        emulator.state[CYCLES] += ENTRY_CYCLES
        try:
            data = struct.pack(f"<{len(words)}I", *words)
            self._store(frame, data, privileged=in_handler or not control & _CONTROL_NPRIV)
        except BusFault as error:
            return exc_return, error
        return exc_return, None

    def take(self, number: int, exc_return: int) -> int:
        """Start the handler of `number`, the context being stacked; return the vector.

        Raises BusFault if the vector cannot be read; nothing has changed then.  A vector without the Thumb
        bit is the caller's to refuse.
        """
        emulator = self._emulator
        vector = int.from_bytes(self._load(self._system_control.vtor + 4 * number, 4), "little")
        self._nvic.unpend(number)
        self._nvic.active |= 1 << number
        self._switch_to_handler(number)
        self._clear_floating_point_context()
        emulator.engine.write_register(arm.UC_ARM_REG_LR, exc_return)
        emulator.state[EVENT_REGISTER] = 1
        emulator.redirect(vector)
        return vector

    def give_way(self, number: int) -> int:
        """Make the handler just entered pending again, for a late arrival; return its EXC_RETURN."""
        self._nvic.active &= ~(1 << number)
        self._nvic.pend(number)
        return self._emulator.engine.read_register(arm.UC_ARM_REG_LR)

    def deactivate(self, exc_return: int) -> None:
        """End the running handler, without unstacking yet.

        Raises InvalidReturnError if EXC_RETURN does not fit; the handler has ended all the same.
        """
        emulator, nvic = self._emulator, self._nvic
        number = self.running
        was_active = bool(nvic.active >> number & 1)
        nvic.active &= ~(1 << number)
        if number != NMI:
            emulator.engine.write_register(arm.UC_ARM_REG_FAULTMASK, 0)
        emulator.state[EVENT_REGISTER] = 1
        if exc_return not in _VALID_RETURNS or not was_active:
            raise InvalidReturnError(f"EXC_RETURN 0x{exc_return:08x} in exception {number}")
        to_handler = exc_return & 0xF == 1
        non_base = bool(self._system_control.ccr & CCR_NONBASETHRDENA)
        if to_handler != bool(nvic.active) and not (non_base and not to_handler):
            raise InvalidReturnError(f"EXC_RETURN 0x{exc_return:08x} with active exceptions {nvic.active:#x}")

    def unstack(self, exc_return: int) -> bool:
        """Continue what was preempted; return whether it is Thumb code.

        Raises InvalidReturnError, or BusFault if the frame cannot be read; the stack is unchanged then.
        """
        thumb = self._unstack(exc_return, to_handler=exc_return & 0xF == 1)
        self._emulator.state[CYCLES] += RETURN_CYCLES
        return thumb

    def without_thumb(self) -> int:
        """Clear the T bit of EPSR, of which every instruction is a fault; return the program counter."""
        engine = self._emulator.engine
        pc = engine.pc
        engine.write_register(arm.UC_ARM_REG_XPSR, engine.read_register(arm.UC_ARM_REG_XPSR) & ~_XPSR_THUMB)
        return pc

    def add_tail_chain_cycles(self) -> None:
        """Count what a handler that follows another one takes to start."""
        self._emulator.state[CYCLES] += TAIL_CHAIN_CYCLES

    def save_floating_point_context(self) -> None:
        """Fill the frame that a lazy entry reserved; raises BusFault if it cannot be written."""
        privileged = not self._system_control.floating_point_context_is_unprivileged
        address = self._system_control.release_floating_point_context()
        words = self._floating_point_words()
        self._emulator.state[CYCLES] += LAZY_SAVE_CYCLES
        self._store(address, struct.pack(f"<{len(words)}I", *words), privileged)

    def _floating_point_words(self) -> list[int]:
        read = self._emulator.engine.read_register
        return [*(read(register) for register in _FLOAT_REGISTERS), read(arm.UC_ARM_REG_FPSCR), 0]

    def _unstack(self, exc_return: int, to_handler: bool) -> bool:
        emulator = self._emulator
        write = emulator.engine.write_register
        extended = not exc_return & 0x10
        stack_register = arm.UC_ARM_REG_PSP if exc_return & 4 else arm.UC_ARM_REG_MSP
        frame = emulator.engine.read_register(stack_register)
        saved = extended and not self._system_control.floating_point_context_reserved
        count = 26 if saved else 8
        privileged = to_handler or not self.control & _CONTROL_NPRIV
        emulator.protection.check(frame, 4 * count, store=False, privileged=privileged)
        words = struct.unpack(f"<{count}I", self._load(frame, 4 * count))
        pc, xpsr = words[6], words[7]
        if bool(xpsr & _XPSR_EXCEPTION) != to_handler:
            raise InvalidReturnError(
                f"stacked IPSR {xpsr & _XPSR_EXCEPTION} with EXC_RETURN 0x{exc_return:08x}"
            )
        if saved:
            for register, value in zip(_FLOAT_REGISTERS, words[8:24], strict=True):
                write(register, value)
            write(arm.UC_ARM_REG_FPSCR, words[24])
            emulator.state[CYCLES] += FLOAT_FRAME_CYCLES
        elif extended:  # nobody touched the registers: the reservation ends
            self._system_control.release_floating_point_context()
        size = _EXTENDED_FRAME if extended else _BASIC_FRAME
        write(stack_register, frame + size | (4 if xpsr & _XPSR_ALIGNED else 0))
        emulator.engine.write_registers(_BASIC_REGISTERS, words[:6])
        control = self.control & _CONTROL_NPRIV
        write(arm.UC_ARM_REG_CONTROL, 0)  # privileged, so that the writes below are accepted
        write(arm.UC_ARM_REG_XPSR, xpsr & ~_XPSR_ALIGNED | _XPSR_THUMB)
        if exc_return & 4:
            control |= _CONTROL_SPSEL
        write(arm.UC_ARM_REG_CONTROL, control | (_CONTROL_FPCA if extended else 0))
        emulator.redirect(pc)
        return bool(xpsr & _XPSR_THUMB)

    def _switch_to_handler(self, number: int) -> None:
        emulator = self._emulator
        xpsr = emulator.engine.read_register(arm.UC_ARM_REG_XPSR)
        flags = xpsr & 0xF80F_0000
        emulator.engine.write_register(arm.UC_ARM_REG_XPSR, flags | _XPSR_THUMB | number)

    def _clear_floating_point_context(self) -> None:
        control = self.control
        if control & _CONTROL_FPCA:
            self._emulator.engine.write_register(arm.UC_ARM_REG_CONTROL, control & ~_CONTROL_FPCA)

    def _store(self, address: int, data: bytes, privileged: bool) -> None:
        self._emulator.protection.check(address, len(data), store=True, privileged=privileged)
        view = self._memory.ram_view(address, len(data))
        if view is not None:
            view[:] = np.frombuffer(data, dtype=np.uint8)
            return
        for i in range(0, len(data), 4):
            self._bus.write(address + i, 4, int.from_bytes(data[i : i + 4], "little"))

    def _load(self, address: int, byte_count: int) -> bytes:
        view = self._memory.view(address, byte_count)
        if view is not None:
            return view.tobytes()
        words = [self._bus.read(address + i, 4) for i in range(0, byte_count, 4)]
        return struct.pack(f"<{len(words)}I", *words)
