/* SPDX-License-Identifier: Apache-2.0 */
#include "crc.h"

uint16_t crc16_ccitt(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint32_t crc = 0xFFFFu;
    for (size_t i = 0; i < size; i++) {
        crc ^= (uint32_t)bytes[i] << 8;
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 0x8000u) != 0u ? (crc << 1) ^ 0x1021u : crc << 1;
        }
    }
    return (uint16_t)crc;
}

uint32_t crc32_ieee(const void *data, size_t size)
{
    /* Remainders of the 16 nibbles for the reflected polynomial 0xEDB88320: 64 bytes, two look-ups per byte. */
    static const uint32_t remainder_of_nibble[16] = {
        0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u, 0x4DB26158u, 0x5005713Cu,
        0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu, 0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu,
    };
    const uint8_t *bytes = data;
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        crc = (crc >> 4) ^ remainder_of_nibble[crc & 15u];
        crc = (crc >> 4) ^ remainder_of_nibble[crc & 15u];
    }
    return ~crc;
}
