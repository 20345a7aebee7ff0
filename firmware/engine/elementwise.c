/* SPDX-License-Identifier: Apache-2.0 */
#include "elementwise.h"

#include "round.h"

void look_up(const int8_t *table, uint32_t count, const int8_t *input, int8_t *output)
{
    for (uint32_t i = 0; i < count; i++) {
        output[i] = table[table_index(input[i])];
    }
}

void quantize(affine_t affine, uint32_t count, const uint8_t *input, int8_t *output)
{
    for (uint32_t i = 0; i < count; i++) {
        float real;
        __builtin_memcpy(&real, &input[sizeof real * i], sizeof real);
        int32_t value = round_to_int(real / affine.scale) + affine.zero_point;
        value = value < -128 ? -128 : value;
        output[i] = (int8_t)(value > 127 ? 127 : value);
    }
}

void dequantize(affine_t affine, uint32_t count, const int8_t *input, uint8_t *output)
{
    for (uint32_t i = 0; i < count; i++) {
        /* TFLite Micro multiplies in double and rounds to float: both factors are exact, so this rounds the same. */
        float real = affine.scale * (float)(input[i] - affine.zero_point);
        __builtin_memcpy(&output[sizeof real * i], &real, sizeof real);
    }
}
