/* SPDX-License-Identifier: Apache-2.0 */
/* Stop 2 until the board's button at PC13 goes low, then half a second of light at PA5; nothing else wakes it. */
#include "say.h"

int example(void)
{
    pins_to_analog();
    power_clock();
    SET_BIT(RCC->AHB2ENR, RCC_AHB2ENR_GPIOAEN | RCC_AHB2ENR_GPIOCEN);
    SET_BIT(RCC->APB2ENR, 1u);                       /* SYSCFG */
    CLEAR_BIT(GPIOC->MODER, 3u << 26);               /* PC13: input; the board pulls it up */
    MODIFY_REG(GPIOA->MODER, 3u << 10, 1u << 10);    /* PA5: output */
    MODIFY_REG(REG(0x40010014u), 0xF0u, 0x20u);      /* SYSCFG_EXTICR4: line 13 is port C's */
    SET_BIT(EXTI->FTSR1, 1u << 13);
    SET_BIT(EXTI->EMR1, 1u << 13);                   /* an event; WFE returns */
    MODIFY_REG(PWR->CR1, PWR_CR1_LPMS_MASK, PWR_CR1_LPMS_STOP2);
    say("lamp ready\r\n");
    for (;;) {
        SET_BIT(SCB->SCR, SCB_SCR_SLEEPDEEP);
        __asm volatile("sev\nwfe\nwfe"); /* the first takes the event that the tick's exceptions have left */
        CLEAR_BIT(SCB->SCR, SCB_SCR_SLEEPDEEP);
        EXTI->PR1 = 1u << 13;
        GPIOA->BSRR = 1u << 5;
        say("pressed\r\n");
        tick_start(4000000u);
        delay_ms(500);
        tick_stop();
        GPIOA->BSRR = 1u << 21;
    }
}
