/* SPDX-License-Identifier: Apache-2.0 */
/* Records on USART2 (PA2, 115200 8N1), one line each:
 *
 *   @<seq> <KIND> <key>=<value> ...*<CRC>\r\n
 *
 * seq counts records from 0 at boot; CRC is crc16_ccitt() of what stands between '@' and '*', 4 upper-case hex digits.
 * The line is put together in RAM and sent by console_send(), which needs the idle clock: the USART runs only there. */
#ifndef HIL_CONSOLE_H
#define HIL_CONSOLE_H

#include <stdint.h>

void console_begin(const char *kind);
void console_number(const char *key, uint32_t value);
void console_hex(const char *key, uint32_t value, unsigned digits); /* lower case, zero-padded */
void console_send(void);

#endif
