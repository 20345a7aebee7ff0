/* SPDX-License-Identifier: Apache-2.0 */
/* A lab's sensor that knows nothing of hil-rig: Stop 2, a wake every 500 ms, a line of text at each start. */
#include "say.h"

#ifndef SLEEP_MODE
#define SLEEP_MODE 2u
#endif
#define AWAKE_MS 20u
#define IWDG(offset) REG(0x40003000u + (offset))

_Noreturn void Error_Handler(void);

_Noreturn void Error_Handler(void)
{
    for (;;) {
#ifdef HANGS_ASLEEP
        __asm volatile("wfi"); /* here, and in no function that is called */
#endif
    }
}

#ifdef QUARTZ_GIVEN_UP
/* The quartz gets 10 ms, of the two seconds that it may take; the RTC stays on the LSI. */
static void quartz_or_lsi(void)
{
    SET_BIT(RCC->BDCR, RCC_BDCR_LSEON);
    tick_start(4000000u);
    delay_ms(10);
    tick_stop();
}
#endif

int example(void)
{
    pins_to_analog();
    say("\r\nsensor ready\r\n");
#ifdef HANGS_TICKING
    tick_start(4000000u); /* its interrupt goes on */
#endif
#if defined(HANGS) || defined(HANGS_TICKING) || defined(HANGS_ASLEEP)
    Error_Handler();
#endif
#ifdef READS_NOWHERE
    (void)REG(0x30000000u); /* no memory is there */
#endif
    rtc_wakeup(1000); /* 500 ms */
#ifdef QUARTZ_GIVEN_UP
    quartz_or_lsi();
#endif
#if defined(WATCHDOG) || defined(WATCHDOG_HIDDEN) || defined(FED)
    IWDG(0u) = 0xCCCCu; /* nobody feeds it: 512 ms by its defaults */
#endif
#ifdef FED
    IWDG(0u) = 0x5555u;
    IWDG(4u) = 4u; /* 500 Hz: 8 s */
#endif
#ifdef WATCHDOG_HIDDEN
    SET_BIT(RCC->CSR, RCC_CSR_RMVF);
#endif
#ifdef DEBUG_LEFT_ON
    REG(0xE0042004u) = 7u; /* DBG_SLEEP, DBG_STOP, DBG_STANDBY */
#endif
#ifdef FLOATING
    SET_BIT(RCC->AHB2ENR, 0xFFu);
    GPIOC->MODER = 0; /* inputs, no pull */
#endif
#ifdef HSI_KEPT
    SET_BIT(RCC->CR, (1u << 8) | (1u << 9)); /* HSION, HSIKERON */
#endif
    MODIFY_REG(PWR->CR1, PWR_CR1_LPMS_MASK, SLEEP_MODE);
    for (;;) {
#ifdef FED
        IWDG(0u) = 0xAAAAu;
#endif
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
