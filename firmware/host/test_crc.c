/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "crc.h"

int main(void)
{
    /* The check values of the catalogue of parametrised CRC algorithms. */
    CHECK_EQUAL(crc16_ccitt("123456789", 9), 0x29B1);
    CHECK_EQUAL(crc32_ieee("123456789", 9), 0xCBF43926);
    CHECK_EQUAL(crc16_ccitt("", 0), 0xFFFF);
    CHECK_EQUAL(crc32_ieee("", 0), 0);
    return check_result();
}
