/* SPDX-License-Identifier: Apache-2.0 */
/* Brings the part into the state of one line of the datasheet: runs the register accesses that the bench leaves in
 * RAM, then spins or sleeps. After a sleep it raises and lowers PA8 with two adjacent stores, so that a counter can
 * time the wake-up and what the store itself takes. */
#include <stdint.h>

#define MARK_READY 0x59444552u
#define MARK_GO 0x4F474F47u
#define STEPS_MAX 64u

enum { STEP_MODIFY, STEP_WAIT };
enum {
    THEN_LISTEN,
    THEN_REDUCED,
    THEN_REDUCED_SRAM,
    THEN_SLEEP,
    THEN_SLEEP_SRAM,
    THEN_WHILE1,
    THEN_WHILE1_SRAM,
    THEN_FIBONACCI,
    THEN_FIBONACCI_SRAM,
    THEN_COREMARK,
    THEN_COREMARK_SRAM,
    THEN_DHRYSTONE,
    THEN_DHRYSTONE_SRAM,
    THEN_COUNT
};

typedef struct {
    uint32_t kind, address, mask, value;
} step_t;

typedef struct {
    uint32_t state, then, count;
    step_t steps[STEPS_MAX];
} mailbox_t;

/* First in SRAM1, where the bench looks for it. */
__attribute__((section(".mailbox"))) static volatile mailbox_t mailbox;

#define SIDE 9u
#define ITEMS 32u

typedef struct item {
    struct item *next;
    uint32_t data;
} item_t;

typedef struct record {
    struct record *next;
    uint32_t kind, number;
    char text[32];
} record_t;

/* The data of the codes below; one of them runs at a time. */
static union {
    uint32_t words[32];
    struct {
        item_t *head, items[ITEMS];
        int16_t a[SIDE * SIDE], b[SIDE * SIDE];
        int32_t c[SIDE * SIDE];
        char text[128];
        volatile uint32_t crc;
    } core;
    struct {
        char first[32], second[32], third[32];
        record_t records[2];
        uint32_t array[50], table[8][8];
        volatile uint32_t flag;
    } dhry;
} scratch;

static void fill_text(char *to, const char *from, uint32_t size)
{
    for (uint32_t i = 0; i + 1 < size; i++) {
        to[i] = from[i % 32];
    }
    to[size - 1] = 0;
}

static void prepare_core(void)
{
    scratch.core.head = scratch.core.items;
    for (uint32_t i = 0; i < ITEMS; i++) {
        scratch.core.items[i].next = i + 1 < ITEMS ? &scratch.core.items[i + 1] : 0;
        scratch.core.items[i].data = i * 0x9E37u;
    }
    for (uint32_t i = 0; i < SIDE * SIDE; i++) {
        scratch.core.a[i] = (int16_t)(i * 77u);
        scratch.core.b[i] = (int16_t)(i * 31u ^ 0x55u);
    }
    fill_text(scratch.core.text, "5012,1234,-874,+122,35.5,.123,x1,", sizeof scratch.core.text);
}

static void prepare_dhry(void)
{
    fill_text(scratch.dhry.first, "CODE IN THE MANNER OF A BENCHMARK", sizeof scratch.dhry.first);
    fill_text(scratch.dhry.third, "CODE IN THE MANNER OF A BENCHMARS", sizeof scratch.dhry.third);
    scratch.dhry.records[0].next = &scratch.dhry.records[1];
    scratch.dhry.records[1].next = &scratch.dhry.records[0];
}

extern uint32_t stack_top[], data_start[], data_end[];
extern const uint32_t data_load[];

/* GPIOA clock on, PA8 output, PA0 input, then PA8 to the level that `bsrr` sets. Twice the same instructions: how long
 * the second takes is how long the first took from the first instruction after a reset to its edge. The NOP keeps the
 * store that ends the first from the load that begins the second: a load right behind a store waits for it. RCC_AHB2ENR
 * 0x4002104C; GPIOA 0x48000000 with MODER at 0, BSRR at 0x18 (RM0351). */
#define MARK_FROM_RESET(bsrr)                                                                                          \
    "nop\n\t"                                                                                                          \
    "ldr r0, =0x4002104C\n\t"                                                                                          \
    "ldr r1, =1\n\t"                                                                                                   \
    "str r1, [r0]\n\t"                                                                                                 \
    "ldr r1, [r0]\n\t"                                                                                                 \
    "ldr r2, =0x48000000\n\t"                                                                                          \
    "ldr r3, =0xABFDFFFC\n\t"                                                                                          \
    "str r3, [r2]\n\t"                                                                                                 \
    "ldr r3, =" bsrr "\n\t"                                                                                            \
    "str r3, [r2, #0x18]\n\t"

/* Asleep with interrupts masked: a pending one ends WFI and the next instruction follows. */
#define SLEEP_AND_MARK                                                                                                 \
    "ldr r0, =0x48000018\n\t"                                                                                          \
    "ldr r1, =0x00000100\n\t"                                                                                          \
    "ldr r2, =0x01000000\n\t"                                                                                          \
    "cpsid i\n\t"                                                                                                      \
    "dsb\n\t"                                                                                                          \
    "wfi\n\t"                                                                                                          \
    "str r1, [r0]\n\t"                                                                                                 \
    "str r2, [r0]\n"                                                                                                   \
    "1: b 1b\n\t"                                                                                                      \
    ".ltorg"

