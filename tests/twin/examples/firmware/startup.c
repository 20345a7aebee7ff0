/* SPDX-License-Identifier: Apache-2.0 */
/* From reset to the example, and the handlers that the examples use. */
#include "example.h"

extern uint32_t stack_top[], data_start[], data_end[], data_load[], bss_start[], bss_end[];
volatile uint32_t ticks;

_Noreturn void Reset_Handler(void);
void Tick_Handler(void);
void Wakeup_Handler(void);
static void Fault_Handler(void);
__attribute__((weak)) void I2C2_EV_Handler(void);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
__attribute__((section(".vectors"), used)) static void (*const vectors[16 + IRQ_COUNT])(void) = {
    [0] = (void (*)(void))(uintptr_t)stack_top,
    [1] = Reset_Handler,
    [2] = Fault_Handler,
    [3] = Fault_Handler,
    [15] = Tick_Handler,
    [16 + IRQ_RTC_WKUP] = Wakeup_Handler,
    [16 + IRQ_I2C2_EV] = I2C2_EV_Handler,
};
#pragma GCC diagnostic pop

_Noreturn void Reset_Handler(void)
{
    const uint32_t *from = data_load;
    for (volatile uint32_t *to = data_start; to != data_end; to++) {
        *to = *from++;
    }
    for (volatile uint32_t *to = bss_start; to != bss_end; to++) {
        *to = 0;
    }
    (void)example();
    for (;;) {
    }
}

static void Fault_Handler(void)
{
    RESULT[STEP] = 0xDEADu;
    for (;;) {
    }
}

void Tick_Handler(void)
{
    ticks++;
}

void Wakeup_Handler(void)
{
    RTC->ISR = ~(RTC_ISR_WUTF | RTC_ISR_INIT);
    EXTI->PR1 = EXTI_LINE_RTC_WAKEUP;
    (void)EXTI->PR1;
}

void tick_start(uint32_t hclk_hz)
{
    ticks = 0;
    SYSTICK->LOAD = hclk_hz / 1000u - 1u;
    SYSTICK->VAL = 0;
    SYSTICK->CTRL = SYSTICK_CTRL_HCLK | SYSTICK_CTRL_TICKINT | SYSTICK_CTRL_ENABLE;
}

void tick_stop(void)
{
    SYSTICK->CTRL = 0;
}

void delay_ms(uint32_t ms)
{
    uint32_t start = ticks;
    while (ticks - start < ms) {
    }
}
