# SPDX-License-Identifier: Apache-2.0
"""Instruction sequences with the cycles Arm publishes for the Cortex-M4, beside those the virtual core takes.

Sources, all at zero wait states:
SET  Cortex-M4 TRM, DDI 0439, 3.3.1 "Cortex-M4 instructions" (P, the refill, is 1 to 3; N counts registers)
PAIR Cortex-M4 TRM, DDI 0439, 3.3.2 "Load/store timings"; the same text is in TI SWCU185, "Cortex-M4F", 2.7
FPU  Cortex-M4 TRM, DDI 0439, 7.2.3 "FPU instruction set"
PIPE jnk0le, "cortex m3 and m4" (github.com/jnk0le/random), "loads" and "stores": measured on an STM32F407
ROWS compendium.i-0.nl, "Alignment rules": measured
"""

from __future__ import annotations

from hil.twin.core.instruction_timing import analyse

SET, PAIR, FPU = "DDI 0439 3.3.1", "DDI 0439 3.3.2", "DDI 0439 7.2.3"
PIPE, ROWS = "jnk0le, cortex m3 and m4", "compendium.i-0.nl, Alignment rules"

PUBLISHED: tuple[tuple[str, int, int, str], ...] = (
    # code, fewest and most cycles published, source
    ("nop", 1, 1, SET),
    ("add r0, r0, r2", 1, 1, SET),
    ("add.w r0, r2, r2, lsl #3", 1, 1, SET),
    ("mul r0, r2, r2", 1, 1, SET),
    ("mla r0, r2, r2, r2", 1, 1, SET),
    ("smull r0, r4, r2, r2", 1, 1, SET),
    ("umlal r0, r4, r2, r2", 1, 1, SET),
    ("smlad r0, r2, r2, r2", 1, 1, SET),
    ("ssat r0, #8, r2", 1, 1, SET),
    ("qadd r0, r2, r2", 1, 1, SET),
    ("clz r0, r2", 1, 1, SET),
    ("bfi r0, r2, #3, #5", 1, 1, SET),
    ("rev r0, r2", 1, 1, SET),
    ("movw r0, #0x1234\n movt r0, #0x5678", 2, 2, SET),
    ("udiv r0, r2, r2", 2, 12, SET),
    ("sdiv r0, r2, r2", 2, 12, SET),
    ("ldr r0, [r1]", 2, 2, SET),
    ("ldrb r0, [r1, #1]", 2, 2, SET),
    ("ldrsh r0, [r1, #2]", 2, 2, SET),
    ("ldm r1, {r0, r4, r5, r6}", 5, 5, SET),
    ("stm r1, {r0, r4, r5, r6}", 5, 5, SET),
    ("push {r0, r4, r5}\n pop {r0, r4, r5}", 8, 8, SET),
    ("ldrd r0, r4, [r1]", 3, 3, SET),
    ("strd r0, r4, [r1]", 3, 3, SET),
    ("ldrex r0, [r1]", 2, 2, SET),
    ("mrs r0, primask", 1, 2, SET),
    ("b 7f\n nop\n7:", 2, 4, SET),
    ("bl 7f\n nop\n7:", 2, 4, SET),
    ("adr r0, 7f\n orr r0, #1\n bx r0\n nop\n.balign 4\n7:", 4, 6, SET),
    ("cmp r2, r2\n bne 7f\n7:", 2, 2, SET),
    ("cmp r2, r2\n beq 7f\n nop\n7:", 3, 5, SET),
    ("cbnz r2, 7f\n nop\n7:", 2, 4, SET),
    ("cmp r2, r2\n it eq\n addeq r0, r2", 2, 3, SET),
    ("str r0, [r1, #4]", 1, 1, PAIR),
    ("str r0, [r1, #4]\n str r0, [r1, #8]", 2, 3, PAIR),
    ("ldr r0, [r1]\n ldr r4, [r3]", 3, 3, PAIR),
    ("ldr r0, [r1, r2]\n str r0, [r3, #20]", 3, 3, PAIR),
    ("ldr r0, [r1, r2]\n str r4, [r3, r2]", 3, 3, PAIR),
    ("ldr r0, [r1, r2]\n ldr r4, [r3]\n ldr r5, [r3, #4]", 4, 4, PAIR),
    ("str r1, [r1]\n ldr r0, [r1]\n ldr r0, [r0]", 5, 6, PAIR),
    ("add r4, r1, r2\n ldr r0, [r4]", 4, 4, PAIR),
    ("adr r0, 7f\n orr r0, #1\n str r0, [r1]\n ldr pc, [r1]\n nop\n .balign 4\n7:", 8, 9, PAIR),
    ("movs r0, #0\n tbb [pc, r0]\n .byte 1, 1", 7, 8, PAIR),
    ("str r0, [r1, #4]\n ldr r4, [r3]", 4, 4, PIPE),
    ("str r0, [r1, #4]\n nop\n ldr r4, [r3]", 4, 4, PIPE),
    ("str r0, [r1, #4]\n ldm r1, {r0, r4}", 5, 5, PIPE),
    ("str r0, [r1, #4]\n stm r1, {r0, r4}", 4, 4, PIPE),
    ("mov r4, r1\n nop\n str r0, [r4], #4\n str r0, [r4], #4", 5, 5, PIPE),
    ("mov r4, r1\n mov r5, r3\n nop\n str r0, [r4], #4\n str r0, [r5], #4", 5, 5, PIPE),
    ("mov r4, r1\n nop\n ldr r0, [r4], #4\n ldr r5, [r4], #4", 6, 6, PIPE),
    ("mov r4, r1\n mov r6, r3\n nop\n ldr r0, [r4], #4\n ldr r5, [r6], #4", 6, 6, PIPE),
    ("add.w r4, r0, r2\n add.w r4, r0, r2\n add.w r4, r0, r2", 3, 3, ROWS),
    ("nop\n add.w r4, r0, r2\n add.w r4, r0, r2\n nop", 4, 4, ROWS),
    ("nop\n add.w r4, r0, r2\n add.w r4, r0, r2\n add.w r4, r0, r2\n nop", 6, 6, ROWS),
    ("nop\n str.w r0, [r1]\n str.w r0, [r1]\n str.w r0, [r1]\n nop", 5, 5, ROWS),
    ("nop\n str.w r0, [r1]\n str.w r0, [r1]\n str.w r0, [r1]\n str.w r0, [r1]\n nop", 7, 7, ROWS),
    ("vmul.f32 s0, s1, s2\n vadd.f32 s3, s0, s2", 3, 3, FPU),
    ("vadd.f32 s0, s1, s2", 1, 1, FPU),
    ("vmul.f32 s0, s1, s2", 1, 1, FPU),
    ("vabs.f32 s0, s1", 1, 1, FPU),
    ("vcmp.f32 s0, s1", 1, 1, FPU),
    ("vcvt.s32.f32 s0, s1", 1, 1, FPU),
    ("vmov s0, r0", 1, 1, FPU),
    ("vmov s0, s1, r0, r4", 2, 2, FPU),
    ("vmla.f32 s0, s1, s2", 3, 3, FPU),
    ("vfma.f32 s0, s1, s2", 3, 3, FPU),
    ("vdiv.f32 s0, s1, s2", 14, 14, FPU),
    ("vsqrt.f32 s0, s1", 14, 14, FPU),
    ("vldr s0, [r1]", 2, 2, FPU),
    ("vldr d0, [r1]", 3, 3, FPU),
    ("vstr s0, [r1]", 2, 2, FPU),
    ("vstr d0, [r1]", 3, 3, FPU),
    ("vpush {s0-s3}\n vpop {s0-s3}", 10, 10, FPU),
)


