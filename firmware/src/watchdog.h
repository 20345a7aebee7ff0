/* SPDX-License-Identifier: Apache-2.0 */
/* The window watchdog: a reset when 2^21 core cycles (64 counts of PCLK1 / 4096 / 8, and PCLK1 is the core's clock here)
 * pass without watchdog_feed(): 26 ms on clock plan 0, 0.5 s on the idle clock, 10 s while the core sleeps and samples.
 *
 * It counts what a hang looks like, cycles that the core spends without getting on, and stands still in Stop 2 with its
 * clock. The independent watchdog does not suit: once started it cannot be stopped, and its LSI runs through Stop 2 with
 * 110 nA typically, 180 nA at most (DS10198 Rev 8, table 61), on top of the 1.67 and 3.4 uA that the Stop 2 limit with the
 * RTC on the LSE allows (table 45); at 32.8 s at the longest it would also wake a part of longer periods to be fed. What
 * it could do more, end a Stop 2 that nothing ends, the clock security system of the LSE does: see rtc.h.
 *
 * Not started for the mailbox service, nor for a mode that MODE asked for: both begin with a reset and end with one. */
#ifndef HIL_WATCHDOG_H
#define HIL_WATCHDOG_H

/* Cannot be undone but by a reset. */
void watchdog_start(void);
void watchdog_feed(void);

#endif
