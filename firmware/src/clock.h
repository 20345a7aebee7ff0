/* SPDX-License-Identifier: Apache-2.0 */
/* The clocks of a duty cycle. Idle is where everything begins and ends: MSI 4 MHz (range 6), voltage range 2, no wait
 * states. From there a wake goes to the sampling clock and back, and to the clock plan of its arithmetic and back.
 *
 *   sampling    MSI 200 kHz, low-power regulator; the flash is off while the core sleeps
 *   plan 0      80 MHz, PLL from the MSI, voltage range 1, 4 wait states
 *   plan 1      26 MHz, PLL from the MSI, voltage range 2, 3 wait states
 *   plan 2      MSI 2 MHz, low-power regulator
 *   plan 3      MSI 24 MHz, voltage range 2, 3 wait states
 *
 * Stop 2 must be entered from idle: it cannot be reached from the low-power regulator (RM0351, low-power modes), and it
 * ends on the MSI at the range that it began with. The MSI is never stopped at 24 MHz or more, which could block a
 * later Stop entry (errata sheet, 2.1.15). */
#ifndef HIL_CLOCK_H
#define HIL_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol.h"

#define CLOCK_IDLE_HZ 4000000u
#define CLOCK_SAMPLING_HZ 200000u

/* From the reset clock (MSI 4 MHz, range 1) to idle. Also turns the power controller's bus clock on. */
void clock_init(void);

/* From idle. */
void clock_enter_sampling(void);
void clock_enter_plan(uint32_t plan); /* < CLOCK_PLAN_COUNT */

/* Whether the flash is off while the core sleeps on the low-power regulator. Idle has it on. */
void clock_flash_off_in_sleep(bool off);

/* From any of them back to idle; nothing happens on idle. */
void clock_enter_idle(void);

#endif
