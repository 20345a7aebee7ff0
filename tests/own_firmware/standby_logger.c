/* SPDX-License-Identifier: Apache-2.0 */
/* Some milliseconds of work at each start, then Standby, which the RTC ends every 500 ms. */
#include "example.h"

int example(void)
{
    pins_to_analog();
    rtc_wakeup(1000);
    tick_start(4000000u);
    delay_ms(20);
    tick_stop();
    PWR->SCR = 0x11Fu; /* WUF1 to WUF5, SBF */
    SET_BIT(PWR->CR3, PWR_CR3_EIWUL);
    MODIFY_REG(PWR->CR1, PWR_CR1_LPMS_MASK, PWR_CR1_STANDBY);
    SET_BIT(SCB->SCR, SCB_SCR_SLEEPDEEP);
    (void)PWR->SR1;
    for (;;) {
        wait_for_interrupt();
    }
}
