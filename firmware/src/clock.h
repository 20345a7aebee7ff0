/* SPDX-License-Identifier: Apache-2.0 */
/* Two clocks: slow for waiting, sampling and reporting, fast for arithmetic.
 *
 *   slow  MSI 4 MHz (range 6), voltage range 2, 0 wait states
 *   fast  PLL 80 MHz from the MSI, voltage range 1, 4 wait states
 *
 * The MSI's range never changes: Stop 2 ends on it, and stopping it at 24 MHz or more could block a later Stop
 * entry (errata sheet, 2.1.15). Stop 2 must be entered from the slow clock. */
#ifndef HIL_CLOCK_H
#define HIL_CLOCK_H

#define CLOCK_SLOW_HZ 4000000u

/* From the reset clock (MSI 4 MHz, range 1) to slow. Also turns the power controller's bus clock on. */
void clock_init(void);
void clock_run_fast(void);
void clock_run_slow(void);

#endif
