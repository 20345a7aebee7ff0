/* SPDX-License-Identifier: Apache-2.0 */
/* A lab's sensor that knows nothing of hil-rig: Stop 2, a wake every 500 ms, a line of text at each start. */
#include "example.h"

#ifndef SLEEP_MODE
#define SLEEP_MODE 2u
#endif
#ifndef BAUD
#define BAUD 115200u
#endif
#define AWAKE_MS 20u
#define USART_CR1_ON 0x9u /* TE and UE */

_Noreturn void Error_Handler(void);

_Noreturn void Error_Handler(void)
{
    for (;;) {
    }
}

static void say(const char *text)
{
    SET_BIT(RCC->AHB2ENR, 1u);
    SET_BIT(RCC->APB1ENR1, 1u << 17);
    (void)RCC->APB1ENR1;
    MODIFY_REG(REG(0x48000000u), 3u << 4, 2u << 4);     /* PA2: alternate function */
    MODIFY_REG(REG(0x48000020u), 0xFu << 8, 7u << 8);   /* AF7, USART2_TX */
    REG(0x4000440Cu) = 4000000u / BAUD;
    REG(0x40004400u) = USART_CR1_ON;
    for (; *text != 0; text++) {
        while ((REG(0x4000441Cu) & (1u << 7)) == 0u) {
        }
        REG(0x40004428u) = (uint32_t)*text;
    }
    while ((REG(0x4000441Cu) & (1u << 6)) == 0u) {
    }
}

int example(void)
{
    pins_to_analog();
    say("\r\nsensor ready\r\n");
#ifdef HANGS
    Error_Handler();
#endif
    rtc_wakeup(1000); /* 500 ms */
#ifdef WATCHDOG
    REG(0x40003000u) = 0xCCCCu; /* starts, and nobody feeds it: 512 ms by its defaults */
#endif
    MODIFY_REG(PWR->CR1, PWR_CR1_LPMS_MASK, SLEEP_MODE);
    for (;;) {
#ifndef NO_SLEEP
        SET_BIT(SCB->SCR, SCB_SCR_SLEEPDEEP);
        wait_for_interrupt();
        CLEAR_BIT(SCB->SCR, SCB_SCR_SLEEPDEEP);
#endif
        tick_start(4000000u);
        delay_ms(AWAKE_MS);
        tick_stop();
    }
}
