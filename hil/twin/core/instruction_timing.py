# SPDX-License-Identifier: Apache-2.0
"""Cycles of a block of Thumb instructions on a Cortex-M4F.

Source: Arm Cortex-M4 Technical Reference Manual (DDI 0439), "Instruction set summary" and "Load/store
timings" (sections 3.3.1, 3.3.2) and the floating-point instruction table with its notes (section 7.2.3).  P
is the pipeline refill (the manual: 1 to 3 cycles, by "the alignment and width of the target instruction"
among others), N a number of registers.

What Arm does not print is measured on silicon.  "Pipeline": jnk0le, "cortex m3 and m4", on an STM32F407
(github.com/jnk0le/random).  A load right after a store with an immediate offset takes a cycle more.  Loads of
different memories do not overlap, nor do two accesses of one kind that both move the same base.  "Alignment":
compendium.i-0.nl, "Alignment rules".  Three or more 32-bit instructions in a row that are not word-aligned
take one cycle more, stores alone from four on; jnk0le adds that an instruction of several cycles begins anew.

Code at the system bus (SRAM1 at 0x2000_0000) shares it with the data accesses: fetches and data accesses
"occur simultaneously" in the Code region only (DUI 0553, 2.2.3).  So a block takes a cycle for every word
fetched and every word accessed, if its instructions take less.  Assumption: all data accesses of such a block
go over that bus.

Not counted: integer instructions that overlap a VDIV or VSQRT (Arm's table has 14 cycles for these; erratum
776924 shows that one goes on while an exception is entered).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import capstone
from capstone import arm

from hil.twin.core import block_timing_word
from hil.twin.core.encodings import is_floating_point, is_undefined, uses_basepri
from hil.twin.core.load_addresses import Load, LoadAddresses

DIRECT_REFILL_CYCLES = 1
"""P of B, BL, CBZ.  Assumption inside the manual's 1 to 3: the target is known at decode, and SUBS+BNE then
takes the three cycles a loop that runs without wait states is known for."""
INDIRECT_REFILL_CYCLES = 2
"""P of BX, BLX and of data processing into PC.  Assumption inside the manual's 1 to 3: nothing is
speculated.
"""
LOADED_REFILL_CYCLES = 3
"""P of loads into PC, TBB and TBH: "three cycles for the pipeline reload" (3.3.2)."""
DIVIDE_CYCLES = 2
"""SDIV, UDIV at the least; what the operands add is counted by `division_hook`."""

_SINGLE_LOADS = frozenset(
    (
        arm.ARM_INS_LDR,
        arm.ARM_INS_LDRB,
        arm.ARM_INS_LDRH,
        arm.ARM_INS_LDRSB,
        arm.ARM_INS_LDRSH,
        arm.ARM_INS_LDRBT,
        arm.ARM_INS_LDRHT,
        arm.ARM_INS_LDRSBT,
        arm.ARM_INS_LDRSHT,
        arm.ARM_INS_LDRT,
    )
)
_SINGLE_STORES = frozenset(
    (
        arm.ARM_INS_STR,
        arm.ARM_INS_STRB,
        arm.ARM_INS_STRH,
        arm.ARM_INS_STRT,
        arm.ARM_INS_STRBT,
        arm.ARM_INS_STRHT,
    )
)
_EXCLUSIVES = frozenset(
    (
        arm.ARM_INS_LDREX,
        arm.ARM_INS_LDREXB,
        arm.ARM_INS_LDREXH,
        arm.ARM_INS_STREX,
        arm.ARM_INS_STREXB,
        arm.ARM_INS_STREXH,
    )
)
_DOUBLES = frozenset((arm.ARM_INS_LDRD, arm.ARM_INS_STRD))
_MULTIPLES = frozenset(
    (
        arm.ARM_INS_LDM,
        arm.ARM_INS_LDMDB,
        arm.ARM_INS_STM,
        arm.ARM_INS_STMDB,
        arm.ARM_INS_PUSH,
        arm.ARM_INS_POP,
        arm.ARM_INS_VLDMIA,
        arm.ARM_INS_VLDMDB,
        arm.ARM_INS_VSTMIA,
        arm.ARM_INS_VSTMDB,
        arm.ARM_INS_VPUSH,
        arm.ARM_INS_VPOP,
    )
)
_DIVIDES = frozenset((arm.ARM_INS_SDIV, arm.ARM_INS_UDIV))
_DIRECT_BRANCHES = frozenset((arm.ARM_INS_B, arm.ARM_INS_BL, arm.ARM_INS_CBZ, arm.ARM_INS_CBNZ))
_INDIRECT_BRANCHES = frozenset((arm.ARM_INS_BX, arm.ARM_INS_BLX))
_TABLE_BRANCHES = frozenset((arm.ARM_INS_TBB, arm.ARM_INS_TBH))
_FUSED_MULTIPLIES = frozenset(
    (
        arm.ARM_INS_VMLA,
        arm.ARM_INS_VMLS,
        arm.ARM_INS_VNMLA,
        arm.ARM_INS_VNMLS,
        arm.ARM_INS_VFMA,
        arm.ARM_INS_VFMS,
        arm.ARM_INS_VFNMA,
        arm.ARM_INS_VFNMS,
    )
)
_FLOAT_DIVIDES = frozenset((arm.ARM_INS_VDIV, arm.ARM_INS_VSQRT))
_FLOAT_MEMORY = frozenset((arm.ARM_INS_VLDR, arm.ARM_INS_VSTR))
_FLOAT_ARITHMETIC = _FUSED_MULTIPLIES | {
    arm.ARM_INS_VADD,
    arm.ARM_INS_VSUB,
    arm.ARM_INS_VMUL,
    arm.ARM_INS_VNMUL,
    arm.ARM_INS_VDIV,
    arm.ARM_INS_VSQRT,
    arm.ARM_INS_VCVT,
}
_LONG_MULTIPLIES = ("umull", "smull", "umlal", "smlal", "umaal", "smlsl")
_WITHOUT_RESULT = (
    "cmp",
    "cmn",
    "tst",
    "teq",
    "it",
    "nop",
    "b",
    "cb",
    "tb",
    "msr",
    "cps",
    "dsb",
    "dmb",
    "isb",
    "v",
)
"""How the mnemonics begin of instructions that leave nothing in a core register; with "v" `vmov` and `vmrs`
do.
"""

_EFFECTIVE = ("strex", "v", "msr", "cps", "ldrex", "clrex", "sev", "wf", "svc", "bkpt", "mcr", "cdp")
"""How the mnemonics begin of instructions that change floating-point or special registers."""
_STORING = ("st", "push")
"""How those begin that only change memory."""

_DISASSEMBLER = capstone.Cs(
    capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS | capstone.CS_MODE_V8
)


_MULTIPLE_LOADS = frozenset((arm.ARM_INS_LDM, arm.ARM_INS_LDMDB, arm.ARM_INS_POP, arm.ARM_INS_LDRD))
_UNALIGNED_GROUP, _UNALIGNED_STORES = 3, 4
"""Unaligned 32-bit instructions in a row from which on they take a cycle more; stores alone."""
_SYSTEM_BUS, _SYSTEM_BUS_END = 0x2000_0000, 0xE000_0000
"""Addresses that the core fetches from over the system bus (DDI 0439, 2.3.1)."""


@dataclass(frozen=True)
class BlockTiming:
    """Timing of a straight run of instructions at zero wait states."""

    cycles: int
    """Cycles when the branch at the end, if any, is not taken."""
    refill_cycles: int
    """What a taken branch at the end adds."""
    wide_unaligned: bool
    """The first instruction has 32 bits and is not word-aligned: a branch to it takes a cycle more."""
    loads: tuple[tuple[int, Load], ...]
    """Loads whose address follows from what the registers hold at the block's entry, each with the cycles to
    it.
    """
    flags: int
    """FLAG_ values of `block_timing_word`."""
    starts: tuple[int, ...]
    """Address of every instruction."""
    cycles_before: tuple[int, ...]
    """Cycles from the block's entry to every instruction."""
    divisions: tuple[tuple[int, int], ...] = ()
    """Address and number of the divisor's register of every SDIV and UDIV."""
    overlaps: tuple[tuple[Load, Load], ...] = ()
    """Loads that were counted as overlapping, which only loads of one memory do."""
    widths: tuple[tuple[Load, int], ...] = ()
    """Loads of halfwords and words, with their bytes: not aligned they take longer."""
    lookups: tuple[tuple[int, Load], ...] = ()
    """Address and base of the loads whose index is computed in the block."""
    words_accessed: int = 0
    """Words that it loads and stores."""
    undefined: tuple[int, ...] = ()
    """Addresses of instructions that a Cortex-M4 does not have, though Unicorn executes them."""
    priority_masks: tuple[int, ...] = ()
    """Addresses of instructions that read or write BASEPRI."""

    def cycles_to(self, address: int) -> int:
        """Return the cycles from the block's entry to the instruction at `address` (the whole block if after
        it).
        """
        position = bisect_right(self.starts, address) - 1
        if position < 0:
            return 0
        if self.starts[position] != address and position == len(self.starts) - 1:
            return self.cycles
        return self.cycles_before[position]


