/* SPDX-License-Identifier: Apache-2.0 */
/* Standby, left by the RTC, then Shutdown, left by a rising edge at WKUP1; backup registers count the starts. */
#include "example.h"

int example(void)
{
    pins_to_analog();
    power_clock();
    SET_BIT(PWR->CR1, PWR_CR1_DBP);
    bool from_standby = (PWR->SR1 & PWR_SR1_SBF) != 0u;
    bool from_pin = (PWR->SR1 & 1u) != 0u;
    PWR->SCR = 0x11Fu;
    uint32_t starts = RCC->BDCR & RCC_BDCR_RTCEN ? RTC->BKPR[0] + 1u : 1u;
    if (from_standby) {
        RTC->WPR = RTC_WPR_KEY1;
        RTC->WPR = RTC_WPR_KEY2;
        RTC->CR = 0;
        RTC->ISR = ~(RTC_ISR_WUTF | RTC_ISR_INIT);
        RTC->BKPR[1] = 1u;
        PWR->CR3 = PWR_CR3_EIWUL | 1u;
        MODIFY_REG(PWR->CR1, PWR_CR1_LPMS_MASK, PWR_CR1_SHUTDOWN);
    } else {
        rtc_wakeup(20); /* 10 ms */
        MODIFY_REG(PWR->CR1, PWR_CR1_LPMS_MASK, PWR_CR1_STANDBY);
    }
    if (from_pin) {
        RTC->BKPR[2] = 1u;
    }
    RTC->BKPR[0] = starts;
    PWR->SCR = 0x1Fu;
    SET_BIT(SCB->SCR, SCB_SCR_SLEEPDEEP);
    (void)PWR->SR1;
    for (;;) {
        wait_for_interrupt();
    }
}
