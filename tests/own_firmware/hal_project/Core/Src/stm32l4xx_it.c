/* SPDX-License-Identifier: Apache-2.0 */
#include "main.h"

void RTC_WKUP_IRQHandler(void);
void HardFault_Handler(void);

void RTC_WKUP_IRQHandler(void)
{
    RTC_ISR = ~((1u << 10) | (1u << 7)); /* WUTF; INIT stays as it is */
    EXTI_PR1 = RTC_WAKEUP_LINE;
    (void)EXTI_PR1;
}

void HardFault_Handler(void)
{
    for (;;) {
    }
}
