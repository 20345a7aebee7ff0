/* SPDX-License-Identifier: Apache-2.0 */
#include "program.h"

#include "cortex_m4.h"

#define FLASH_ACR (*(volatile uint32_t *)0x40022000u) /* RM0351, FLASH register map */

extern uint32_t stack_top[], bss_start[], bss_end[];

__attribute__((section(".noinit"), used)) volatile exchange_t exchange;

static void run(void)
{
    FLASH_ACR = exchange.flash_acr;
    uint32_t count = exchange.count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t start = DWT->CYCCNT;
        program_run(i);
        exchange.cycles = DWT->CYCCNT - start;
    }
}

_Noreturn void Reset_Handler(void)
{
    SCB_CPACR |= SCB_CPACR_FPU_FULL_ACCESS;
    data_barrier();
    for (uint32_t *to = bss_start; to < bss_end; to++) {
        *to = 0;
    }
    DCB_DEMCR |= DCB_DEMCR_TRCENA;
    DWT->CTRL |= DWT_CTRL_CYCCNTENA;
    exchange.error = program_load();
    exchange.count = 0;
    for (;;) {
        if (exchange.count != 0u) {
            run();
            exchange.count = 0;
        }
    }
}

typedef void (*vector_t)(void);

__attribute__((section(".vectors"), used)) static const vector_t vectors[] = {
    (vector_t)(uintptr_t)stack_top,
    Reset_Handler,
};
