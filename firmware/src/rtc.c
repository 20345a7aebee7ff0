/* SPDX-License-Identifier: Apache-2.0 */
#include "rtc.h"

#include "clock.h"
#include "cortex_m4.h"
#include "handlers.h"
#include "power.h"
#include "registers.h"

#define EXTI_LINE_RTC_WAKEUP (1u << 20)

/* Codes of RM0351: RCC_BDCR.RTCSEL, RTC_CR.WUCKSEL, RTC_WPR.KEY. */
enum { RTC_CLOCK_LSE = 1 };
enum { WAKEUP_CLOCK_DIV16 = 0 };
enum { WPR_KEY1 = 0xCA, WPR_KEY2 = 0x53, WPR_LOCK = 0xFF };

#define WAKEUP_TICK_HZ (32768u / 16u) /* RTCCLK / 16, the slowest of WUCKSEL's prescalers below ck_spre */

volatile bool rtc_wakeup;
static volatile bool lse_wait_over;

void RCC_IRQHandler(void)
{
    RCC->CICR = RCC_CICR_LSERDYC;
    lse_wait_over = true;
}

void SysTick_Handler(void)
{
    lse_wait_over = true;
}

void RTC_WKUP_IRQHandler(void)
{
    /* The flag is cleared by writing 0; INIT is the only other writable bit of ISR and must stay 0. */
    RTC->ISR = ~(RTC_ISR_WUTF | RTC_ISR_INIT);
    EXTI->PR1 = EXTI_LINE_RTC_WAKEUP;
    rtc_wakeup = true;
}

void rtc_unlock_backup_domain(void)
{
    PWR->CR1 |= PWR_CR1_DBP;
    while ((PWR->CR1 & PWR_CR1_DBP) == 0u) {
    }
}

static bool lse_runs(void)
{
    return (RCC->BDCR & RCC_BDCR_LSERDY) != 0u;
}

bool rtc_start_lse(uint32_t timeout_s)
{
    uint32_t rtc_source = RCC->BDCR & RCC_BDCR_RTCSEL_MASK;
    if (rtc_source != 0u && rtc_source != RCC_BDCR_RTCSEL(RTC_CLOCK_LSE)) {
        /* Other firmware chose another clock; only a backup domain reset undoes that. */
        RCC->BDCR |= RCC_BDCR_BDRST;
        RCC->BDCR &= ~RCC_BDCR_BDRST;
    }
    if (!lse_runs()) {
        lse_wait_over = false;
        RCC->CICR = RCC_CICR_LSERDYC;
        RCC->CIER |= RCC_CIER_LSERDYIE;
        nvic_enable(IRQ_RCC);
        /* Drive 00 draws 250 nA, the others up to 630 nA (DS10198 Rev 8, table 58). */
        RCC->BDCR = (RCC->BDCR & ~RCC_BDCR_LSEDRV_MASK) | RCC_BDCR_LSEON;
        SYSTICK->LOAD = timeout_s * (CLOCK_IDLE_HZ / SYSTICK_CLOCK_DIVIDER) - 1u;
        SYSTICK->VAL = 0;
        SYSTICK->CTRL = SYSTICK_CTRL_ENABLE | SYSTICK_CTRL_TICKINT;
        if (!lse_runs()) {
            power_sleep_until(&lse_wait_over);
        }
        SYSTICK->CTRL = 0;
        RCC->CIER &= ~RCC_CIER_LSERDYIE;
    }
    return lse_runs();
}

void rtc_start_wakeup(uint32_t period_s)
{
    RCC->BDCR |= RCC_BDCR_RTCSEL(RTC_CLOCK_LSE) | RCC_BDCR_RTCEN;

    RTC->WPR = WPR_KEY1;
    RTC->WPR = WPR_KEY2;
    RTC->CR &= ~(RTC_CR_WUTE | RTC_CR_WUTIE);
    while ((RTC->ISR & RTC_ISR_WUTWF) == 0u) {
    }
    RTC->WUTR = period_s * WAKEUP_TICK_HZ - 1u;
    RTC->ISR = ~(RTC_ISR_WUTF | RTC_ISR_INIT);
    EXTI->PR1 = EXTI_LINE_RTC_WAKEUP;
    EXTI->RTSR1 |= EXTI_LINE_RTC_WAKEUP;
    EXTI->IMR1 |= EXTI_LINE_RTC_WAKEUP;
    nvic_enable(IRQ_RTC_WKUP);
    RTC->CR = (RTC->CR & ~RTC_CR_WUCKSEL_MASK) | RTC_CR_WUCKSEL(WAKEUP_CLOCK_DIV16) | RTC_CR_WUTIE | RTC_CR_WUTE;
    RTC->WPR = WPR_LOCK;
}
