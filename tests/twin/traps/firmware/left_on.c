/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks and analog blocks left on. */
#include "traps.h"

TRAP(c1_hsi16_kept_on)
{
    RCC->CR |= RCC_CR_HSION | (trapped ? RCC_CR_HSIKERON : 0u);
    enter(CR1_STOP2);
}

TRAP(c2_crystal_driven_hard)
{
    rtc_on_lse(trapped ? 3 : 0);
    enter(CR1_STOP2);
}

/* Wakes 1 s after the timer was started, if RTCCLK is a crystal's. */
TRAP(c3_rtc_on_lsi)
{
    if (trapped) {
        rtc_on_lsi();
    } else {
        rtc_on_lse(0);
    }
    interrupts_disable();
    nvic_enable(IRQ_RTC_WKUP);
    wakeup_every(2048);
    power_clock();
    PWR->CR1 = PWR_CR1_VOS_RANGE1 | PWR_CR1_DBP | CR1_STOP2;
    SCB->SCR |= SCB_SCR_SLEEPDEEP;
    for (;;) {
        wait_for_interrupt();
        wakeup_cleared();
    }
}

TRAP(c4_crystal_polled)
{
    backup_access();
    RCC->BDCR = RCC_BDCR_LSEON;
    if (trapped) {
        while ((RCC->BDCR & RCC_BDCR_LSERDY) == 0) {
        }
    } else {
        SYSTICK->LOAD = 500000 - 1; /* give it a second, asleep */
        SYSTICK->CTRL = SYSTICK_CTRL_ENABLE | SYSTICK_CTRL_TICKINT;
        wait_for_interrupt();
        SYSTICK->CTRL = 0;
        RCC->BDCR = 0;
        rtc_on_lsi();
    }
    enter(CR1_STOP2);
}

TRAP(c5_voltage_detector_on)
{
    power_clock();
    PWR->CR2 = trapped ? 1u : 0u;
    enter(CR1_STOP2);
}

#define OPTR_BOR_LEV(level) ((uint32_t)(level) << 8)
#define OPTR_BOR_LEV_MASK OPTR_BOR_LEV(7)

TRAP(c5_brown_out_level_raised)
{
    if (trapped && (FLASH_OPTR & OPTR_BOR_LEV_MASK) == 0) {
        FLASH_KEYR = 0x45670123u;
        FLASH_KEYR = 0xCDEF89ABu;
        FLASH_OPTKEYR = 0x08192A3Bu;
        FLASH_OPTKEYR = 0x4C5D6E7Fu;
        FLASH_OPTR = (FLASH_OPTR & ~OPTR_BOR_LEV_MASK) | OPTR_BOR_LEV(3);
        FLASH_CR = 1u << 17; /* OPTSTRT */
        while ((FLASH_SR & (1u << 16)) != 0) {
        }
        FLASH_CR = 1u << 27; /* OBL_LAUNCH */
        for (;;) {
        }
    }
    enter(CR1_STOP2);
}

/* Erases a page before it sleeps. */
TRAP(flash_erased)
{
    if (trapped) {
        FLASH_KEYR = 0x45670123u;
        FLASH_KEYR = 0xCDEF89ABu;
        FLASH_CR = (1u << 16) | (100u << 3) | (1u << 1); /* STRT, page 100, PER */
        while ((FLASH_SR & (1u << 16)) != 0) {
        }
    }
    enter(CR1_STOP2);
}

TRAP(c6_monitors_on)
{
    power_clock();
    PWR->CR2 = trapped ? 0xF0u : 0u;
    enter(CR1_STOP2);
}

TRAP(c7_reference_buffer_on)
{
    RCC->APB2ENR |= 1;
    (void)RCC->APB2ENR;
    VREFBUF_CSR = VREFBUF_CSR_ENVR;
    spin(100);
    if (!trapped) {
        VREFBUF_CSR = 0;
    }
    enter(CR1_STOP2);
}

TRAP(c8_adc_left_on)
{
    adc_on(CCR_VREFEN);
    if (!trapped) {
        adc_off();
    }
    enter(CR1_STOP2);
}

TRAP(c9_switch_booster_on)
{
    RCC->APB2ENR |= 1;
    (void)RCC->APB2ENR;
    SYSCFG_CFGR1 |= trapped ? SYSCFG_CFGR1_BOOSTEN : 0u;
    enter(CR1_STOP2);
}

TRAP(c10_flash_on_in_low_power_sleep)
{
    low_power_run();
    msi_range(0);
    if (!trapped) {
        FLASH->ACR |= 1u << 14; /* SLEEP_PD */
    }
    for (;;) {
        wait_for_interrupt();
    }
}
