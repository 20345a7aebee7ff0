/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the network on vectors that a test puts into RAM, and counts the cycles of the last inference. */
#include "cortex_m4.h"
#include "network.h"

#define FLASH_ACR (*(volatile uint32_t *)0x40022000u) /* RM0351, FLASH register map */
#define EXCHANGE_BYTES 40960u

extern const uint8_t hil_model[];
extern const uint8_t hil_model_end[];
extern uint32_t stack_top[], bss_start[], bss_end[];

typedef struct {
    uint32_t flash_acr; /* the flash's wait states and caches for this run */
    uint32_t count;     /* of vectors; written last, 0 when they are done */
    uint32_t error;
    uint32_t cycles;
    int8_t input[EXCHANGE_BYTES / 2u]; /* one vector after the other */
    int8_t output[EXCHANGE_BYTES / 2u];
} exchange_t;

__attribute__((section(".noinit"), used)) volatile exchange_t exchange;

static network_t network;

static void run(void)
{
    FLASH_ACR = exchange.flash_acr;
    uint32_t count = exchange.count;
    for (uint32_t i = 0; i < count; i++) {
        const int8_t *input = (const int8_t *)&exchange.input[i * network.input_size];
        int8_t *output = (int8_t *)&exchange.output[i * network.output_size];
        uint32_t start = DWT->CYCCNT;
        network_invoke(&network, input, output);
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
    exchange.error = network_load(&network, hil_model, (uint32_t)(hil_model_end - hil_model));
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
