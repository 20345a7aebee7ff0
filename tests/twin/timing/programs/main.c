/* SPDX-License-Identifier: Apache-2.0 */
/* Runs `program` once in the clock and flash setting that the image asks for, and notes the cycles of the call. */
#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define RCC_CR REGISTER(0x40021000u)
#define RCC_CFGR REGISTER(0x40021008u)
#define RCC_PLLCFGR REGISTER(0x4002100Cu)
#define FLASH_ACR REGISTER(0x40022000u)
#define CPACR REGISTER(0xE000ED88u)
#define DEMCR REGISTER(0xE000EDFCu)
#define DWT_CTRL REGISTER(0xE0001000u)

uint32_t program(void);

/* The test writes these two words into the image: FLASH_ACR, and whether to run from the PLL at 80 MHz. */
__attribute__((section(".setting"), used)) const volatile uint32_t setting[2] = {0x600u, 0u};

volatile uint32_t program_result, program_cycles;

extern uint32_t stack_top[];
extern const uint32_t data_load[];
extern uint32_t data_start[], data_end[], bss_start[], bss_end[];

/* The two reads of CYCCNT are as far apart as the first of them and the call take. */
__attribute__((naked, noinline)) static uint32_t cycles_of_call(void)
{
    __asm volatile("push {r4, r5, r6, lr}\n"
                   "movw r4, #0x1004\n"
                   "movt r4, #0xE000\n"
                   "nop\n"
                   ".global measured_from\n"
                   "measured_from:\n"
                   "ldr r5, [r4]\n"
                   "bl program\n"
                   ".global measured_to\n"
                   "measured_to:\n"
                   "ldr r1, [r4]\n"
                   "movw r2, #:lower16:program_result\n"
                   "movt r2, #:upper16:program_result\n"
                   "str r0, [r2]\n"
                   "subs r0, r1, r5\n"
                   "pop {r4, r5, r6, pc}\n");
}

static void clocks_start(void)
{
    uint32_t acr = setting[0];
    FLASH_ACR = 4u; /* safe for any clock */
    RCC_CR |= 1u << 8; /* HSION */
    while (!(RCC_CR & 1u << 10)) {
    }
    if (setting[1] != 0u) {
        RCC_PLLCFGR = 2u | 10u << 8 | 1u << 24; /* HSI16 x 10 / 2 */
        RCC_CR |= 1u << 24;
        while (!(RCC_CR & 1u << 25)) {
        }
    }
    uint32_t source = setting[1] != 0u ? 3u : 1u;
    RCC_CFGR = source;
    while ((RCC_CFGR >> 2 & 3u) != source) {
    }
    FLASH_ACR = acr;
    while (FLASH_ACR != acr) {
    }
}

void Reset_Handler(void)
{
    CPACR |= 0xF00000u;
    __asm volatile("dsb\nisb");
    const uint32_t *from = data_load;
    for (uint32_t *to = data_start; to < data_end; to++) {
        *to = *from++;
    }
    for (uint32_t *to = bss_start; to < bss_end; to++) {
        *to = 0;
    }
    clocks_start();
    DEMCR |= 1u << 24;
    DWT_CTRL |= 1u;
    program_cycles = cycles_of_call();
    for (;;) {
        __asm volatile("wfi");
    }
}

typedef void (*vector_t)(void);

__attribute__((section(".vectors"), used)) static const vector_t vectors[] = {
    (vector_t)(uintptr_t)stack_top,
    Reset_Handler,
};
