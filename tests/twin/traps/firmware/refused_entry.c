/* SPDX-License-Identifier: Apache-2.0 */
/* Entry is refused or lands in another mode. */
#include "traps.h"

TRAP(a1_lpr_set)
{
    msi_range(5);
    power_clock();
    PWR->CR1 = PWR_CR1_VOS_RANGE1 | CR1_STOP2 | (trapped ? PWR_CR1_LPR : 0u);
    deep_sleep();
}

TRAP(a2_power_clock_off)
{
    if (!trapped) {
        power_clock();
    }
    PWR->CR1 = PWR_CR1_VOS_RANGE1 | CR1_STOP2;
    deep_sleep();
}

TRAP(a3_mode_left_at_reset)
{
    enter(trapped ? CR1_STOP0 : CR1_STOP2);
}

TRAP(a4_line_pending)
{
    EXTI->IMR1 |= 1u << 9;
    EXTI->SWIER1 = 1u << 9;
    if (!trapped) {
        EXTI->PR1 = 1u << 9;
    }
    enter(CR1_STOP2);
}

TRAP(a4_rtc_flag_left)
{
    rtc_on_lsi();
    wakeup_every(20);
    while ((RTC->ISR & RTC_ISR_WUTF) == 0) {
    }
    RTC->CR = RTC_CR_WUTIE;
    if (trapped) {
        EXTI->PR1 = EXTI_LINE_RTC_WAKEUP; /* and not the RTC's own flag */
    } else {
        wakeup_cleared();
    }
    enter(CR1_STOP2);
}

TRAP(a5_tick_left_running)
{
    SYSTICK->LOAD = 500 - 1; /* 1 ms at HCLK / 8 */
    SYSTICK->CTRL = trapped ? SYSTICK_CTRL_ENABLE | SYSTICK_CTRL_TICKINT : 0u;
    for (;;) {
        wait_for_interrupt();
    }
}

TRAP(a6_stop2_from_low_power_run)
{
    low_power_run();
    if (!trapped) {
        PWR->CR1 = PWR_CR1_VOS_RANGE1;
        while ((PWR->SR2 & PWR_SR2_REGLPF) != 0) {
        }
    }
    SCB->SCR |= SCB_SCR_SLEEPDEEP;
    PWR->CR1 = PWR_CR1_VOS_RANGE1 | CR1_STOP2; /* out of low-power run and down, all at once */
    deep_sleep();
}

TRAP(a7_fast_msi_stopped)
{
    FLASH->ACR = (FLASH->ACR & ~FLASH_ACR_LATENCY_MASK) | 2u;
    msi_range(11);
    RCC->CR |= RCC_CR_HSION;
    while ((RCC->CR & RCC_CR_HSIRDY) == 0) {
    }
    RCC->CFGR = 1;
    while ((RCC->CFGR & RCC_CFGR_SWS_MASK) != 4) {
    }
    if (!trapped) {
        msi_range(6);
    }
    RCC->CR &= ~RCC_CR_MSION;
    enter(CR1_STOP2);
}

/* The button at PC13 wakes with a falling edge, if its polarity in CR4 arrives. */
TRAP(a8_cr4_written_last)
{
    power_clock();
    PWR->CR3 |= 1u << 1;
    PWR->CR1 = PWR_CR1_VOS_RANGE1 | CR1_STANDBY;
    PWR->SCR = 0x1F;
    SCB->SCR |= SCB_SCR_SLEEPDEEP;
    PWR->CR4 = 1u << 1;
    if (!trapped) {
        (void)PWR->CR4;
    }
    deep_sleep();
}

TRAP(a9_temperature_sensor_left_on)
{
    adc_on(CCR_TSEN);
    if (!trapped) {
        adc_off();
    }
    enter(CR1_STOP2);
}

/* --- B: debug logic left on --- */

TRAP(b1_debug_in_stop)
{
    if (trapped) {
        DBGMCU->CR = DBGMCU_CR_SLEEP_STOP_STANDBY;
    }
    enter(CR1_STOP2);
}