def instruction_size(high_byte: int) -> int:
    """Return the bytes of the instruction whose first halfword has this upper byte (Armv7-M ARM, A5.1)."""
    return 4 if int(high_byte) >> 3 in (0b11101, 0b11110, 0b11111) else 2


def _encodings(code: bytes) -> Iterator[tuple[int, bytes]]:
    """Give the offset and the bytes of every instruction."""
    offset = 0
    while offset + 1 < len(code):
        size = instruction_size(code[offset + 1])
        yield offset, code[offset : offset + size]
        offset += size


def _registers_in_list(operands: str) -> int:
    names = operands[operands.index("{") + 1 : operands.index("}")].split(",")
    return sum(2 if name.strip().startswith("d") else 1 for name in names)


def _base(operands: str) -> str:
    return operands.split("[", 1)[1].split(",", 1)[0].split("]", 1)[0]


def _moved_base(operands: str) -> str:
    """Return the base that an access writes back, "" if it writes none."""
    return _base(operands) if _writes_base(operands) else ""


def _single_load_cycles(operands: str, before: str) -> int:
    """A load right after a load overlaps its address phase, unless it needs the value.

    One that moves its base overlaps only another such with another base: nothing else was measured.
    """
    if not before or _writes_base(operands) is not _writes_base(before):
        return 2
    return 2 if _base(operands) in (before.split(",", 1)[0], _moved_base(before)) else 1


