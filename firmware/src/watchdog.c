/* SPDX-License-Identifier: Apache-2.0 */
#include "watchdog.h"

#include "registers.h"

#define COUNTER_START 0x7Fu /* 64 counts above the last one that is allowed, 0x40 (RM0351, WWDG) */
#define PRESCALER_8 3u      /* code of WWDG_CFR.WDGTB */

void watchdog_start(void)
{
    RCC->APB1ENR1 |= RCC_APB1ENR1_WWDGEN;
    (void)RCC->APB1ENR1;
    WWDG->CFR = WWDG_CFR_WDGTB(PRESCALER_8) | WWDG_CFR_W(COUNTER_START); /* no window: feeding early is no fault */
    WWDG->CR = WWDG_CR_WDGA | WWDG_CR_T(COUNTER_START);
}

void watchdog_feed(void)
{
    WWDG->CR = WWDG_CR_WDGA | WWDG_CR_T(COUNTER_START);
}
