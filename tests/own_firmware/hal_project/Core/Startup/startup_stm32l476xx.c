/* SPDX-License-Identifier: Apache-2.0 */
#include "main.h"

extern uint32_t _estack[], _sdata[], _edata[], _sidata[], _sbss[], _ebss[];
void Reset_Handler(void);
void HardFault_Handler(void);
void RTC_WKUP_IRQHandler(void);
int main(void);

__attribute__((section(".isr_vector"), used)) static void (*const vectors[16 + 4])(void) = {
    (void (*)(void))(uintptr_t)_estack,
    Reset_Handler,
    [3] = HardFault_Handler,
    [16 + 3] = RTC_WKUP_IRQHandler,
};

void Reset_Handler(void)
{
    SCB_CPACR |= 15u << 20; /* the compiler may move data through floating-point registers */
    __asm volatile("dsb\n\tisb" ::: "memory");
    const uint32_t *from = _sidata;
    for (volatile uint32_t *to = _sdata; to != _edata; to++) {
        *to = *from++;
    }
    for (volatile uint32_t *to = _sbss; to != _ebss; to++) {
        *to = 0;
    }
    (void)main();
    for (;;) {
    }
}
