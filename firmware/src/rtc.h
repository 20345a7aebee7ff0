/* SPDX-License-Identifier: Apache-2.0 */
/* The periodic wake-up: the RTC on the 32.768 kHz crystal (LSE), which keeps running through Stop 2 and resets, or on the
 * LSI where there is no crystal or it has failed. The period then keeps within the LSI's tolerance: 29.5 to 34 kHz over
 * voltage and temperature (DS10198 Rev 8, table 61) for a nominal 32 kHz. */
#ifndef HIL_RTC_H
#define HIL_RTC_H

#include <stdbool.h>
#include <stdint.h>

/* Gives access to the RTC and the backup registers, which reset locks. The power controller's clock must be on. */
void rtc_unlock_backup_domain(void);

/* Starts the crystal at its lowest drive, sleeping for LSE_START_TIMEOUT_S at most, and clocks the RTC with it; else with
 * the LSI. True for the crystal, whose clock security system is then on: EVENT_LSE_FAILED comes if it stops, also in
 * Stop 2. Keeps the backup registers. Feeds the watchdog. */
bool rtc_start(void);

/* After EVENT_LSE_FAILED: goes on with the LSI. The wake-up timer must be started again. */
void rtc_fall_back(void);

/* Whether it runs on the crystal. */
bool rtc_on_crystal(void);

/* (Re)starts the wake-up timer: the first EVENT_WAKEUP comes `period_s` (1..65536 s) from now. */
void rtc_start_wakeup(uint32_t period_s);

/* No wake-ups any more. */
void rtc_stop_wakeup(void);

/* Core cycles in RTC_GATE_TICKS of the calendar's 1/256 s (1/250 s on the LSI), awake. */
#define RTC_GATE_TICKS 16u
uint32_t rtc_count_cycles(void);

#endif
