/* SPDX-License-Identifier: Apache-2.0 */
#include "addition.h"

#if NETWORK_ADD

/* In the sum's scale. At most 255 * 2^20 before, half of it after. */
static int32_t widened(int8_t value, int8_t zero_point, requantise_t factor)
{
    return requantise((value - zero_point) * (1 << ADDITION_LEFT_SHIFT), factor);
}

void add(const addition_t *layer, uint32_t count, const int8_t *first, const int8_t *second, int8_t *output)
{
    for (uint32_t i = 0; i < count; i++) {
        int32_t sum = widened(first[i], layer->first_zero_point, layer->first) +
                      widened(second[i], layer->second_zero_point, layer->second);
        int32_t value = requantise(sum, layer->sum) + layer->output_zero_point;
        value = value < layer->output_min ? layer->output_min : value;
        output[i] = (int8_t)(value > layer->output_max ? layer->output_max : value);
    }
}
#endif