def _writes_base(operands: str) -> bool:
    return operands.endswith("!") or not operands.endswith("]")


def _has_register_offset(operands: str) -> bool:
    inside = operands.split("[", 1)[1].split("]", 1)[0].split(",")
    return len(inside) > 1 and not inside[1].strip().startswith("#")


def _cycles(instruction: int, operands: str, loaded_before: str) -> tuple[int, int]:
    """Return an instruction's own cycles and its refill when it branches."""
    if instruction in _SINGLE_LOADS:
        if operands.startswith("pc"):
            return 2, LOADED_REFILL_CYCLES
        return _single_load_cycles(operands, loaded_before), 0
    if instruction in _SINGLE_STORES:
        return (2 if _has_register_offset(operands) and not loaded_before else 1), 0
    if instruction in _MULTIPLES:
        branches = instruction in (arm.ARM_INS_POP, arm.ARM_INS_LDM, arm.ARM_INS_LDMDB) and "pc" in operands
        return 1 + _registers_in_list(operands), LOADED_REFILL_CYCLES if branches else 0
    if instruction in _DIRECT_BRANCHES:
        return 1, DIRECT_REFILL_CYCLES
    if instruction in _INDIRECT_BRANCHES:
        return 1, INDIRECT_REFILL_CYCLES
    if instruction in _TABLE_BRANCHES:
        return 3, LOADED_REFILL_CYCLES  # "two cycles for the load, one cycle for the add" (3.3.2)
    if instruction in _DOUBLES:
        return 3, 0
    if instruction in _EXCLUSIVES:
        return 2, 0
    if instruction in _DIVIDES:
        return DIVIDE_CYCLES, 0
    if instruction in _FUSED_MULTIPLIES:
        return 3, 0
    if instruction in _FLOAT_DIVIDES:
        return 14, 0
    if instruction in _FLOAT_MEMORY:
        return (3 if operands.startswith("d") else 2), 0
    if instruction == arm.ARM_INS_VMOV and operands.count(",") >= 2:
        return 2, 0
    if instruction == arm.ARM_INS_ISB:
        return 1 + INDIRECT_REFILL_CYCLES, 0
    if instruction in (arm.ARM_INS_MRS, arm.ARM_INS_MSR):
        return 2, 0
    if operands.startswith("pc,"):
        return 1, INDIRECT_REFILL_CYCLES
    return 1, 0


