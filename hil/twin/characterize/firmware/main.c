/* SPDX-License-Identifier: Apache-2.0 */
/* Brings the part into the state of one line of the datasheet: runs the register accesses that the bench leaves in
 * RAM, then spins or sleeps. After a sleep it raises and lowers PA8 with two adjacent stores, so that a counter can
 * time the wake-up and what the store itself takes. */
#include <stdint.h>

#define MARK_READY 0x59444552u
#define MARK_GO 0x4F474F47u
#define STEPS_MAX 64u

enum { STEP_MODIFY, STEP_WAIT };
enum { THEN_LISTEN, THEN_SPIN, THEN_SPIN_SRAM, THEN_SLEEP, THEN_SLEEP_SRAM };

typedef struct {
    uint32_t kind, address, mask, value;
} step_t;

typedef struct {
    uint32_t state, then, count;
    step_t steps[STEPS_MAX];
} mailbox_t;

/* First in SRAM1, where the bench looks for it. */
__attribute__((section(".mailbox"))) static volatile mailbox_t mailbox;

extern uint32_t stack_top[], data_start[], data_end[];
extern const uint32_t data_load[];

/* GPIOA clock on, PA8 output, PA0 input, then PA8 to the level that `bsrr` sets. Twice the same instructions: how long
 * the second takes is how long the first took from the first instruction after a reset to its edge. RCC_AHB2ENR
 * 0x4002104C; GPIOA 0x48000000 with MODER at 0, BSRR at 0x18 (RM0351). */
#define MARK_FROM_RESET(bsrr)                                                                                          \
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
__attribute__((naked, noinline)) static void spin_in_flash(void) { __asm volatile(SPIN); }
__attribute__((naked, noinline, section(".sramcode"))) static void sleep_in_sram(void)
{
    __asm volatile(SLEEP_AND_MARK);
}
__attribute__((naked, noinline, section(".sramcode"))) static void spin_in_sram(void) { __asm volatile(SPIN); }

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
        void (*volatile then)(void) = 0; /* volatile: a branch to SRAM is beyond a direct call's reach */
        switch (mailbox.then) {
        case THEN_SPIN:
            then = spin_in_flash;
            break;
        case THEN_SPIN_SRAM:
            then = spin_in_sram;
            break;
        case THEN_SLEEP:
            then = sleep_in_flash;
            break;
        case THEN_SLEEP_SRAM:
            then = sleep_in_sram;
            break;
        default:
            continue;
        }
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
