/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "check.h"
#include "crc.h"
#include "record.h"

static void check_text(const record_t *record, const char *body)
{
    char expected[RECORD_CAPACITY + 1u];
    int length = snprintf(expected, sizeof expected, "@%s*%04X\r\n", body, crc16_ccitt(body, strlen(body)));
    CHECK_EQUAL(record->length, length);
    CHECK_EQUAL(memcmp(record->text, expected, (size_t)length), 0);
}

int main(void)
{
    record_t record;
    const int8_t bytes[3] = {-128, -1, 127};
    record_begin(&record, 4294967295u, "ACK");
    record_number(&record, "cmd", 0);
    record_hex(&record, "model", 0xABCu, 8);
    record_text(&record, "mcu", "stm32l476");
    record_bytes(&record, "out", bytes, 3);
    record_end(&record);
    check_text(&record, "4294967295 ACK cmd=0 model=00000abc mcu=stm32l476 out=80ff7f");

    /* What does not fit is left out; the line still ends, within its room. */
    record_begin(&record, 0, "ACK");
    for (int i = 0; i < 100; i++) {
        record_number(&record, "filler", 4294967295u);
    }
    record_end(&record);
    CHECK_EQUAL(record.length, RECORD_CAPACITY);
    CHECK_EQUAL(record.text[RECORD_CAPACITY - 1u], '\n');
    CHECK_EQUAL(record.text[RECORD_CAPACITY - 7u], '*');
    return check_result();
}