def _accessed_words(instruction: int, operands: str) -> int:
    """Return the words that an instruction loads or stores."""
    if instruction in _MULTIPLES:
        return _registers_in_list(operands)
    if instruction in _DOUBLES or (instruction in _FLOAT_MEMORY and operands.startswith("d")):
        return 2
    return int("[" in operands)


def _after_store(instruction: int, operands: str, stored_before: str) -> int:
    """Return the cycle that an instruction takes more right after a single store, or 0."""
    if instruction in _SINGLE_STORES:
        moved = _moved_base(stored_before)
        return int(moved != "" and moved == _moved_base(operands))
    loads = instruction in _SINGLE_LOADS or instruction in _MULTIPLE_LOADS
    return int(loads and not _has_register_offset(stored_before))


class _UnalignedGroup:
    """Unaligned 32-bit instructions in a row, whose fetch falls behind once."""

    def __init__(self) -> None:
        self._count = 0
        self._stores = True
        self._paid = False
        self._at_head = True
        self.paid_at_head = False
        """The block begins with such a group: a branch to it pays for its target no more."""

    def add(self, instruction: capstone.CsInsn, cycles: int) -> int:
        """Return the cycle that the group takes more with this instruction of `cycles`, or 0."""
        if instruction.size == 2 or not instruction.address & 2:
            self._restart()
            return 0
        self._count += 1
        self._stores &= instruction.id in _SINGLE_STORES
        late = not self._paid and self._count >= (_UNALIGNED_STORES if self._stores else _UNALIGNED_GROUP)
        self._paid |= late
        self.paid_at_head |= late and self._at_head
        if cycles > 1:
            self._restart()
        return int(late)

    def _restart(self) -> None:
        self._count, self._stores, self._paid, self._at_head = 0, True, False, False


def _width(mnemonic: str) -> int:
    """Return the bytes that a single load reads."""
    if mnemonic.startswith(("ldrb", "ldrsb")):
        return 1
    return 2 if mnemonic.startswith(("ldrh", "ldrsh")) else 4


def _is_load(instruction: int) -> bool:
    return instruction in _SINGLE_LOADS or instruction in (
        arm.ARM_INS_LDRD,
        arm.ARM_INS_LDM,
        arm.ARM_INS_LDMDB,
        arm.ARM_INS_POP,
        arm.ARM_INS_VLDR,
        arm.ARM_INS_VLDMIA,
        arm.ARM_INS_VPOP,
        arm.ARM_INS_LDREX,
        arm.ARM_INS_TBB,
        arm.ARM_INS_TBH,
    )


def _effect(mnemonic: str) -> int:
    """Return the flag of an instruction with effects besides core registers and branches, 0 without."""
    if mnemonic.startswith(_EFFECTIVE):
        return block_timing_word.FLAG_EFFECT
    return block_timing_word.FLAG_STORES if mnemonic.startswith(_STORING) else 0


def _result_registers(instruction: capstone.CsInsn) -> tuple[str, ...]:
    """Return the core registers that a data processing instruction leaves its result in."""
    mnemonic, operands = instruction.mnemonic, instruction.op_str
    if "[" in operands or "{" in operands or not operands:
        return ()
    first, _, rest = operands.partition(",")
    if mnemonic.startswith(_LONG_MULTIPLIES):
        return first, rest.partition(",")[0].strip()
    if mnemonic.startswith(_WITHOUT_RESULT) and not mnemonic.startswith(("bic", "bf", "vmov", "vmrs")):
        return ()
    return (first,) if first[0] != "s" or first in ("sp", "sb", "sl") else ()


def _address_registers(operands: str) -> tuple[str, ...]:
    """Return the registers that a load or store computes its address from."""
    if "[" in operands:
        inside = operands.split("[", 1)[1].split("]", 1)[0]
        return tuple(part.strip() for part in inside.split(",")[:2])
    return (operands.split(",", 1)[0].rstrip("!"),)


def _float_stall(instruction: capstone.CsInsn, computed: str) -> int:
    """A floating-point result that the next instruction consumes takes a cycle more, unless as an addend."""
    if not computed:
        return 0
    operands = instruction.op_str.replace("{", "").replace("}", "").split(", ")
    stores = instruction.mnemonic.startswith(("vst", "vpush"))
    sources = operands if stores or instruction.mnemonic.startswith("vcmp") else operands[1:]
    return 1 if computed in sources else 0


