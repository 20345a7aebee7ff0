/* SPDX-License-Identifier: Apache-2.0 */
/* The text of one record for the console: `@<seq> <KIND> <key>=<value> ...*<CRC>\r\n`. docs/console_protocol.md has the
 * format. What does not fit is left out, and the record still ends as one should. */
#ifndef HIL_RECORD_H
#define HIL_RECORD_H

#include <stdint.h>

#define RECORD_CAPACITY 240u /* the longest, STATUS with every number at its widest, is under 210 */

typedef struct {
    char text[RECORD_CAPACITY];
    uint32_t length;
} record_t;

void record_begin(record_t *record, uint32_t sequence, const char *kind);
void record_text(record_t *record, const char *key, const char *value);
void record_number(record_t *record, const char *key, uint32_t value);
void record_hex(record_t *record, const char *key, uint32_t value, unsigned digits); /* lower case, zero-padded */
void record_bytes(record_t *record, const char *key, const int8_t *bytes, uint32_t count);
void record_end(record_t *record);

#endif
