/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include "crc.h"

#define TRAILER_LENGTH 7u /* *CCCC\r\n */
#define NUMBER_MAX_DIGITS 10u

static void put(record_t *record, char character)
{
    if (record->length < RECORD_CAPACITY - TRAILER_LENGTH) {
        record->text[record->length++] = character;
    }
}

static void put_text(record_t *record, const char *text)
{
    while (*text != '\0') {
        put(record, *text++);
    }
}

static void put_number(record_t *record, uint32_t value)
{
    char digits[NUMBER_MAX_DIGITS];
    unsigned count = 0;
    do {
        digits[count++] = (char)('0' + value % 10u);
        value /= 10u;
    } while (value != 0u);
    while (count > 0u) {
        put(record, digits[--count]);
    }
}

static void put_hex(record_t *record, uint32_t value, unsigned digits)
{
    while (digits > 0u) {
        digits--;
        put(record, "0123456789abcdef"[(value >> (4u * digits)) & 15u]);
    }
}

static void put_key(record_t *record, const char *key)
{
    put(record, ' ');
    put_text(record, key);
    put(record, '=');
}

void record_begin(record_t *record, uint32_t sequence, const char *kind)
{
    record->length = 0;
    put(record, '@');
    put_number(record, sequence);
    put(record, ' ');
    put_text(record, kind);
}

void record_text(record_t *record, const char *key, const char *value)
{
    put_key(record, key);
    put_text(record, value);
}

void record_number(record_t *record, const char *key, uint32_t value)
{
    put_key(record, key);
    put_number(record, value);
}

void record_hex(record_t *record, const char *key, uint32_t value, unsigned digits)
{
    put_key(record, key);
    put_hex(record, value, digits);
}

void record_bytes(record_t *record, const char *key, const int8_t *bytes, uint32_t count)
{
    put_key(record, key);
    for (uint32_t i = 0; i < count; i++) {
        put_hex(record, (uint8_t)bytes[i], 2);
    }
}

void record_end(record_t *record)
{
    uint32_t crc = crc16_ccitt(&record->text[1], record->length - 1u);
    record->text[record->length++] = '*';
    for (unsigned shift = 16; shift > 0u; shift -= 4u) {
        record->text[record->length++] = "0123456789ABCDEF"[(crc >> (shift - 4u)) & 15u];
    }
    record->text[record->length++] = '\r';
    record->text[record->length++] = '\n';
}
