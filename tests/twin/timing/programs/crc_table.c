/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32 (IEEE 802.3, reflected) of 1024 bytes in flash, four bits at a time with a table of 16 words. */
#include <stdint.h>

#include "message.h"

static uint32_t table[16];

uint32_t program(void)
{
    for (uint32_t i = 0; i < 16u; i++) {
        uint32_t entry = i;
        for (uint32_t bit = 0; bit < 4u; bit++) {
            entry = entry >> 1 ^ (0xEDB88320u & (0u - (entry & 1u)));
        }
        table[i] = entry;
    }
    uint32_t crc = ~0u;
    for (uint32_t i = 0; i < sizeof message; i++) {
        crc = crc >> 4 ^ table[(crc ^ message[i]) & 15u];
        crc = crc >> 4 ^ table[(crc ^ (uint32_t)message[i] >> 4) & 15u];
    }
    return ~crc;
}