/* The last access, from where the code is to run: RCC_AHB2ENR to zero, the GPIO clocks off. */
#define SPIN                                                                                                           \
    "ldr r0, =0x4002104C\n\t"                                                                                          \
    "ldr r1, =0\n\t"                                                                                                   \
    "str r1, [r0]\n"                                                                                                   \
    "1: b 1b\n\t"                                                                                                      \
    ".ltorg"

__attribute__((naked, noinline)) static void sleep_in_flash(void) { __asm volatile(SLEEP_AND_MARK); }
__attribute__((naked, noinline)) static void while1_in_flash(void) { __asm volatile(SPIN); }
__attribute__((naked, noinline, section(".sramcode"))) static void sleep_in_sram(void)
{
    __asm volatile(SLEEP_AND_MARK);
}
__attribute__((naked, noinline, section(".sramcode"))) static void while1_in_sram(void)
{
    __asm volatile(SPIN);
}

#define GPIO_CLOCKS_OFF (*(volatile uint32_t *)0x4002104Cu = 0) /* as in SPIN */

#define NAME(name) name##_in_flash
#define PLACE
#include "codes.h"
#undef NAME
#undef PLACE
#define NAME(name) name##_in_sram
#define PLACE __attribute__((section(".sramcode")))
#include "codes.h"

/* "Reduced code" from flash: half an instruction a cycle, and few accesses. */
__attribute__((naked, noinline)) static void reduced_mix_in_flash(void)
{
    __asm volatile("ldr r0, =0x4002104C\n\t"
                   "movs r1, #0\n\t"
                   "str r1, [r0]\n\t"
                   "ldr r0, =scratch\n\t"
                   ".balign 8\n"
                   "1: ldr r1, [r0]\n\t"
                   "mrs r2, apsr\n\t"
                   "mrs r2, apsr\n\t"
                   "mrs r2, apsr\n\t"
                   "mrs r2, apsr\n\t"
                   "b 1b\n\t"
                   ".ltorg");
}

static void (*const then_run[THEN_COUNT])(void) = {
    [THEN_REDUCED] = reduced_mix_in_flash, [THEN_REDUCED_SRAM] = reduced_in_sram,
    [THEN_SLEEP] = sleep_in_flash,         [THEN_SLEEP_SRAM] = sleep_in_sram,
    [THEN_WHILE1] = while1_in_flash,       [THEN_WHILE1_SRAM] = while1_in_sram,
    [THEN_FIBONACCI] = fibonacci_in_flash, [THEN_FIBONACCI_SRAM] = fibonacci_in_sram,
    [THEN_COREMARK] = coremark_in_flash,   [THEN_COREMARK_SRAM] = coremark_in_sram,
    [THEN_DHRYSTONE] = dhrystone_in_flash, [THEN_DHRYSTONE_SRAM] = dhrystone_in_sram,
};

static void run_steps(void)
{
    uint32_t count = mailbox.count;
    for (uint32_t i = 0; i < count && i < STEPS_MAX; i++) {
        volatile uint32_t *target = (volatile uint32_t *)(uintptr_t)mailbox.steps[i].address;
        uint32_t mask = mailbox.steps[i].mask;
        uint32_t value = mailbox.steps[i].value;
        if (mailbox.steps[i].kind == STEP_WAIT) {
            while ((*target & mask) != value) {
            }
        } else {
            *target = mask == 0xFFFFFFFFu ? value : (*target & ~mask) | value;
            (void)*target; /* the access is over before the next begins */
        }
    }
}

__attribute__((used)) _Noreturn static void serve(void)
{
    const uint32_t *from = data_load;
    for (uint32_t *to = data_start; to < data_end; to++) {
        *to = *from++;
    }
    for (;;) {
        mailbox.state = MARK_READY;
        while (mailbox.state != MARK_GO) {
        }
        run_steps();
        if (mailbox.then == THEN_LISTEN || mailbox.then >= THEN_COUNT) {
            continue;
        }
        if (mailbox.then >= THEN_DHRYSTONE) {
            prepare_dhry();
        } else if (mailbox.then >= THEN_COREMARK) {
            prepare_core();
        }
        void (*volatile then)(void) = then_run[mailbox.then]; /* volatile: a direct call does not reach SRAM */
        then();
    }
}

__attribute__((naked, used)) void Reset_Handler(void)
{
    __asm volatile(MARK_FROM_RESET("0x00000100") MARK_FROM_RESET("0x01000000") "b serve\n\t"
                                                                               ".ltorg");
}

__attribute__((naked, used)) void Fault_Handler(void) { __asm volatile("1: b 1b"); }

typedef void (*vector_t)(void);
__attribute__((section(".vectors"), used)) static const vector_t vectors[16] = {
    (vector_t)(uintptr_t)stack_top, Reset_Handler, Fault_Handler, Fault_Handler, Fault_Handler, Fault_Handler,
    Fault_Handler,
};
