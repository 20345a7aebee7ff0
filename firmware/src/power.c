/* SPDX-License-Identifier: Apache-2.0 */
#include "power.h"

#include "cortex_m4.h"
#include "events.h"
#include "mutant.h"
#include "registers.h"

uint32_t power_sleep_until(uint32_t wanted)
{
    uint32_t masked = interrupts_save();
    while (event_pending(wanted) == 0u) {
        wait_for_interrupt();
        interrupts_enable(); /* the handler runs here */
        interrupts_disable();
    }
    uint32_t events = event_take(wanted);
    interrupts_restore(masked);
    return events;
}

void power_select(uint32_t mode)
{
    /* LPR must be 0: with LPR set, LPMS = Stop 2 enters Stop 1. Read back, so the write is done before WFI. */
    PWR->CR1 = (PWR->CR1 & ~(PWR_CR1_LPMS_MASK | PWR_CR1_LPR)) | PWR_CR1_LPMS(mode);
    (void)PWR->CR1;
}

uint32_t power_stop2_until(uint32_t wanted)
{
    power_select(POWER_STOP2);
    MUTANT_BEFORE_STOP();
    (void)PWR->CR1;
    SCB->SCR |= SCB_SCR_SLEEPDEEP;

    /* A wake-up within a few cycles of the entry could make the MSI overshoot (errata sheet, 2.1.18): the timer's comes
     * seconds later, since a duty cycle takes about half of one. */
    interrupts_disable();
    while (event_pending(wanted) == 0u) {
        MUTANT_STOP(wait_for_interrupt());
        interrupts_enable(); /* the handler runs here and clears the wake-up flags: a pending one would refuse Stop */
        interrupts_disable();
    }
    uint32_t events = event_take(wanted);
    interrupts_enable();

    SCB->SCR &= ~SCB_SCR_SLEEPDEEP;
    MUTANT_AFTER_STOP();
    return events;
}
