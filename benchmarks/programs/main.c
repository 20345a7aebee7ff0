/* SPDX-License-Identifier: Apache-2.0 */
/* Runs one program at 80 MHz, as the firmware does, then sleeps for good. `program` alone is what both emulators run. */
#include <stdint.h>

#include "clock.h"
#include "cortex_m4.h"
#include "program.h"

extern uint32_t stack_top[];
extern const uint32_t data_load[];
extern uint32_t data_start[], data_end[], bss_start[], bss_end[];

_Noreturn void Reset_Handler(void)
{
    SCB_CPACR |= SCB_CPACR_FPU_FULL_ACCESS;
    data_barrier();
    const uint32_t *from = data_load;
    for (uint32_t *to = data_start; to < data_end; to++) {
        *to = *from++;
    }
    for (uint32_t *to = bss_start; to < bss_end; to++) {
        *to = 0;
    }
    clock_init();
    clock_enter_plan(0);
    program_result = program();
    for (;;) {
        wait_for_interrupt();
    }
}

volatile uint32_t program_result;

/* The link script counts the firmware's arena apart from its budget of RAM. */
__asm(".global network_arena_bytes\n\t.set network_arena_bytes, 0");
/* No budget but the part's memories: the programs are no firmware. */
__asm(".global flash_budget\n\t.set flash_budget, 0x100000\n\t.global ram_budget\n\t.set ram_budget, 0x18000");

typedef void (*vector_t)(void);

__attribute__((weak)) void SysTick_Handler(void)
{
}

__attribute__((section(".vectors"), used)) static const vector_t vectors[16] = {
    [0] = (vector_t)(uintptr_t)stack_top,
    [1] = Reset_Handler,
    [15] = SysTick_Handler,
};
