# SPDX-License-Identifier: Apache-2.0
"""One round of a loop as operations on values, as `loop_evaluation` takes them.

Instructions: integer arithmetic and logic, shifts, fields, multiplications, loads and stores, branches, calls
and IT blocks (Armv7-M ARM, DDI 0403, A7.7). A round with any other instruction is refused: such a loop is
executed as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import capstone
from capstone import arm

from hil.twin.core import loop_evaluation as ev
from hil.twin.core.value_ranges import WORD

Operation = list[int]
_ALWAYS: Final = 14
_MOST_OPERATIONS: Final = 512
_PC: Final = arm.ARM_REG_PC
_REGISTERS: Final = {arm.ARM_REG_R0 + index: index for index in range(13)} | {
    arm.ARM_REG_SP: 13,
    arm.ARM_REG_LR: 14,
}
_SHIFTS: Final = {
    arm.ARM_SFT_LSL: ev.SHIFT_LEFT,
    arm.ARM_SFT_LSR: ev.SHIFT_RIGHT,
    arm.ARM_SFT_ASR: ev.SHIFT_RIGHT_SIGNED,
    arm.ARM_SFT_ROR: ev.ROTATE,
}
_SHIFT_INSTRUCTIONS: Final = {
    arm.ARM_INS_LSL: ev.SHIFT_LEFT,
    arm.ARM_INS_LSR: ev.SHIFT_RIGHT,
    arm.ARM_INS_ASR: ev.SHIFT_RIGHT_SIGNED,
    arm.ARM_INS_ROR: ev.ROTATE,
}
_ARITHMETIC: Final = {
    arm.ARM_INS_ADD: ev.ADD,
    arm.ARM_INS_ADDW: ev.ADD,
    arm.ARM_INS_SUB: ev.SUBTRACT,
    arm.ARM_INS_SUBW: ev.SUBTRACT,
    arm.ARM_INS_ADC: ev.ADD_CARRY,
    arm.ARM_INS_SBC: ev.SUBTRACT_CARRY,
}
_LOGIC: Final = {
    arm.ARM_INS_AND: ev.AND,
    arm.ARM_INS_BIC: ev.BIC,
    arm.ARM_INS_ORR: ev.OR,
    arm.ARM_INS_ORN: ev.ORN,
    arm.ARM_INS_EOR: ev.XOR,
}
_MOVES: Final = {arm.ARM_INS_MOV: ev.MOVE, arm.ARM_INS_MOVW: ev.MOVE, arm.ARM_INS_MVN: ev.NOT}
_COMPARISONS: Final = {
    arm.ARM_INS_CMP: ev.SUBTRACT,
    arm.ARM_INS_CMN: ev.ADD,
    arm.ARM_INS_TST: ev.AND,
    arm.ARM_INS_TEQ: ev.XOR,
}
_EXTENSIONS: Final = {
    arm.ARM_INS_UXTB: (8, False),
    arm.ARM_INS_UXTH: (16, False),
    arm.ARM_INS_SXTB: (8, True),
    arm.ARM_INS_SXTH: (16, True),
}
_LOADS: Final = {
    arm.ARM_INS_LDR: (4, False),
    arm.ARM_INS_LDRH: (2, False),
    arm.ARM_INS_LDRB: (1, False),
    arm.ARM_INS_LDRSH: (2, True),
    arm.ARM_INS_LDRSB: (1, True),
}
_STORES: Final = {arm.ARM_INS_STR: 4, arm.ARM_INS_STRH: 2, arm.ARM_INS_STRB: 1}
_WITHOUT_EFFECT: Final = frozenset(
    (arm.ARM_INS_NOP, arm.ARM_INS_IT, arm.ARM_INS_DSB, arm.ARM_INS_DMB, arm.ARM_INS_ISB, arm.ARM_INS_HINT)
)
_DISASSEMBLER = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)
_DISASSEMBLER.detail = True


class NotPredictableError(Exception):
    """A round has an instruction that is not known here."""


def operations_of(blocks: Sequence[tuple[int, bytes]]) -> list[Operation]:
    """Return the operations of a round, given its blocks (address, code) in their order; the round goes back
    to the first. Raises NotPredictableError.

    LOAD and STORE have no place yet: their EXTRA is -1 and their CONSTANT the width.
    """
    path = _Path()
    for index, (address, code) in enumerate(blocks):
        following = blocks[(index + 1) % len(blocks)][0]
        size = 0
        for instruction in _DISASSEMBLER.disasm(code, address):
            size += instruction.size
            path.branched = False
            path.add(instruction, following if size == len(code) else None)
        if size != len(code) or (not path.branched and following != address + size):
            raise NotPredictableError
    if len(path.operations) > _MOST_OPERATIONS:
        raise NotPredictableError
    return path.operations


class _Path:
    """Collects operations."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.branched = False
        """The last instruction led to where the program went on."""

    def add(self, instruction: Any, following: int | None) -> None:
        """Add an instruction; `following` is where the program goes on after the last one of a block."""
        number, conditional = instruction.id, instruction.cc - 1
        if number in (arm.ARM_INS_B, arm.ARM_INS_CBZ, arm.ARM_INS_CBNZ, arm.ARM_INS_BL):
            self._branch(instruction, following)
            return
        if number in _WITHOUT_EFFECT:
            return
        guard = None
        if conditional not in (_ALWAYS, -1):
            guard = len(self.operations)
            self._emit(ev.SKIP_UNLESS, extra=conditional)
        self._instruction(instruction, following if guard is None else None)
        if guard is not None:
            self.operations[guard][ev.CONSTANT] = len(self.operations) - guard - 1

    def _emit(
        self,
        code: int,
        result: int = -1,
        left: int = -1,
        right: int = -1,
        constant: int = 0,
        sets: int = 0,
        extra: int = 0,
    ) -> None:
        self.operations.append([code, result, left, right, constant, sets, extra, 0])

    def _branch(self, instruction: Any, following: int | None) -> None:
        if following is None:
            raise NotPredictableError
        operands = instruction.operands
        after = instruction.address + instruction.size
        number = instruction.id
        if number == arm.ARM_INS_BL:
            if operands[0].type != arm.ARM_OP_IMM or operands[0].imm != following:
                raise NotPredictableError
            self.branched = True
            self._emit(ev.MOVE, 14, constant=after | 1)
            return
        target = operands[-1].imm
        if following not in (target, after):
            raise NotPredictableError
        self.branched = True
        if target == after:
            return
        taken = int(following == target)
        if number == arm.ARM_INS_B:
            if instruction.cc - 1 != _ALWAYS and instruction.cc != 0:
                self._emit(ev.BRANCH, constant=taken, extra=instruction.cc - 1)
            return
        zero = taken if number == arm.ARM_INS_CBZ else 1 - taken
        self._emit(ev.BRANCH_ZERO, left=_register(operands[0]), constant=zero)

    def _branch_to(self, register: int, following: int | None) -> None:
        if following is None:
            raise NotPredictableError
        self.branched = True
        self._emit(ev.BRANCH_TO, left=register, constant=following | 1)

    def _instruction(self, instruction: Any, following: int | None) -> None:
        number, operands = instruction.id, instruction.operands
        if number in (arm.ARM_INS_BX, arm.ARM_INS_BLX):
            self._branch_to(_register(operands[0]), following)
            if number == arm.ARM_INS_BLX:
                self._emit(ev.MOVE, 14, constant=instruction.address + instruction.size | 1)
        elif number in (arm.ARM_INS_PUSH, arm.ARM_INS_POP, arm.ARM_INS_LDM, arm.ARM_INS_STM):
            self._multiple(instruction, following)
        elif number in _LOADS or number in _STORES:
            self._single(instruction, following)
        elif number in (arm.ARM_INS_LDRD, arm.ARM_INS_STRD):
            self._double(instruction)
        else:
            handler = _handler(number)
            if handler is None:
                raise NotPredictableError
            handler(self, instruction, list(operands))

    # --- data processing ---

    def _second(self, instruction: Any, operand: Any, *, logic: bool) -> dict[str, int]:
        """RIGHT and CONSTANT of an operand; a shifted one is shifted first. A logical instruction that sets
        flags takes its carry from there.
        """
        carries = ev.SETS_C if logic and instruction.update_flags else 0
        if operand.type == arm.ARM_OP_IMM:
            value = operand.imm & WORD
            if carries and instruction.size == 4 and _is_rotated(instruction.bytes):
                self._emit(ev.SET_CARRY, constant=value >> 31)
            return {"constant": value}
        register = _register(operand)
        if operand.shift.type == arm.ARM_SFT_INVALID:
            return {"right": register}
        if operand.shift.type not in _SHIFTS:
            raise NotPredictableError
        amount = operand.shift.value
        self._emit(_SHIFTS[operand.shift.type], ev.TEMPORARY, register, constant=amount, sets=carries)
        return {"right": ev.TEMPORARY}

    def arithmetic(self, instruction: Any, operands: list[Any]) -> None:
        """ADD, SUB, ADC, SBC."""
        left = _register(operands[-2])
        second = self._second(instruction, operands[-1], logic=False)
        sets = ev.SETS_NZ | ev.SETS_C | ev.SETS_V if instruction.update_flags else 0
        self._emit(_ARITHMETIC[instruction.id], _register(operands[0]), left, sets=sets, **second)

    def reverse_subtraction(self, instruction: Any, operands: list[Any]) -> None:
        """RSB."""
        sets = ev.SETS_NZ | ev.SETS_C | ev.SETS_V if instruction.update_flags else 0
        second = self._second(instruction, operands[-1], logic=False)
        if "right" not in second:
            self._emit(ev.MOVE, ev.TEMPORARY, constant=second["constant"])
        elif second["right"] != ev.TEMPORARY:
            self._emit(ev.MOVE, ev.TEMPORARY, right=second["right"])
        self._emit(ev.SUBTRACT, _register(operands[0]), ev.TEMPORARY, _register(operands[-2]), sets=sets)

    def logic(self, instruction: Any, operands: list[Any]) -> None:
        """AND, BIC, ORR, ORN, EOR."""
        left = _register(operands[-2])
        second = self._second(instruction, operands[-1], logic=True)
        sets = ev.SETS_NZ if instruction.update_flags else 0
        self._emit(_LOGIC[instruction.id], _register(operands[0]), left, sets=sets, **second)

    def move(self, instruction: Any, operands: list[Any]) -> None:
        """MOV, MOVW, MVN."""
        second = self._second(instruction, operands[1], logic=True)
        sets = ev.SETS_NZ if instruction.update_flags else 0
        self._emit(_MOVES[instruction.id], _register(operands[0]), sets=sets, **second)

    def move_top(self, instruction: Any, operands: list[Any]) -> None:
        """MOVT."""
        register = _register(operands[0])
        self._emit(ev.AND, register, register, constant=0xFFFF)
        self._emit(ev.OR, register, register, constant=operands[1].imm << 16)

    def comparison(self, instruction: Any, operands: list[Any]) -> None:
        """CMP, CMN, TST, TEQ."""
        code = _COMPARISONS[instruction.id]
        logical = code in (ev.AND, ev.XOR)
        second = self._second(instruction, operands[1], logic=logical)
        sets = ev.SETS_NZ if logical else ev.SETS_NZ | ev.SETS_C | ev.SETS_V
        self._emit(code, left=_register(operands[0]), sets=sets, **second)

    def shift(self, instruction: Any, operands: list[Any]) -> None:
        """LSL, LSR, ASR, ROR."""
        sets = ev.SETS_NZ | ev.SETS_C if instruction.update_flags else 0
        second = self._second(instruction, operands[-1], logic=False)
        code = _SHIFT_INSTRUCTIONS[instruction.id]
        self._emit(code, _register(operands[0]), _register(operands[-2]), sets=sets, **second)

    def multiplication(self, instruction: Any, operands: list[Any]) -> None:
        """MUL, MLA, MLS."""
        sets = ev.SETS_NZ if instruction.update_flags else 0
        result = _register(operands[0])
        if instruction.id == arm.ARM_INS_MUL:
            self._emit(ev.MULTIPLY, result, _register(operands[-2]), _register(operands[-1]), sets=sets)
            return
        self._emit(ev.MULTIPLY, ev.TEMPORARY, _register(operands[1]), _register(operands[2]))
        code = ev.ADD if instruction.id == arm.ARM_INS_MLA else ev.SUBTRACT
        self._emit(code, result, _register(operands[3]), ev.TEMPORARY)

    def extension(self, instruction: Any, operands: list[Any]) -> None:
        """UXTB, UXTH, SXTB, SXTH."""
        width, signed = _EXTENSIONS[instruction.id]
        if operands[1].shift.type != arm.ARM_SFT_INVALID or len(operands) != 2:
            raise NotPredictableError
        self._extend(_register(operands[0]), _register(operands[1]), width, signed)

    def _extend(self, result: int, source: int, width: int, signed: bool) -> None:
        if signed:
            self._emit(ev.SHIFT_LEFT, result, source, constant=32 - width)
            self._emit(ev.SHIFT_RIGHT_SIGNED, result, result, constant=32 - width)
        else:
            self._emit(ev.AND, result, source, constant=(1 << width) - 1)

    def field(self, instruction: Any, operands: list[Any]) -> None:
        """UBFX, SBFX."""
        lowest, width = operands[2].imm, operands[3].imm
        result = _register(operands[0])
        self._emit(ev.SHIFT_RIGHT, result, _register(operands[1]), constant=lowest)
        self._extend(result, result, width, instruction.id == arm.ARM_INS_SBFX)

    # --- memory ---

    def _address(self, operand: Any) -> None:
        """Put the address of a memory operand into TEMPORARY."""
        memory = operand.mem
        if memory.base == _PC:
            raise NotPredictableError
        base = _REGISTERS.get(memory.base)
        if base is None:
            raise NotPredictableError
        if memory.index:
            index = _REGISTERS.get(memory.index)
            if index is None or operand.subtracted:
                raise NotPredictableError
            amount = operand.shift.value if operand.shift.type == arm.ARM_SFT_LSL else memory.lshift
            self._emit(ev.SHIFT_LEFT, ev.TEMPORARY, index, constant=amount)
            self._emit(ev.ADD, ev.TEMPORARY, base, ev.TEMPORARY)
        else:
            self._emit(ev.ADD, ev.TEMPORARY, base, constant=memory.disp & WORD)

    def _single(self, instruction: Any, following: int | None) -> None:
        number, operands = instruction.id, instruction.operands
        operand = operands[1]
        base = operand.mem.base
        if base == _PC:
            address = (instruction.address + 4 & ~3) + operand.mem.disp
            self._emit(ev.MOVE, ev.TEMPORARY, constant=address & WORD)
        elif instruction.post_index:
            self._emit(ev.MOVE, ev.TEMPORARY, right=_REGISTERS.get(base, 0))
        else:
            self._address(operand)
        if instruction.writeback:
            pointer = _REGISTERS.get(base)
            if pointer is None:
                raise NotPredictableError
            if instruction.post_index:
                if len(operands) != 3 or operands[2].type != arm.ARM_OP_IMM:
                    raise NotPredictableError
                step = -operands[2].imm if operands[2].subtracted else operands[2].imm
                self._emit(ev.ADD, pointer, pointer, constant=step & WORD)
            else:
                self._emit(ev.MOVE, pointer, right=ev.TEMPORARY)
        if number in _STORES:
            if operands[0].reg == base and instruction.writeback:
                raise NotPredictableError
            self._store(_register(operands[0]), _STORES[number])
        elif operands[0].reg == _PC:
            self._load_pc(following)
        else:
            width, signed = _LOADS[number]
            self._load(_register(operands[0]), width, signed)

    def _load(self, result: int, width: int, signed: bool = False) -> None:
        self._emit(ev.LOAD, result, ev.TEMPORARY, constant=width, extra=-1)
        if signed:
            self._extend(result, result, 8 * width, signed=True)

    def _load_pc(self, following: int | None) -> None:
        self._load(ev.TEMPORARY, 4)
        self._branch_to(ev.TEMPORARY, following)

    def _store(self, source: int, width: int) -> None:
        if width < 4:
            # The place keeps the stored bits; the address moves out of their way.
            self._emit(ev.AND, ev.SECOND_TEMPORARY, source, constant=(1 << 8 * width) - 1)
            source = ev.SECOND_TEMPORARY
        self._emit(ev.STORE, source, ev.TEMPORARY, constant=width, extra=-1)

    def _double(self, instruction: Any) -> None:
        operands = instruction.operands
        first, second = _register(operands[0]), _register(operands[1])
        if instruction.writeback or operands[2].mem.base == _PC:
            raise NotPredictableError
        base = _REGISTERS.get(operands[2].mem.base)
        if base is None or (instruction.id == arm.ARM_INS_LDRD and base == first):
            raise NotPredictableError
        for register, offset in ((first, 0), (second, 4)):
            self._emit(ev.ADD, ev.TEMPORARY, base, constant=operands[2].mem.disp + offset & WORD)
            if instruction.id == arm.ARM_INS_LDRD:
                self._load(register, 4)
            else:
                self._store(register, 4)

    def _multiple(self, instruction: Any, following: int | None) -> None:
        number = instruction.id
        registers = [operand.reg for operand in instruction.operands]
        if number in (arm.ARM_INS_PUSH, arm.ARM_INS_POP):
            base, writeback = 13, True
        else:
            base, writeback = _REGISTERS[registers.pop(0)], instruction.writeback
        stores = number in (arm.ARM_INS_PUSH, arm.ARM_INS_STM)
        if any(_REGISTERS.get(register) == base for register in registers):
            raise NotPredictableError
        size = 4 * len(registers)
        if number == arm.ARM_INS_PUSH:
            self._emit(ev.SUBTRACT, base, base, constant=size)
        for index, register in enumerate(registers):
            if register == _PC:
                continue
            self._emit(ev.ADD, ev.TEMPORARY, base, constant=4 * index)
            if stores:
                self._store(_REGISTERS[register], 4)
            else:
                self._load(_REGISTERS[register], 4)
        if not stores and registers[-1] == _PC:
            self._emit(ev.ADD, ev.TEMPORARY, base, constant=size - 4)
            self._load(ev.TEMPORARY, 4)
        if writeback and number != arm.ARM_INS_PUSH:
            self._emit(ev.ADD, base, base, constant=size)
        if not stores and registers[-1] == _PC:
            self._branch_to(ev.TEMPORARY, following)


