/* SPDX-License-Identifier: Apache-2.0 */
/* Further firmwares that draw too much asleep, beside the traps of tests/twin/traps. */
#include "traps.h"

static void port_clock(uint32_t bits)
{
    RCC->AHB2ENR |= bits;
    (void)RCC->AHB2ENR;
}

/* Asks for Stop 2 and does some work in between, as most firmwares do. */
_Noreturn static void work_and_sleep(void)
{
    power_clock();
    PWR->CR1 = PWR_CR1_VOS_RANGE1 | CR1_STOP2;
    SCB->SCR |= SCB_SCR_SLEEPDEEP;
    for (;;) {
        wait_for_interrupt();
        spin(2000);
    }
}

TRAP(line_left_pending)
{
    EXTI->IMR1 |= 1u << 9;
    EXTI->SWIER1 = trapped ? 1u << 9 : 0u;
    work_and_sleep();
}

TRAP(rtc_flag_left)
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
    work_and_sleep();
}

/* Feeds the pull-down of the counter that counts the marker's pulses. */
TRAP(marker_left_high)
{
    port_clock(RCC_AHB2ENR_GPIOBEN);
    GPIOB->ODR = trapped ? 1u << 10 : 0u;
    GPIOB->MODER = (GPIOB->MODER & ~(3u << 20)) | (GPIO_MODE_OUTPUT << 20);
    enter(CR1_STOP2);
}

/* The board pulls the button's line up. */
TRAP(button_pulled_down)
{
    port_clock(1u << 2);
    REG(0x4800080Cu) = (trapped ? 2u : 0u) << 26;
    REG(0x48000800u) &= ~(3u << 26);
    enter(CR1_STOP2);
}

/* The sensor holds PA0 at 0 V. */
TRAP(sensor_line_pulled_up)
{
    port_clock(RCC_AHB2ENR_GPIOAEN);
    GPIOA->PUPDR |= trapped ? 1u : 0u;
    if (trapped) {
        GPIOA->MODER &= ~3u;
    }
    enter(CR1_STOP2);
}

TRAP(stop_1_chosen)
{
    enter(trapped ? CR1_STOP1 : CR1_STOP2);
}

TRAP(hsi16_and_adc)
{
    if (trapped) {
        RCC->CR |= RCC_CR_HSION | RCC_CR_HSIKERON;
        adc_on(CCR_VREFEN);
    }
    enter(CR1_STOP2);
}

TRAP(lsi_beside_the_quartz)
{
    rtc_on_lse(0);
    if (trapped) {
        RCC->CSR |= RCC_CSR_LSION;
    }
    enter(CR1_STOP2);
}

TRAP(sram2_retained)
{
    power_clock();
    PWR->CR3 |= trapped ? 1u << 8 : 0u;
    enter(CR1_STANDBY);
}

TRAP(one_monitor_on)
{
    power_clock();
    PWR->CR2 = trapped ? 1u << 7 : 0u;
    enter(CR1_STOP2);
}

TRAP(never_deep)
{
    power_clock();
    PWR->CR1 = PWR_CR1_VOS_RANGE1 | CR1_STOP2;
    if (!trapped) {
        SCB->SCR |= SCB_SCR_SLEEPDEEP;
    }
    for (;;) {
        wait_for_interrupt();
    }
}

TRAP(standby_for_shutdown)
{
    enter(trapped ? CR1_STANDBY : 4u);
}

TRAP(detector_and_reference_buffer)
{
    power_clock();
    PWR->CR2 = trapped ? 1u : 0u;
    RCC->APB2ENR |= 1;
    (void)RCC->APB2ENR;
    VREFBUF_CSR = trapped ? VREFBUF_CSR_ENVR : 0u;
    enter(CR1_STOP2);
}

/* TIM2's interrupt is enabled and pending, and masked. */
TRAP(interrupt_pending)
{
    interrupts_disable();
    if (trapped) {
        REG(0xE000E100u) = 1u << 28;
        REG(0xE000E200u) = 1u << 28;
    }
    work_and_sleep();
}

TRAP(low_power_run_and_adc)
{
    adc_on(0);
    if (!trapped) {
        adc_off();
    }
    msi_range(5);
    power_clock();
    PWR->CR1 = PWR_CR1_VOS_RANGE1 | CR1_STOP2 | (trapped ? PWR_CR1_LPR : 0u);
    deep_sleep();
}
