/* SPDX-License-Identifier: Apache-2.0 */
/* From reset to the entry that the test chose. */
#include "traps.h"

extern uint32_t stack_top[];

/* Which entry to run; erased flash until the test fills it in. */
__attribute__((section(".entry"), used)) void (*const volatile entry)(void) = (void (*)(void))0xFFFFFFFF;

_Noreturn void Reset_Handler(void);
static void Ignored_Handler(void);
static void Tick_Handler(void);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winitializer-overrides"
__attribute__((section(".vectors"), used)) static void (*const vectors[16 + IRQ_COUNT])(void) = {
    [0] = (void (*)(void))(uintptr_t)stack_top,
    [1] = Reset_Handler,
    [2 ... 15 + IRQ_COUNT] = Ignored_Handler,
    [15] = Tick_Handler,
};
#pragma GCC diagnostic pop

void Reset_Handler(void)
{
    SCB_CPACR |= SCB_CPACR_FPU_FULL_ACCESS;
    entry();
    for (;;) {
    }
}

static void Ignored_Handler(void)
{
    for (;;) {
    }
}

__attribute__((noinline)) void spin(uint32_t turns)
{
    while (turns-- != 0) {
        __asm volatile("nop");
    }
}

/* What a tick of an RTOS costs, more or less. */
static void Tick_Handler(void)
{
    spin(50);
}
