/* SPDX-License-Identifier: Apache-2.0 */
/* Pins. */
#include "traps.h"

TRAP(d1_inputs_left_floating)
{
    RCC->AHB2ENR |= RCC_AHB2ENR_GPIOBEN;
    (void)RCC->AHB2ENR;
    GPIOB->PUPDR = 0;
    GPIOB->MODER = 0;
    if (!trapped) {
        GPIOB->MODER = 0xFFFFFFFFu;
    }
    enter(CR1_STOP2);
}

/* PB0 is an input with a pull-up; the other end of the line is low. */
TRAP(d3_pull_up_against_low_line)
{
    RCC->AHB2ENR |= RCC_AHB2ENR_GPIOBEN;
    (void)RCC->AHB2ENR;
    GPIOB->MODER &= ~3u;
    GPIOB->PUPDR |= trapped ? 1u : 0u;
    enter(CR1_STOP2);
}

/* PA15 and PB4 have pull-ups from reset on. */
TRAP(d4_debug_pins_unparked)
{
    RCC->AHB2ENR |= RCC_AHB2ENR_GPIOAEN | RCC_AHB2ENR_GPIOBEN;
    (void)RCC->AHB2ENR;
    if (!trapped) {
        GPIOA->MODER |= 3u << 30;
        GPIOB->MODER |= 3u << 8;
    }
    enter(CR1_STOP2);
}

/* The button at PC13 is high at rest. */
TRAP(d5_wakeup_polarity)
{
    power_clock();
    PWR->CR4 = trapped ? 0u : 1u << 1;
    PWR->CR3 |= 1u << 1;
    enter(CR1_STANDBY);
}

TRAP(d6_console_pin_wakes)
{
    power_clock();
    if (trapped) {
        PWR->CR3 |= 1u << 3;
    }
    enter(CR1_STANDBY);
}

TRAP(pin_toggled_into_load)
{
    RCC->AHB2ENR |= RCC_AHB2ENR_GPIOBEN;
    (void)RCC->AHB2ENR;
    GPIOB->MODER = (GPIOB->MODER & ~3u) | GPIO_MODE_OUTPUT;
    for (;;) {
        GPIOB->BSRR = trapped ? 1u : 0u;
        spin(100);
        GPIOB->BSRR = 1u << 16;
        spin(100);
    }
}

TRAP(pin_left_high_into_load)
{
    RCC->AHB2ENR |= RCC_AHB2ENR_GPIOBEN;
    (void)RCC->AHB2ENR;
    GPIOB->ODR = trapped ? 1u : 0u;
    GPIOB->MODER = (GPIOB->MODER & ~3u) | GPIO_MODE_OUTPUT;
    enter(CR1_STOP2);
}
