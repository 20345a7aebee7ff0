// SPDX-License-Identifier: Apache-2.0
// The inner loop of FULLY_CONNECTED for a core with the DSP extension; fully_connected.c has the same in C for others.
//
// void add_products(const int8_t *weights, uint32_t stride, const pair_t *input, uint32_t groups,
//                   int32_t *sums, uint32_t row_count)
//
// In assembly because C compilers spill registers here: four rows share each pair of inputs, and that takes fourteen.
// Loads that follow one another take one cycle each, so a step's 22 instructions for 16 products take 24 cycles.
#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP
    .syntax unified
    .thumb

    row0 .req r0
    row1 .req r1
    row2 .req r2
    row3 .req r3
    inputs .req r4
    sum0 .req r5
    sum1 .req r6
    sum2 .req r7
    sum3 .req r8
    even .req r9 // inputs 0 and 2 of four
    odd .req r10 // inputs 1 and 3
    four_a .req r11
    four_b .req r12
    pair .req lr

    // On the stack.
    .equ BY_32_END, 0
    .equ END, 4
    .equ REST, 8 // bytes of a row that are not in groups of four
    .equ STRIDE, 12
    .equ INPUT, 16
    .equ LOCALS, 24
    .equ SUMS, LOCALS + 36 // arguments, above nine registers
    .equ ROW_COUNT, LOCALS + 40

    // Two rows, whose four weights each are in four_a and four_b.
    .macro add_two_rows sum_a, sum_b
    sxtb16 pair, four_a
    sxtb16 four_a, four_a, ror #8
    smlad \sum_a, pair, even, \sum_a
    sxtb16 pair, four_b
    smlad \sum_a, four_a, odd, \sum_a
    sxtb16 four_b, four_b, ror #8
    smlad \sum_b, pair, even, \sum_b
    smlad \sum_b, four_b, odd, \sum_b
    .endm

    .macro step offset
    ldr even, [inputs, #2 * \offset]
    ldr odd, [inputs, #2 * \offset + 4]
    ldr four_a, [row0, #\offset]
    ldr four_b, [row1, #\offset]
    add_two_rows sum0, sum1
    ldr four_a, [row2, #\offset]
    ldr four_b, [row3, #\offset]
    add_two_rows sum2, sum3
    .endm

    // The first four of `bytes`, which the pointers then leave behind: a load that moves its base takes no longer.
    .macro step_past bytes
    ldr odd, [inputs, #4]
    ldr even, [inputs], #2 * \bytes
    ldr four_a, [row0], #\bytes
    ldr four_b, [row1], #\bytes
    add_two_rows sum0, sum1
    ldr four_a, [row2], #\bytes
    ldr four_b, [row3], #\bytes
    add_two_rows sum2, sum3
    .endm

    .section .text.add_products, "ax", %progbits
    .balign 8
    .global add_products
    .type add_products, %function
    .thumb_func
add_products:
    push {r4-r11, lr}
    sub sp, sp, #LOCALS
    bic r4, r3, #7
    add r4, r2, r4, lsl #3
    add r5, r2, r3, lsl #3
    sub r6, r1, r3, lsl #2
    strd r4, r5, [sp, #BY_32_END]
    strd r6, r1, [sp, #REST]
    str r2, [sp, #INPUT]

next_rows:
    ldr r4, [sp, #ROW_COUNT]
    subs r4, r4, #4
    blt return
    str r4, [sp, #ROW_COUNT]
    ldr row1, [sp, #STRIDE]
    ldr inputs, [sp, #INPUT]
    ldr pair, [sp, #SUMS]
    ldr four_a, [sp, #BY_32_END]
    add row2, row0, row1, lsl #1
    add row3, row2, row1
    add row1, row0, row1
    ldm pair, {sum0, sum1, sum2, sum3}
    cmp inputs, four_a
    beq last_groups

    .balign 4
by_32:
    .irp offset, 4, 8, 12, 16, 20, 24, 28
    step \offset
    .endr
    step_past 32
    ldr pair, [sp, #BY_32_END]
    cmp inputs, pair
    bne by_32

last_groups:
    ldr pair, [sp, #END]
    cmp inputs, pair
    beq store_sums
    .balign 4
by_4:
    step_past 4
    ldr pair, [sp, #END]
    cmp inputs, pair
    bne by_4

store_sums:
    ldr pair, [sp, #SUMS]
    ldr four_a, [sp, #REST]
    stm pair!, {sum0, sum1, sum2, sum3}
    add row0, row3, four_a
    str pair, [sp, #SUMS]
    b next_rows

return:
    add sp, sp, #LOCALS
    pop {r4-r11, pc}
    .size add_products, . - add_products
#endif
