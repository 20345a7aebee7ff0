/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HIL_CRC_H
#define HIL_CRC_H

#include <stddef.h>
#include <stdint.h>

/* CRC-16/CCITT-FALSE: polynomial 0x1021, start 0xFFFF, not reflected. Console records. */
uint16_t crc16_ccitt(const void *data, size_t size);

/* CRC-32 of IEEE 802.3, as zlib computes it. Identifies the model and guards the backup registers. */
uint32_t crc32_ieee(const void *data, size_t size);

#endif
