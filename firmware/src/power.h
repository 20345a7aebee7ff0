/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for interrupts in Sleep and in Stop 2.
 *
 * An interrupt handler sets a flag, the application waits for it. The flag is looked at with interrupts masked and
 * WFI wakes on a masked interrupt as well, so one that comes between the look and the WFI is never slept through. */
#ifndef HIL_POWER_H
#define HIL_POWER_H

#include <stdbool.h>

/* Sleeps until `*flag`, then clears it. Clocks keep running. */
void power_sleep_until(volatile bool *flag);

/* The same in Stop 2: clocks off, RAM and registers kept. Continues at MSI 4 MHz. Call on the idle clock only. */
void power_stop2_until(volatile bool *flag);

#endif
