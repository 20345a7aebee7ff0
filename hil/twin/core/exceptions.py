# SPDX-License-Identifier: Apache-2.0
"""Exception entry and return of an Armv7-M core: stacking, handlers, tail-chaining.

Source: Armv7-M Architecture Reference Manual (DDI 0403), B1.5.6 to B1.5.8.  Cycles: Cortex-M4 TRM (DDI 0439),
"Exceptions" (12 to the first handler instruction, 6 when tail-chained), at zero wait states; a return takes
as long as the unstacking, 10 cycles (Arm, "A Beginner's Guide on Interrupt Latency", for Cortex-M3 and M4).

The floating-point context is written at entry, where hardware may do so later (lazy stacking): the handler
sees the same registers, and the time is that of the lazy way.
"""

from __future__ import annotations

import struct

import numpy as np
from unicorn import arm_const as arm

from hil.twin.core import block_hook
from hil.twin.core.bus import Bus
from hil.twin.core.emulator import Emulator
from hil.twin.core.memory import Memory
from hil.twin.core.nvic import Nvic
from hil.twin.core.system_control import SystemControlSpace

ENTRY_CYCLES = 12
TAIL_CHAIN_CYCLES = 6
RETURN_CYCLES = 10

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


class InvalidVectorError(Exception):
    """A vector without the Thumb bit."""


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
        read = self._emulator.engine.read_privileged
        return read(arm.UC_ARM_REG_PRIMASK), read(arm.UC_ARM_REG_FAULTMASK), read(arm.UC_ARM_REG_BASEPRI)

    def preempting(self) -> int | None:
        """Return the exception that would be taken now, None if there is none."""
        if not self._nvic.pending & self._nvic.enabled:
            return None
        return self._nvic.preempting(*self.masks())

    def enter(self, number: int, return_address: int) -> None:
        """Stack the context, with `return_address` as where to continue, and start the handler of `number`.

        Raises BusFault if the stack or the vector cannot be accessed, InvalidVectorError if it is not Thumb
        code; the exception is active then.
        """
        emulator = self._emulator
        read = emulator.engine.read_register
        xpsr = read(arm.UC_ARM_REG_XPSR)
        control = self.control
        in_handler = bool(xpsr & _XPSR_EXCEPTION)
        process_stack = bool(control & _CONTROL_SPSEL) and not in_handler
        extended = bool(control & _CONTROL_FPCA)
        stack_register = arm.UC_ARM_REG_PSP if process_stack else arm.UC_ARM_REG_MSP
        stack = read(arm.UC_ARM_REG_SP)  # MSP and PSP read 0 in unprivileged code
        frame = stack - (_EXTENDED_FRAME if extended else _BASIC_FRAME) & ~7 & 0xFFFF_FFFF
        xpsr = xpsr & ~_XPSR_ALIGNED | (_XPSR_ALIGNED if stack & 4 else 0)
        words = [read(register) for register in _BASIC_REGISTERS] + [return_address & ~1, xpsr | _XPSR_THUMB]
        if extended:
            words += [read(register) for register in _FLOAT_REGISTERS]
            words += [read(arm.UC_ARM_REG_FPSCR), 0]
        exc_return = 0xFFFF_FFE1 if extended else 0xFFFF_FFF1
        exc_return |= 0 if in_handler else 0xC if process_stack else 0x8
        self._nvic.unpend(number)
        self._nvic.active |= 1 << number
        self._switch_to_handler(number)
        self._clear_floating_point_context()
        emulator.engine.write_register(stack_register, frame)
        emulator.engine.write_register(arm.UC_ARM_REG_LR, exc_return)
        emulator.state[block_hook.EVENT_REGISTER] = 1
        emulator.state[block_hook.CYCLES] += ENTRY_CYCLES
        self._store(frame, struct.pack(f"<{len(words)}I", *words))
        self._jump_to_vector(number)

    def replace(self, number: int, by: int) -> None:
        """Enter `by` instead of `number`, whose entry failed; the stack keeps what was reserved.

        Raises BusFault or InvalidVectorError if that vector is unusable too.
        """
        self._nvic.active = self._nvic.active & ~(1 << number) | 1 << by
        self._switch_to_handler(by)
        self._jump_to_vector(by)

    def leave(self, exc_return: int) -> bool:
        """Return from the running handler; return True if another handler was entered directly (tail-
        chaining).

        Raises InvalidReturnError, or BusFault if the frame cannot be read.
        """
        emulator, nvic = self._emulator, self._nvic
        number = self.running
        if exc_return not in _VALID_RETURNS or not nvic.active >> number & 1:
            nvic.active &= ~(1 << number)
            raise InvalidReturnError(f"EXC_RETURN 0x{exc_return:08x} in exception {number}")
        to_handler = exc_return & 0xF == 1
        others = nvic.active & ~(1 << number)
        if to_handler != bool(others):
            nvic.active = others
            raise InvalidReturnError(f"EXC_RETURN 0x{exc_return:08x} with active exceptions {others:#x}")
        nvic.active = others
        if number != 2:
            emulator.engine.write_register(arm.UC_ARM_REG_FAULTMASK, 0)
        emulator.state[block_hook.EVENT_REGISTER] = 1
        chained = self.preempting()
        if chained is not None:
            nvic.unpend(chained)
            nvic.active |= 1 << chained
            self._switch_to_handler(chained)
            self._clear_floating_point_context()
            emulator.engine.write_register(arm.UC_ARM_REG_LR, exc_return)
            emulator.state[block_hook.CYCLES] += TAIL_CHAIN_CYCLES
            self._jump_to_vector(chained)
            return True
        self._unstack(exc_return, to_handler)
        emulator.state[block_hook.CYCLES] += RETURN_CYCLES
        return False

    def _unstack(self, exc_return: int, to_handler: bool) -> None:
        emulator = self._emulator
        write = emulator.engine.write_register
        extended = not exc_return & 0x10
        stack_register = arm.UC_ARM_REG_PSP if exc_return & 4 else arm.UC_ARM_REG_MSP
        frame = emulator.engine.read_register(stack_register)
        count = 26 if extended else 8
        words = struct.unpack(f"<{count}I", self._load(frame, 4 * count))
        pc, xpsr = words[6], words[7]
        if bool(xpsr & _XPSR_EXCEPTION) != to_handler:
            raise InvalidReturnError(
                f"stacked IPSR {xpsr & _XPSR_EXCEPTION} with EXC_RETURN 0x{exc_return:08x}"
            )
        if extended:
            for register, value in zip(_FLOAT_REGISTERS, words[8:24], strict=True):
                write(register, value)
            write(arm.UC_ARM_REG_FPSCR, words[24])
        size = _EXTENDED_FRAME if extended else _BASIC_FRAME
        write(stack_register, frame + size | (4 if xpsr & _XPSR_ALIGNED else 0))
        for register, value in zip(_BASIC_REGISTERS, words[:6], strict=True):
            write(register, value)
        control = self.control & _CONTROL_NPRIV
        write(arm.UC_ARM_REG_CONTROL, 0)  # privileged, so that the writes below are accepted
        write(arm.UC_ARM_REG_XPSR, xpsr & ~_XPSR_ALIGNED | _XPSR_THUMB)
        if exc_return & 4:
            control |= _CONTROL_SPSEL
        write(arm.UC_ARM_REG_CONTROL, control | (_CONTROL_FPCA if extended else 0))
        emulator.redirect(pc)

    def _switch_to_handler(self, number: int) -> None:
        emulator = self._emulator
        xpsr = emulator.engine.read_register(arm.UC_ARM_REG_XPSR)
        flags = xpsr & 0xF80F_0000
        emulator.engine.write_register(arm.UC_ARM_REG_XPSR, flags | _XPSR_THUMB | number)

    def _clear_floating_point_context(self) -> None:
        control = self.control
        if control & _CONTROL_FPCA:
            self._emulator.engine.write_register(arm.UC_ARM_REG_CONTROL, control & ~_CONTROL_FPCA)

    def _jump_to_vector(self, number: int) -> None:
        vector = self._load(self._system_control.vtor + 4 * number, 4)
        target = int.from_bytes(vector, "little")
        if not target & 1:
            raise InvalidVectorError(f"vector of exception {number} is 0x{target:08x}")
        self._emulator.redirect(target)

    def _store(self, address: int, data: bytes) -> None:
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
