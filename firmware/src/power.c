/* SPDX-License-Identifier: Apache-2.0 */
#include "power.h"

#include "cortex_m4.h"
#include "mutant.h"
#include "registers.h"

enum { LPMS_STOP2 = 2 }; /* PWR_CR1.LPMS (RM0351) */

void power_sleep_until(volatile bool *flag)
{
    interrupts_disable();
    while (!*flag) {
        wait_for_interrupt();
        interrupts_enable(); /* the handler runs here */
        interrupts_disable();
    }
    *flag = false;
    interrupts_enable();
}

void power_stop2_until(volatile bool *flag)
{
    /* LPR must be 0: with LPR set, LPMS = Stop 2 enters Stop 1. Read back, so the write is done before WFI. */
    PWR->CR1 = (PWR->CR1 & ~(PWR_CR1_LPMS_MASK | PWR_CR1_LPR)) | PWR_CR1_LPMS(LPMS_STOP2);
    MUTANT_BEFORE_STOP();
    (void)PWR->CR1;
    SCB->SCR |= SCB_SCR_SLEEPDEEP;

    /* A wake-up within a few cycles of the entry could make the MSI overshoot (errata sheet, 2.1.18): the timer's comes
     * seconds later, since a duty cycle takes about half of one. */
    interrupts_disable();
    while (!*flag) {
        MUTANT_STOP(wait_for_interrupt());
        interrupts_enable(); /* the handler runs here and clears the wake-up flags: a pending one would refuse Stop */
        interrupts_disable();
    }
    *flag = false;
    interrupts_enable();

    SCB->SCR &= ~SCB_SCR_SLEEPDEEP;
    MUTANT_AFTER_STOP();
}
