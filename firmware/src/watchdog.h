/* SPDX-License-Identifier: Apache-2.0 */
/* The window watchdog: a reset when 2^21 core cycles (64 counts of PCLK1 / 4096 / 8, and PCLK1 is the core's clock here)
 * pass without watchdog_feed(): 26 ms on clock plan 0, 0.5 s on the idle clock, 10 s while the core sleeps and samples.
 *
 * It counts what a hang looks like, cycles that the core spends without getting on, and stands still in Stop 2 with its
 * clock, at no current. The independent watchdog does not suit: it cannot be stopped once started, and at 32.8 s at the
 * longest it would have to be fed by wakes of their own where the period is up to an hour; it would also end the mode that
 * MODE enters. Its LSI draws 110 nA typically in Stop 2, on top of the 1.67 uA with the RTC on the LSE (DS10198 Rev 8,
 * tables 61 and 45). What it could do more, end a Stop 2 that nothing ends, the clock security system of the LSE does, for
 * the same LSI: see LSE_SUPERVISED in config.h.
 *
 * Not started for the mailbox service, nor for a mode that MODE asked for: both begin with a reset and end with one. */
#ifndef HIL_WATCHDOG_H
#define HIL_WATCHDOG_H

/* Cannot be undone but by a reset. */
void watchdog_start(void);
void watchdog_feed(void);

#endif
