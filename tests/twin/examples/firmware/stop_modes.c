/* SPDX-License-Identifier: Apache-2.0 */
/* Stop 0, 1 and 2 in turn, each ended by the RTC's wake-up timer; a run of 1 ms between them. */
#include "example.h"

int example(void)
{
    pins_to_analog();
    rtc_wakeup(40); /* 20 ms */
    for (uint32_t turn = 0;; turn++) {
        MODIFY_REG(PWR->CR1, PWR_CR1_LPMS_MASK, turn % 3u);
        RESULT[STEP] = turn % 3u;
        SET_BIT(SCB->SCR, SCB_SCR_SLEEPDEEP);
        wait_for_interrupt();
        CLEAR_BIT(SCB->SCR, SCB_SCR_SLEEPDEEP);
        RESULT[COUNT]++;
        tick_start(4000000u);
        delay_ms(1);
        tick_stop();
    }
}
