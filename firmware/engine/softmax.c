/* SPDX-License-Identifier: Apache-2.0 */
#include "softmax.h"

#include "fixed_point.h"

#if NETWORK_SOFTMAX

static int32_t exponential_q31(const softmax_t *layer, int32_t difference)
{
    return fixed_exp_of_negative(requantise(difference, layer->factor));
}

static void softmax_row(const softmax_t *layer, const int8_t *input, int8_t *output)
{
    int32_t largest = -128;
    for (uint32_t i = 0; i < layer->depth; i++) {
        largest = input[i] > largest ? input[i] : largest;
    }
    uint32_t sum = 0; /* at least 1.0: the largest input's */
    for (uint32_t i = 0; i < layer->depth; i++) {
        if (input[i] - largest >= layer->lowest) {
            sum += (uint32_t)divide_by_power_of_two(exponential_q31(layer, input[i] - largest), SOFTMAX_SUM_BITS);
        }
    }
    uint32_t headroom = (uint32_t)__builtin_clz(sum);
    int32_t reciprocal_q31 = fixed_one_over_one_plus((int32_t)((sum << headroom) - (1u << 31)));
    int32_t exponent = (int32_t)(SOFTMAX_SUM_BITS + 31u - 8u) - (int32_t)headroom;
    for (uint32_t i = 0; i < layer->depth; i++) {
        int32_t value = -128;
        if (input[i] - largest >= layer->lowest) {
            int32_t share = doubling_high_product(reciprocal_q31, exponential_q31(layer, input[i] - largest));
            value += divide_by_power_of_two(share, exponent);
        }
        output[i] = (int8_t)limited_to_int8(value);
    }
}

void softmax(const softmax_t *layer, uint32_t count, const int8_t *input, int8_t *output)
{
    for (uint32_t i = 0; i < count; i += layer->depth) {
        softmax_row(layer, &input[i], &output[i]);
    }
}
#endif
