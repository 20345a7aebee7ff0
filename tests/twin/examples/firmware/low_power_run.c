/* SPDX-License-Identifier: Apache-2.0 */
/* Low-power run at 2 MHz, then low-power sleep with the flash off, and back to run. */
#include "example.h"

static void until(volatile uint32_t *reg, uint32_t mask, uint32_t value)
{
    while ((*reg & mask) != value) {
    }
}

int example(void)
{
    pins_to_analog();
    rtc_wakeup(40);
    for (;;) {
        MODIFY_REG(RCC->CR, 0xF8u, (5u << 4) | (1u << 3));
        until(&RCC->CR, 2u, 2u);
        SET_BIT(PWR->CR1, PWR_CR1_LPR);
        until(&PWR->SR2, PWR_SR2_REGLPF, PWR_SR2_REGLPF);
        RESULT[STEP] = 1;
        tick_start(2000000u);
        delay_ms(10);
        tick_stop();
        RESULT[STEP] = 2;
        SET_BIT(FLASH->ACR, 1u << 14);
        wait_for_interrupt();
        CLEAR_BIT(PWR->CR1, PWR_CR1_LPR);
        until(&PWR->SR2, PWR_SR2_REGLPF, 0u);
        MODIFY_REG(RCC->CR, 0xF0u, 6u << 4);
        until(&RCC->CR, 2u, 2u);
        RESULT[STEP] = 3;
        tick_start(4000000u);
        delay_ms(5);
        tick_stop();
        RESULT[COUNT]++;
    }
}
