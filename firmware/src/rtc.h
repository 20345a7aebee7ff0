/* SPDX-License-Identifier: Apache-2.0 */
/* The periodic wake-up: RTC on the 32.768 kHz crystal, which keeps running through Stop 2 and resets. */
#ifndef HIL_RTC_H
#define HIL_RTC_H

#include <stdbool.h>
#include <stdint.h>

/* Set by every wake-up of the timer; wait for it with power_stop2_until(). */
extern volatile bool rtc_wakeup;

/* Gives access to the RTC and the backup registers, which reset locks. The power controller's clock must be on. */
void rtc_unlock_backup_domain(void);

/* Starts the crystal oscillator (LSE) at its lowest drive and sleeps until it runs, for at most `timeout_s`
 * (<= 33 s: SysTick counts 24 bits of 500 kHz). True if it runs; if not it goes on starting, call again. */
bool rtc_start_lse(uint32_t timeout_s);

/* (Re)starts the wake-up timer: the first rtc_wakeup comes `period_s` (1..32 s) from now. LSE must be running. */
void rtc_start_wakeup(uint32_t period_s);

#endif