@lru_cache(maxsize=65536)
def analyse(code: bytes, address: int) -> BlockTiming:
    """Return the timing of the instructions in `code`, which starts at `address`.

    Conditional instructions in an IT block count as executed.  What capstone cannot decode counts one cycle.
    """
    starts: list[int] = []
    before: list[int] = []
    divisions: list[tuple[int, int]] = []
    total = refill = 0
    flags = 0
    loaded_before = computed_float = ""
    computed: tuple[str, ...] = ()
    stored_before = ""
    load_before: Load | None = None
    overlaps: list[tuple[Load, Load]] = []
    widths: list[tuple[Load, int]] = []
    lookups: list[tuple[int, Load]] = []
    accessed = 0
    unaligned = _UnalignedGroup()
    previous_size = 4
    addresses = LoadAddresses()
    for instruction in _DISASSEMBLER.disasm(code, address):
        number, operands = instruction.id, instruction.op_str
        stall = 0
        if computed and (number in _MULTIPLES or "[" in operands):
            stall += not set(computed).isdisjoint(_address_registers(operands))
        stall += _float_stall(instruction, computed_float)
        if stored_before:  # it waits for the store: a counter that it reads is read after that
            stall += _after_store(number, operands, stored_before)
        total += stall
        starts.append(instruction.address)
        before.append(total)
        cycles, refill = _cycles(number, operands, loaded_before)
        if number == arm.ARM_INS_IT and previous_size == 2:
            cycles = 0  # folded into the 16-bit instruction before it
        total += cycles + unaligned.add(instruction, cycles + stall)
        accessed += _accessed_words(number, operands)
        loaded: Load | None = None
        if _is_load(number):
            known = len(addresses.loads)
            addresses.add_load(instruction, before[-1])
            if number in _SINGLE_LOADS:
                loaded = addresses.place_of(instruction)
                if cycles == 1 and load_before is not None and loaded is not None:
                    overlaps.append((load_before, loaded))
                width = _width(instruction.mnemonic)
                if len(addresses.loads) == known and loaded is not None:
                    lookups.append((instruction.address, loaded))
                elif width > 1 and len(addresses.loads) > known:
                    widths.append((addresses.loads[-1][1], width))
        load_before = loaded
        addresses.follow(instruction)
        if number in _DIVIDES:
            divisor = code[instruction.address - address + 2] & 0xF  # Rm: the lowest bits of the encoding
            divisions.append((instruction.address, divisor))
        loaded_before = operands if number in _SINGLE_LOADS else ""
        stored_before = operands if number in _SINGLE_STORES else ""
        computed = _result_registers(instruction)
        computed_float = operands.split(",", 1)[0] if number in _FLOAT_ARITHMETIC else ""
        if number in (arm.ARM_INS_MSR, arm.ARM_INS_CPS) or instruction.mnemonic.startswith("cps"):
            flags |= block_timing_word.FLAG_WRITES_MASKS
        elif instruction.mnemonic.startswith("sev"):
            flags |= block_timing_word.FLAG_SENDS_EVENT
        flags |= _effect(instruction.mnemonic)
        previous_size = instruction.size
    encodings = list(_encodings(code))  # also of instructions that capstone does not know
    if any(is_floating_point(encoding) for _, encoding in encodings):
        flags |= block_timing_word.FLAG_FLOATING_POINT
    if not starts:
        starts, before, total = [address], [0], 1
    if _SYSTEM_BUS <= address < _SYSTEM_BUS_END:
        fetched = (address + len(code) + 3 >> 2) - (address >> 2)
        total = max(total, fetched + accessed)
    return BlockTiming(
        max(total, 1),
        refill,
        bool(address & 2) and len(code) > 1 and instruction_size(code[1]) == 4 and not unaligned.paid_at_head,
        tuple(addresses.loads),
        flags,
        tuple(starts),
        tuple(before),
        tuple(divisions),
        tuple(overlaps),
        tuple(widths),
        tuple(lookups),
        accessed,
        tuple(address + offset for offset, encoding in encodings if is_undefined(encoding)),
        tuple(address + offset for offset, encoding in encodings if uses_basepri(encoding)),
    )
