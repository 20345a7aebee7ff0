/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HIL_ROUND_H
#define HIL_ROUND_H

#include <stdint.h>

#define ROUND_LIMIT 1073741824.0f /* 2^30: a zero point may be added to it without overflow */

/* Nearest integer, halves away from zero; limited to +-2^30, 0 for not-a-number. */
static inline int32_t round_to_int(float value)
{
    if (!(value < ROUND_LIMIT)) {
        return value >= ROUND_LIMIT ? 1 << 30 : 0;
    }
    if (!(value > -ROUND_LIMIT)) {
        return -(1 << 30);
    }
    int32_t whole = (int32_t)value; /* truncates; the rest is exact */
    float rest = value - (float)whole;
    return whole + (rest >= 0.5f ? 1 : 0) - (rest <= -0.5f ? 1 : 0);
}

#endif
