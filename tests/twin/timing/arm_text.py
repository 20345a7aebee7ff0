# SPDX-License-Identifier: Apache-2.0
"""Cycles of an executed instruction trace by Arm's own text: a second opinion on the twin's timing model.

Written from the documents alone and shares nothing with `hil.twin`:

SET   Cortex-M4 TRM r0p1 (DDI 0439), 3.3.1 "Cortex-M4 instructions"
PAIR  the same, 3.3.2 "Load/store timings"; TI SWCU192, "Cortex-M4F", has the same text
FPU   the same, 7.2.3 "FPU instruction set", table 7-1 and its notes
PIPE  measured: jnk0le, "cortex m3 and m4", github.com/jnk0le/random, "loads" and "stores" (STM32F407)
ALIGN measured: compendium.i-0.nl, "Alignment rules"; jnk0le adds that it begins anew after an instruction of
      several cycles; DDI 0337E 14.3 has the fetch buffer that explains it

Where the text gives a range (the refill P after a branch is 1 to 3, IT may be folded, a literal may contend
with the fetch unit), the sum is kept at both ends.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import capstone
from capstone import arm as cs

REFILL_FEWEST, REFILL_MOST = 1, 3  # SET: "P ... ranges from 1 to 3"
_FLOAT_ARITHMETIC = (
    "vadd",
    "vsub",
    "vmul",
    "vnmul",
    "vdiv",
    "vsqrt",
    "vmla",
    "vmls",
    "vnml",
    "vfma",
    "vfms",
    "vcvt",
)
_ACCUMULATING = ("vmla", "vmls", "vnmla", "vnmls", "vfma", "vfms", "vfnma", "vfnms")
_CONDITIONS = ("eq", "ne", "cs", "hs", "cc", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le")


@dataclass(frozen=True)
class Instruction:
    """What the rules ask of an instruction."""

    name: str
    size: int
    reads: frozenset[str]
    writes: frozenset[str]
    address_registers: frozenset[str]
    addend: frozenset[str]
    count: int  # registers in a list
    register_offset: bool
    writes_back: bool
    literal: bool

    @property
    def may_jump(self) -> bool:
        return (
            "pc" in self.writes
            or self.name in ("cbz", "cbnz", "tbb", "tbh")
            or (self.name[0] == "b" and self.name[1:] in ("", "l", "x", "lx", *_CONDITIONS))
        )

    @property
    def single_load(self) -> bool:
        return self.name.startswith("ldr") and not self.name.startswith("ldrd")

    @property
    def single_store(self) -> bool:
        return self.name.startswith("str") and not self.name.startswith("strd")

    @property
    def accesses_memory(self) -> bool:
        return self.name.startswith(
            ("ldr", "str", "ldm", "stm", "push", "pop", "vldr", "vstr", "vldm", "vstm", "vpush", "vpop")
        )


@functools.cache
def _disassembler() -> capstone.Cs:
    engine = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)
    engine.detail = True
    return engine


@functools.cache
def decode(code: bytes, address: int) -> Instruction:
    """Decode the instruction that `code` (4 bytes) begins with."""
    decoded = next(_disassembler().disasm(code, address, 1))
    reads, writes = decoded.regs_access()
    name = decoded.reg_name
    operands = decoded.operands
    address_registers: set[str] = set()
    register_offset = literal = False
    for operand in operands:
        if operand.type == cs.ARM_OP_MEM:
            address_registers |= {name(r) for r in (operand.mem.base, operand.mem.index) if r}
            register_offset |= operand.mem.index != 0
            literal |= operand.mem.base == cs.ARM_REG_PC
    mnemonic = decoded.mnemonic.split(".")[0]
    if mnemonic.startswith(("push", "pop", "vpush", "vpop")):
        address_registers.add("sp")
        count = len(operands)
    elif mnemonic.startswith(("ldm", "stm", "vldm", "vstm")):
        address_registers.add(name(operands[0].reg))
        count = len(operands) - 1
    else:
        count = 0
    listed = operands if mnemonic.startswith(("vpush", "vpop")) else operands[1:]
    if mnemonic.startswith(("vpush", "vpop", "vldm", "vstm")) and name(listed[0].reg).startswith("d"):
        count *= 2  # two words each
    if mnemonic.startswith(("vldr", "vstr")):
        count = 2 if name(operands[0].reg).startswith("d") else 1
    addend = frozenset({name(operands[0].reg)}) if mnemonic.startswith(_ACCUMULATING) else frozenset()
    return Instruction(
        mnemonic,
        decoded.size,
        frozenset(map(name, reads)),
        frozenset(map(name, writes)),
        frozenset(address_registers),
        addend,
        count,
        register_offset,
        decoded.writeback,
        literal,
    )


@dataclass
class Cycles:
    """The fewest and the most cycles that the text allows."""

    fewest: int = 0
    most: int = 0

    def add(self, fewest: int, most: int | None = None) -> None:
        self.fewest += fewest
        self.most += fewest if most is None else most


@dataclass(frozen=True)
class Step:
    """One executed instruction: where, its four bytes, and the data accesses it made as (address, bytes)."""

    address: int
    code: bytes
    accesses: tuple[tuple[int, int], ...]


def count(trace: Sequence[Step]) -> Cycles:
    """Return the cycles of a trace at zero wait states, without the refill after its last instruction."""
    total = Cycles()
    past = Past()
    for position, step in enumerate(trace):
        here = decode(step.code, step.address)
        follows = trace[position + 1].address if position + 1 < len(trace) else step.address + here.size
        add_instruction(total, here, past, step, jumps=follows != step.address + here.size)
    return total


@dataclass
class Past:
    """What an instruction follows."""

    instruction: Instruction | None = None
    region: int = -1
    """Which memory it accessed first."""
    unaligned: int = 0
    """32-bit instructions in a row at addresses that are no word's, since one of several cycles."""
    stores: bool = True
    """All of these are stores."""
    late: bool = False
    """They have cost their cycle, or follow a branch, which may have."""


