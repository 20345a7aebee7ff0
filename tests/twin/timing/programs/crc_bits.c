/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32 (IEEE 802.3, reflected) of 1024 bytes in flash, one bit at a time. */
#include <stdint.h>

#include "message.h"

uint32_t program(void)
{
    uint32_t crc = ~0u;
    for (uint32_t i = 0; i < sizeof message; i++) {
        crc ^= message[i];
#pragma clang loop unroll(disable)
        for (uint32_t bit = 0; bit < 8u; bit++) {
            crc = crc >> 1 ^ (0xEDB88320u & (0u - (crc & 1u)));
        }
    }
    return ~crc;
}
