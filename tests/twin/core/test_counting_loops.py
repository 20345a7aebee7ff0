# SPDX-License-Identifier: Apache-2.0
"""Random loops that count or wait for a counter: skipped rounds leave what executed ones leave.

Registers, memory, cycles and time are compared at the end, with interrupts and a pin's edge in between.
"""

from __future__ import annotations

import random

import pytest

from tests.twin.core.loop_frame import (
    DRAWN_ABOUT,
    drawn,
    every_round_executed,
    outcome,
    skips_counted,
    supplied_part,
)

SEEDS = range(36)
CLOCKS = {1: (4, 0), 2: (5, 0), 4: (6, 0), 8: (7, 0), 24: (9, 1), 48: (11, 2)}
"""By MHz: the MSI's range and the flash's wait states."""
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
start:
 put 0x40022000, ACR
 put 0x40021000, MSI
 put 0x4002104c, 7            // RCC: GPIO
 put 0x40021058, 0x10000001   // TIM2, PWR
 put 0x48000800, 0xf3ffffff   // PC13: input
 put 0x40007000, 0x100        // DBP
 put 0x40021094, 1            // LSI
lsi: imm r0, 0x40021094
 ldr r1, [r0]
 lsls r1, r1, #30
 bpl lsi
 put 0x40021090, 0x8200       // RTC on LSI
 put 0x40002824, 0xca
 put 0x40002824, 0x53
 put 0x40002808, BYPSHAD
 put 0x40000028, PSC          // TIM2
 put 0x4000002c, 0xffffffff
 put 0x40000014, 1
 put 0x40000000, CR1
 put 0xe000edfc, 0x01000000   // TRCENA
 put 0xe0001000, 1
 put 0xe000e014, RELOAD       // SysTick
 put 0xe000e018, 0
 put 0xe000e010, CONTROL
 imm r8, 0x20003000           // where interrupts are counted
 imm r9, COUNTER
 imm r10, 0x48000800          // GPIOC
 imm r11, LIMIT
 movs r4, #0
 movs r5, #0
 movs r6, #0
 movs r7, #0
 str r4, [r8]
 str r4, [r8, #4]
 strb r4, [r8, #8]
 ldr r3, [r9]
 ldr r5, [r9]
 .rept PADDING
 nop
 .endr
loop:
 LOOP
 .rept NOPS
 nop
 .endr
 b loop
done:
 imm r0, 0xe0001004
 ldr r12, [r0]
stop: wfi
 b stop
systick:
 ldr r0, [r8]
 adds r0, #1
 str r0, [r8]
 bx lr
elapsed: push {r4, lr}
 ldr r4, [r9]
 SUBTRACT r0, r4, r3
 pop {r4, pc}
"""
WAITS = {
    "difference": "ldr r0, [r9]\n SUBTRACT r0, r0, r3\n cmp r0, r11\n bhs done",
    "signed difference": "ldr r0, [r9]\n SUBTRACT r1, r0, r3\n cmp r1, r11\n bge done",
    "masked": "ldr r0, [r9]\n SUBTRACT r0, r0, r3\n imm r2, 0xfffe00\n and r0, r2\n cmp r0, r11\n bhi done",
    "in a function": "bl elapsed\n cmp r0, r11\n bhs done",
    "counted rounds": "adds r4, #1\n ldr r0, [r9]\n SUBTRACT r0, r0, r3\n cmp r0, r11\n bhs done",
    "on the stack": "push {r4}\n ldr r0, [r9]\n SUBTRACT r0, r0, r3\n str r0, [r8, #4]\n pop {r4}\n"
    " ldr r0, [r8, #4]\n cmp r0, r11\n bhs done",
    "the last value kept": "mov r6, r7\n mov r7, r5\n ldr r5, [r9]\n SUBTRACT r0, r5, r3\n cmp r0, r11\n"
    " bhs done",
    "time-out": "ldr r0, [r10, #0x10]\n lsls r0, r0, #18\n bmi done\n adds r4, #3\n cmp r4, r11\n bhs done",
    "time-out in memory": "ldr r0, [r8, #4]\n subs r0, #1\n str r0, [r8, #4]\n add r0, r11\n cmp r0, #0\n"
    " ble done\n ldr r0, [r10, #0x10]\n tst r0, #0x2000\n bne done",
    "a byte that runs over": "ldrb r0, [r8, #8]\n adds r0, #1\n strb r0, [r8, #8]\n ldr r0, [r9]\n"
    " SUBTRACT r0, r0, r3\n cmp r0, r11\n bhs done",
    "sum of differences": "ldr r0, [r9]\n cmp r0, r5\n beq loop\n SUBTRACT r1, r0, r5\n mov r5, r0\n"
    " add r4, r1\n cmp r4, r11\n bhs done",
    "conditional": "adds r4, #1\n cmp r4, #100\n it hs\n addhs r6, #1\n ldr r0, [r9]\n"
    " SUBTRACT r0, r0, r3\n cmp r0, r11\n bhs done",
    "a bit": "ldr r0, [r9]\n SUBTRACT r0, r0, r3\n ubfx r1, r0, #13, #3\n cmp r1, #5\n beq done\n"
    " lsrs r2, r0, #17\n bcs done",
}
UP, DOWN = "sub", "rsb"
COUNTERS = {
    "CYCCNT": (0xE000_1004, UP),
    "SysTick": (0xE000_E018, DOWN),
    "TIM2": (0x4000_0024, UP),
    "TIM2 down": (0x4000_0024, DOWN),
    "RTC": (0x4000_2828, DOWN),
}


def source(draw: random.Random) -> tuple[str, str]:
    """A random program, and its name."""
    mhz = draw.choice(list(CLOCKS))
    msi, wait_states = CLOCKS[mhz]
    wait, counter = draw.choice(list(WAITS)), draw.choice(list(COUNTERS))
    address, subtract = COUNTERS[counter]
    interrupts = counter != "SysTick" and draw.random() < 0.5
    reload = draw.randrange(2000, 60_000) if interrupts else draw.choice((0xFF_FFFF, 49_999))
    limit = draw.randrange(1, 60) if counter == "RTC" else draw.randrange(100, 30_000)
    down = counter == "TIM2 down"
    values = {
        "LOOP": WAITS[wait],
        "SUBTRACT": subtract,
        "ACR": draw.choice((0, 0x100, 0x200, 0x600, 0x700)) | wait_states,
        "MSI": msi << 4 | 9,
        "BYPSHAD": 0x20,
        "PSC": draw.choice((0, 0, 1, 7, draw.randrange(200))) if not down else 3,
        "CR1": 0x11 if down else 1,
        "RELOAD": reload,
        "CONTROL": 7 if interrupts else 5,
        "COUNTER": address,
        "LIMIT": limit,
        "PADDING": draw.randrange(8),
        "NOPS": draw.randrange(6),
    }
    text = HEAD
    for name, value in values.items():
        text = text.replace(name, str(value))
    return text, f"{wait}, {counter} at {mhz} MHz"


@pytest.mark.parametrize("seed", SEEDS)
def test_skipped_rounds_leave_what_executed_ones_leave(assembler, seed: int) -> None:
    draw = random.Random(seed)
    text, name = source(draw)
    pin_ps = draw.randrange(4_000_000_000, 9_000_000_000)
    end_ps = pin_ps + 3_000_000_000
    print(f"seed {seed}: {name}")
    with skips_counted() as skipped:
        part, _ = supplied_part(assembler, text)
        seen = outcome(part, pin_ps, end_ps)
    with every_round_executed():
        patient, _ = supplied_part(assembler, text)
        executed = outcome(patient, pin_ps, end_ps)
    print(f"{sum(skipped)} of {seen[0]} cycles skipped")
    assert seen == executed
    assert drawn(part) == pytest.approx(drawn(patient), abs=DRAWN_ABOUT)
