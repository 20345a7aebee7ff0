/* SPDX-License-Identifier: Apache-2.0 */
#include "timeout.h"

#include "clock.h"
#include "cortex_m4.h"
#include "events.h"
#include "handlers.h"

#define TICKS_PER_MS (CLOCK_IDLE_HZ / SYSTICK_CLOCK_DIVIDER / 1000u)

void SysTick_Handler(void)
{
    SYSTICK->CTRL = 0;
    event_set(EVENT_TIMEOUT);
}

void timeout_cancel(void)
{
    SYSTICK->CTRL = 0;
    SCB->ICSR = SCB_ICSR_PENDSTCLR;
    (void)event_take(EVENT_TIMEOUT);
}

void timeout_start(uint32_t duration_ms)
{
    timeout_cancel();
    SYSTICK->LOAD = duration_ms * TICKS_PER_MS - 1u;
    SYSTICK->VAL = 0;
    SYSTICK->CTRL = SYSTICK_CTRL_ENABLE | SYSTICK_CTRL_TICKINT;
}