def test_sequences_take_the_published_cycles(machine):
    program = """
start:
 ldr r7, =0x40000000
 ldr r1, =0xE000ED88
 ldr r0, =0x00F00000
 str r0, [r1]
 dsb
 isb
 ldr r1, =0x20000100
 ldr r3, =0x20000200
 movs r2, #16
 b 1f
 .ltorg
1:
"""
    for code, _, _, _ in PUBLISHED:
        program += f" str.w r2, [r7]\n mov.w r8, r8\n {code}\n str r2, [r7]\n .balign 4\n"
    m = machine(program + " b .\n")
    m.run_cycles(4000)
    times = [time_ps // 250_000 for time_ps, _, _ in m.recorder.stores]
    assert len(times) == 2 * len(PUBLISHED)
    table = []
    for (code, fewest, most, source), first, last in zip(PUBLISHED, times[::2], times[1::2], strict=True):
        cycles = last - first - 2  # the first store's own, and what keeps a load from following it
        if not fewest <= cycles <= most:
            table.append(f"{code!r}: {cycles} cycles, published {fewest} to {most} ({source})")
    assert not table, "\n".join(table)


BY_ADDRESS: tuple[tuple[str, str, int, str], ...] = (
    # code, the like of it with addresses that cost nothing, cycles more, source
    ("ldr r0, [r1, #2]", "ldr.w r0, [r1, #4]", 1, PAIR),
    ("ldr r0, [r1, #1]", "ldr.w r0, [r1, #4]", 2, PAIR),
    ("ldr r0, [r1, #3]", "ldr.w r0, [r1, #4]", 2, PAIR),
    ("ldrh r0, [r1, #1]", "ldrh.w r0, [r1, #2]", 1, PAIR),
    ("ldrh r0, [r1, #2]", "ldrh r0, [r1, #4]", 0, PAIR),
    ("ldrb r0, [r1, #1]", "ldrb r0, [r1, #4]", 0, PAIR),
    ("ldr r0, [r1]\n ldr r4, [r5]", "ldr r0, [r1]\n ldr r4, [r3]", 1, PIPE),
    ("ldr r0, [r1]\n ldr r4, [r6]", "ldr r0, [r1]\n ldr r4, [r3]", 1, PIPE),
    ("ldr r0, [r5]\n ldr r4, [r5]", "ldr r0, [r1]\n ldr r4, [r3]", 0, PIPE),
)


def test_what_a_load_takes_follows_its_address(machine):
    program = """
start:
 ldr r7, =0x40000000
 ldr r1, =0x20000100
 ldr r3, =0x20000200
 ldr r5, =0x10000100
 ldr r6, =0x08000000
 movs r2, #16
 b 1f
 .ltorg
1:
"""
    for code, like, _, _ in BY_ADDRESS:
        for each in (code, like):  # in a block of its own: the stores on both sides are in others
            program += f" .balign 4\n str r2, [r7]\n b 2f\n .balign 4\n2: {each}\n b 3f\n .balign 4\n3:"
            program += " str r2, [r7]\n"
    m = machine(program + " b .\n")
    m.run_cycles(4000)
    times = [time_ps // 250_000 for time_ps, _, _ in m.recorder.stores]
    spans = [last - first for first, last in zip(times[::2], times[1::2], strict=True)]
    assert len(spans) == 2 * len(BY_ADDRESS)
    found = [span - like for span, like in zip(spans[::2], spans[1::2], strict=True)]
    assert found == [more for _, _, more, _ in BY_ADDRESS]


def test_code_in_sram1_shares_the_system_bus_with_its_data():
    loads = bytes.fromhex("0868 4868 8868 c868")  # four LDR in a row: two words of code, four of data
    assert analyse(loads, 0x0800_0000).cycles == analyse(loads, 0x1000_0000).cycles == 5
    assert analyse(loads, 0x2000_0000).cycles == 6
    idle = bytes.fromhex("00bf") * 8
    assert analyse(idle, 0x2000_0000).cycles == analyse(idle, 0x1000_0000).cycles == 8