def add_instruction(total: Cycles, here: Instruction, past: Past, step: Step, jumps: bool) -> None:
    """Add what one instruction takes after the one before it, and remember it."""
    own = Cycles()
    _add_own(own, here, past, step, jumps)
    takes_several = own.fewest > 1
    _add_alignment(own, here, past, step)
    if takes_several and not jumps:
        past.unaligned, past.stores, past.late = 0, True, False
    if jumps:
        past.unaligned, past.stores, past.late = 0, True, True
    past.instruction = here
    past.region = step.accesses[0][0] >> 27 if step.accesses else -1
    total.add(own.fewest, own.most)


def _add_alignment(own: Cycles, here: Instruction, past: Past, step: Step) -> None:
    """ALIGN: three in a row, four if they are stores, take a cycle more; after a branch it may have paid."""
    if here.size == 2 or not step.address & 2:
        past.unaligned, past.stores, past.late = 0, True, False
        return
    past.unaligned += 1
    past.stores &= here.single_store
    if past.unaligned == (4 if past.stores else 3) or (past.unaligned == 4 and not past.late):
        own.add(0, 1) if past.late else own.add(1)
        past.late = True


def _add_own(total: Cycles, here: Instruction, past: Past, step: Step, jumps: bool) -> None:
    name, before = here.name, past.instruction
    if name.startswith("it") and name.strip("te") == "i":
        total.add(0, 1)  # SET: may be folded into the instruction before
        return
    if name in ("udiv", "sdiv"):
        total.add(2, 12)
    elif name in ("tbb", "tbh"):  # SET: 2 + P; PAIR: at least six
        total.add(6)
        return
    elif here.accesses_memory:
        _add_access(total, here, past, step)
    elif name.startswith(("vdiv", "vsqrt")):
        total.add(14)
    elif name.startswith(_ACCUMULATING):
        total.add(3)
    elif name == "vmov" and len(here.reads | here.writes) == 4:
        total.add(2)
    elif name in ("mrs", "msr", "cps", "cpsie", "cpsid"):
        total.add(1, 2)
    else:
        total.add(1)
    if before is not None and before.name.startswith(_FLOAT_ARITHMETIC) and _consumes(here, before):
        total.add(1)  # FPU, note: one cycle longer if consumed by the following instruction
    if jumps:
        if "pc" in here.writes and here.accesses_memory:
            total.add(3)  # PAIR: three cycles for the pipeline reload, never speculated
        else:
            total.add(REFILL_FEWEST, REFILL_MOST)


def _consumes(here: Instruction, before: Instruction) -> bool:
    results = {r for r in before.writes if r[0] in "sd" and r[1:].isdigit()}
    used = (
        here.reads - here.addend if here.addend else here.reads
    )  # note: the addend is consumed a cycle later
    return bool(results & used)


def _add_access(total: Cycles, here: Instruction, past: Past, step: Step) -> None:
    before = past.instruction
    if before is not None and before.single_store:
        loads = here.single_load or here.name.startswith(("ldrd", "ldm", "pop"))
        if loads and not before.register_offset and step.accesses:
            total.add(1)  # PIPE: no store is pipelined with a load after it
        if here.single_store and here.writes_back and before.writes_back:
            total.add(bool(here.address_registers & before.address_registers))  # PIPE: of the same base
    if here.name.startswith(("vldr", "vstr", "ldm", "stm", "push", "pop", "vldm", "vstm", "vpush", "vpop")):
        total.add(1 + here.count)
    elif here.name.startswith(("ldrd", "strd")):
        total.add(3)
    elif not step.accesses:
        total.add(1)  # its condition failed
        return
    else:
        pipelined = (
            before is not None
            and before.single_load
            and not before.writes & here.address_registers
            and "pc" not in here.writes
            and _may_overlap(here, before, past.region == step.accesses[0][0] >> 27)
        )
        if here.single_store and not here.register_offset:
            total.add(1)
        else:
            total.add(1 if pipelined else 2)
        if here.literal:
            total.add(0, 1)  # PAIR: might add a cycle, contention with the fetch unit
        if here.single_load:
            total.add(_penalty(*step.accesses[0], len(step.accesses)))
    if before is not None and not before.accesses_memory and before.writes & here.address_registers:
        total.add(1)  # PAIR: address from the preceding data processing operation


def _may_overlap(here: Instruction, before: Instruction, same_memory: bool) -> bool:
    """PIPE: loads of one memory do; ones that move their base only each other, and if the bases differ."""
    if here.single_store:
        return True
    if here.writes_back or before.writes_back:
        both = here.writes_back and before.writes_back
        return same_memory and both and not here.address_registers & before.address_registers
    return same_memory


def _penalty(address: int, size: int, pieces: int) -> int:
    """PAIR: a byte-aligned halfword or halfword-aligned word takes one more, a byte-aligned word two more."""
    if size == 4:
        return 0 if address % 4 == 0 else 1 if address % 2 == 0 else 2
    return 1 if size == 2 and address % 2 else 0
