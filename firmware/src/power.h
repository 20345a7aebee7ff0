/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for events in Sleep and in Stop 2.
 *
 * The events are looked at with interrupts masked and WFI wakes on a masked interrupt as well, so one that comes between
 * the look and the WFI is never slept through. */
#ifndef HIL_POWER_H
#define HIL_POWER_H

#include <stdint.h>

/* Sleeps until one of the `wanted` events has come, and takes it. Clocks keep running. */
uint32_t power_sleep_until(uint32_t wanted);

/* The same in Stop 2: clocks off, RAM and registers kept. Call on the idle clock only, on which it also ends. */
uint32_t power_stop2_until(uint32_t wanted);

/* Codes of PWR_CR1.LPMS (RM0351). */
enum { POWER_STOP0 = 0, POWER_STOP1 = 1, POWER_STOP2 = 2, POWER_STANDBY = 3, POWER_SHUTDOWN = 4 };

/* Sets what WFI enters with SLEEPDEEP set. */
void power_select(uint32_t mode);

#endif