def _register(operand: Any) -> int:
    number = _REGISTERS.get(operand.reg) if operand.type == arm.ARM_OP_REG else None
    if number is None:
        raise NotPredictableError
    return number


def _is_rotated(encoding: bytes) -> bool:
    """A modified immediate whose rotation sets the carry (A5.3.2)."""
    first, second = encoding[0] | encoding[1] << 8, encoding[2] | encoding[3] << 8
    return bool(first >> 10 & 1 or second >> 14 & 1)


_Handler = Callable[[_Path, Any, list[Any]], None]


def _handler(number: int) -> _Handler | None:
    """Who turns a data processing instruction into operations."""
    if number in _ARITHMETIC:
        return _Path.arithmetic
    if number in _LOGIC:
        return _Path.logic
    if number in _MOVES:
        return _Path.move
    if number in _COMPARISONS:
        return _Path.comparison
    if number in _SHIFT_INSTRUCTIONS:
        return _Path.shift
    if number in _EXTENSIONS:
        return _Path.extension
    return {
        arm.ARM_INS_RSB: _Path.reverse_subtraction,
        arm.ARM_INS_MOVT: _Path.move_top,
        arm.ARM_INS_MUL: _Path.multiplication,
        arm.ARM_INS_MLA: _Path.multiplication,
        arm.ARM_INS_MLS: _Path.multiplication,
        arm.ARM_INS_UBFX: _Path.field,
        arm.ARM_INS_SBFX: _Path.field,
    }.get(number)
