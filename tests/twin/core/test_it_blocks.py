# SPDX-License-Identifier: Apache-2.0
"""Every form of IT block, with a load or a store at every place in it, to every kind of address.

An emulator's hooks on accesses may leave the state of the block behind, or not stop inside it. So each block
is followed by instructions that must all be executed, directly and behind a return. An access that faults
must fault at its own address, once, before anything behind it has an effect.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.twin.bare_part import BarePart

CODE, RESULTS, STACK = 0x400, 0x2000_4000, 0x2000_1000
FAULTS = (3, 4, 5, 6)
MONITOR = 12
PLAIN, MPU, UNALIGNED, WATCH = 0, 1, 2, 4
SRAM1, SRAM2 = 0x2000_3000, 0x1000_0100
FORBIDDEN, UNMAPPED, UNANSWERED = 0x1000_0200, 0x6000_0000, 0x4000_F000

HEAD = """
.macro imm reg, value
 movw \\reg, #(\\value) & 0xffff
 movt \\reg, #(\\value) >> 16
.endm
.macro put address, value
 imm r0, \\address
 imm r1, \\value
 str r1, [r0]
.endm
.global start
config:
 .word 0, 0, 0, 0, 0          // address, the same without a fault, value before, value stored, mode
start:
 put 0x4002104c, 7            // RCC: GPIO, TIM2
 put 0x40021058, 1
 put 0xe000ed24, 0x70000      // SHCSR: every fault has its handler
 put 0xe000edfc, 0x01010000   // DEMCR: TRCENA, MON_EN
 adr.w r7, config
 ldr r6, [r7, #16]
 tst r6, #1
 beq 1f
 put 0xe000ed9c, 0x10000210   // MPU region 0: 32 bytes that nobody may access
 put 0xe000eda0, 0x00000009
 put 0xe000ed94, 5            // on, with the default map behind it
 dsb
 isb
1: tst r6, #2
 beq 1f
 put 0xe000ed14, 0x208        // CCR: UNALIGN_TRP
1: tst r6, #4
 beq 1f
 ldr r1, [r7]
 imm r0, 0xe0001020           // DWT comparator 0: reads and writes of the address
 str r1, [r0]
 put 0xe0001028, 7
1: imm r8, RESULTS
 ldr r9, [r7, #4]
 movs r10, #0
"""
CASE = """
 adr.w r11, access_NUMBER
 ldr r2, [r7]
 ldr r3, [r7, #8]
 str r3, [r9]                 // before
 dsb
 isb
 movs r10, #0
 ldr r3, [r7, #12]
 imm r6, 0xdead
 movs r4, #0
 movs r5, #0
 movs r0, #FLAG
 cmp r0, #1
 CALL
 adds r4, #1
 adds r4, #2
 adds r4, #4
 adds r4, #8
 orr r4, r4, r5, lsl #8
 orr r4, r4, r10, lsl #16
 ldr r5, [r9]
 stmia r8!, {r4, r5, r6}
"""
TAIL = """
 put RESULTS - 4, 1
stop: b stop
fault:
 ldr r0, [sp, #0x18]
 cmp r0, r11
 ite eq
 addeq r10, #1
 addne r10, #0x80
 mov r2, r9
 str r2, [sp, #8]
 imm r0, 0xe000ed28
 mov r1, #-1
 str r1, [r0]
 bx lr
monitor:
 add r10, #1
 bx lr
"""


@dataclass(frozen=True)
class Case:
    """One IT block."""

    form: str
    """The letters behind the I: T, TE, ..."""
    place: int
    """Which of its instructions is the access."""
    load: bool
    passes: bool
    """The condition of its first instruction holds."""
    called: bool
    """A return ends the block of translated code right behind it."""

    def executes(self, place: int) -> bool:
        """Whether an instruction of the block is executed."""
        return (self.form[place] == "T") == self.passes

    def text(self, number: int) -> str:
        block = [f" it{self.form[1:].lower()} eq"]
        for place, letter in enumerate(self.form):
            condition = "eq" if letter == "T" else "ne"
            if place != self.place:
                block.append(f" add{condition} r5, #{1 << place}")
            else:
                block.append(f"access_{number}: {'ldr' if self.load else 'str'}{condition}.w r3, [r2]")
                if self.load:
                    block[-1] = block[-1].replace("r3", "r6")
        inline = "\n".join(block)
        call = f"bl block_{number}" if self.called else inline
        text = CASE.replace("NUMBER", str(number)).replace("FLAG", str(int(self.passes)))
        text = text.replace("CALL", call)
        return f"{text} b.w 9f\nblock_{number}:\n{inline}\n bx lr\n9:\n" if self.called else text


FORMS = ["".join(("T", *rest)) for length in range(4) for rest in itertools.product("TE", repeat=length)]
CASES = [
    Case(form, place, load, passes, called)
    for form in FORMS
    for place in range(len(form))
    for load, passes, called in itertools.product((False, True), repeat=3)
]


@dataclass(frozen=True)
class Place:
    """An address, and two values that it may hold."""

    address: int
    before: int
    stored: int


PLACES = {
    "GPIO": Place(0x4800_0014, 0x1234, 0x4321),
    "RCC": Place(0x4002_1048, 0x100, 0x103),
    "timer": Place(0x4000_002C, 0x1234_5678, 0x8765_4321),
    "NVIC": Place(0xE000_E404, 0x1020_3040, 0x8070_6050),
    "SHPR": Place(0xE000_ED18, 0x0020_3040, 0x0070_6050),
    "SysTick": Place(0xE000_E014, 0x12_3456, 0x65_4321),
    "DWT": Place(0xE000_1030, 0x1234_5678, 0x8765_4320),
    "MPU": Place(0xE000_ED98, 1, 2),
    "bit-band of SRAM": Place(0x2206_0000, 0, 1),
    "bit-band of a peripheral": Place(0x4200_0580, 0, 1),
    "SRAM1": Place(SRAM1, 0x1234_5678, 0x8765_4321),
    "SRAM2": Place(SRAM2, 0x1234_5678, 0x8765_4321),
    "flash": Place(0x0800_0000, STACK, STACK),
    "alias of flash": Place(0, STACK, STACK),
}
Result = tuple[int, int, int]
Assembler = Callable[[str], tuple[bytes, dict[str, int]]]


def expected(case: Case, place: Place, faults: int) -> Result:
    """What a block leaves: r4 and r5 and the faults taken, the word at the address, the word loaded."""
    done = case.executes(case.place)
    others = sum(1 << at for at in range(len(case.form)) if at != case.place and case.executes(at))
    word = place.stored if done and not case.load else place.before
    loaded = place.before if done and case.load else 0xDEAD
    return 15 | others << 8 | (faults if done else 0) << 16, word, loaded


def run(assembler: Assembler, place: Place, mode: int, to: int) -> list[Result]:
    """Execute all cases with accesses to the address `to`, where a fault, if any, puts them right."""
    source = HEAD + "".join(case.text(number) for number, case in enumerate(CASES)) + TAIL
    code, labels = assembler(source.replace("RESULTS", str(RESULTS)))
    table = [STACK, CODE + labels["start"] | 1] + [0] * 62
    for number in FAULTS:
        table[number] = CODE + labels["fault"] | 1
    table[MONITOR] = CODE + labels["monitor"] | 1
    image = bytearray(struct.pack("<64I", *table).ljust(CODE, b"\0") + code)
    at = CODE + labels["config"]
    image[at : at + 20] = struct.pack("<5I", to, place.address, place.before, place.stored, mode)
    part = BarePart(bytes(image))
    part.mcu.set_supply_voltage(3.0)
    while part.mcu.core.memory.read(RESULTS - 4, 4) != 1:
        assert part.now_s < 1, "the program does not end"
        part.advance(0.01)
    words = part.mcu.core.memory.view(RESULTS, 12 * len(CASES))
    assert words is not None
    return list(struct.iter_unpack("<3I", words.tobytes()))


def check(assembler, place: Place, mode: int = PLAIN, *, faults: int = 0, to: int | None = None) -> None:
    """Compare all cases; `to` is where they first access, if it is not the place.

    Stores to where nothing answers are left out: the write buffer takes them, and their fault comes late.
    """
    buffered = to in (UNMAPPED, UNANSWERED)
    seen = run(assembler, place, mode, place.address if to is None else to)
    wrong = {
        case: (result, wanted)
        for case, result in zip(CASES, seen, strict=True)
        if (case.load or not buffered) and result != (wanted := expected(case, place, faults))
    }
    first = next(iter(wrong.items()), None)
    assert not wrong, f"{len(wrong)} of {len(CASES)} wrong, the first: {first}"


@pytest.mark.parametrize("name", PLACES)
def test_a_block_leaves_nothing_behind(assembler, name: str) -> None:
    check(assembler, PLACES[name])


@pytest.mark.parametrize("mode", [MPU, UNALIGNED, MPU | UNALIGNED])
@pytest.mark.parametrize("name", ["GPIO", "SysTick", "bit-band of SRAM", "SRAM1", "SRAM2", "flash"])
def test_nor_does_it_while_accesses_are_looked_at(assembler, name: str, mode: int) -> None:
    check(assembler, PLACES[name], mode)


@pytest.mark.parametrize(
    ("to", "mode"),
    [
        (UNMAPPED, PLAIN),
        (UNANSWERED, PLAIN),
        (FORBIDDEN, MPU),
        (FORBIDDEN, MPU | UNALIGNED),
        (SRAM1 + 1, UNALIGNED),
        (SRAM1 + 1, MPU | UNALIGNED),
        (0x4800_0015, PLAIN),
    ],
)
def test_a_fault_comes_once_at_its_own_instruction(assembler, to: int, mode: int) -> None:
    check(assembler, PLACES["SRAM1"], mode, faults=1, to=to)


@pytest.mark.parametrize("name", ["SRAM1", "GPIO", "timer"])
@pytest.mark.parametrize("mode", [WATCH, WATCH | MPU, WATCH | UNALIGNED])
def test_a_watchpoint_matches_once(assembler, name: str, mode: int) -> None:
    check(assembler, PLACES[name], mode, faults=1)
