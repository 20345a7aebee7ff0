/* SPDX-License-Identifier: Apache-2.0 */
/* What the examples share: registers, a tick in milliseconds, and where the test finds results. */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "cortex_m4.h"
#include "stm32l476.h"

#define REG(address) (*(volatile uint32_t *)(address))
#define RESULT ((volatile uint32_t *)0x10000000u)
enum { STEP, COUNT, VALUE, OTHER };

#define SET_BIT(reg, bits) ((reg) |= (bits))
#define CLEAR_BIT(reg, bits) ((reg) &= ~(uint32_t)(bits))
#define MODIFY_REG(reg, mask, value) ((reg) = ((reg) & ~(uint32_t)(mask)) | (value))

#define IRQ_I2C2_EV 33u
#define GPIOC ((gpio_t *)0x48000800u)
#define RCC_AHB2ENR_GPIOCEN (1u << 2)
#define FLASH_LATENCY_4 4u
#define SYSTICK_CTRL_HCLK (1u << 2)
#define PWR_CR1_STANDBY 3u
#define PWR_CR1_SHUTDOWN 4u
#define PWR_SR1_SBF (1u << 8)
#define PWR_CR3_EIWUL (1u << 15)
#define RCC_CSR_LSION 1u
#define RCC_CSR_LSIRDY 2u

typedef enum { OK, ERROR, TIMEOUT } status_t;
extern volatile uint32_t ticks; /* milliseconds since tick_start() */

void tick_start(uint32_t hclk_hz);
void tick_stop(void);
void delay_ms(uint32_t ms);
int example(void); /* what the file is about */

/* Unused pins as analog inputs, but for the debug port's. */
static inline void pins_to_analog(void)
{
    RCC->AHB2ENR |= 0xFFu;
    for (uint32_t port = 0; port < 8u; port++) {
        REG(0x48000000u + 0x400u * port) = port == 0u ? 0xEBFFFFFFu : 0xFFFFFFFFu;
    }
    RCC->AHB2ENR &= ~0xFFu;
}

static inline void power_clock(void)
{
    SET_BIT(RCC->APB1ENR1, RCC_APB1ENR1_PWREN);
    (void)RCC->APB1ENR1;
}

/* The wake-up timer on the LSI, in steps of 0.5 ms, with its EXTI line and interrupt. */
static inline void rtc_wakeup(uint32_t steps)
{
    power_clock();
    SET_BIT(PWR->CR1, PWR_CR1_DBP);
    SET_BIT(RCC->CSR, RCC_CSR_LSION);
    while ((RCC->CSR & RCC_CSR_LSIRDY) == 0u) {
    }
    RCC->BDCR = (2u << 8) | RCC_BDCR_RTCEN;
    RTC->WPR = RTC_WPR_KEY1;
    RTC->WPR = RTC_WPR_KEY2;
    CLEAR_BIT(RTC->CR, RTC_CR_WUTE);
    while ((RTC->ISR & RTC_ISR_WUTWF) == 0u) {
    }
    RTC->WUTR = steps - 1u;
    RTC->ISR = ~(RTC_ISR_WUTF | RTC_ISR_INIT);
    RTC->CR = RTC_CR_WUTE | RTC_CR_WUTIE;
    EXTI->RTSR1 = EXTI_LINE_RTC_WAKEUP;
    SET_BIT(EXTI->IMR1, EXTI_LINE_RTC_WAKEUP);
    nvic_enable(IRQ_RTC_WKUP);
}

#endif
