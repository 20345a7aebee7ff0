/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels that take one element to one element. Float32 values may have any alignment. */
#ifndef HIL_ELEMENTWISE_H
#define HIL_ELEMENTWISE_H

#include <stdint.h>

#include "layer.h"

#define TABLE_ENTRIES 256u /* one for each int8, -128 first */

static inline uint32_t table_index(int8_t value)
{
    return (uint32_t)(value + 128);
}

void look_up(const int8_t *table, uint32_t count, const int8_t *input, int8_t *output);

/* round(x / scale) + zero_point in float32, halves away from zero, clamped to int8. What no int32 holds becomes the
 * nearest int8, and not-a-number the zero point; TFLite Micro leaves both undefined. */
void quantize(affine_t affine, uint32_t count, const uint8_t *input, int8_t *output);

/* scale * (q - zero_point), rounded once. */
void dequantize(affine_t affine, uint32_t count, const int8_t *input, uint8_t *output);

#endif
