/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the part still works: what TEST answers. */
#ifndef HIL_SELFTEST_H
#define HIL_SELFTEST_H

#include <stdbool.h>
#include <stdint.h>

/* Every word of SRAM1 holds ones where it held zeros, and the reverse. Puts everything back; interrupts wait meanwhile. */
bool selftest_ram(void);

/* Reads the whole image: the flash's error correction has nothing to report. Its CRC-32 tells one image from another. */
bool selftest_flash(uint32_t *crc32);

/* The MSI, measured with the RTC's clock, is within SELFTEST_CLOCK_TOLERANCE_PERCENT of its 4 MHz. On the LSI that clock
 * may be 9 % off itself (DS10198 Rev 8, table 61), which is allowed on top. Call on the idle clock. */
#define SELFTEST_CLOCK_TOLERANCE_PERCENT 3u
bool selftest_clock(void);

/* The supply voltage that follows from a conversion of the internal reference is one the part works at. */
bool selftest_adc(uint32_t *supply_mv);

#endif
