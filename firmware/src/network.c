/* SPDX-License-Identifier: Apache-2.0 */
#include "network.h"

#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP
#include <arm_acle.h>

/* Bytes 1 and 3 as two int16; __sxtb16() alone takes bytes 0 and 2. */
static inline int16x2_t odd_bytes(int8x4_t four)
{
    uint32_t bits = (uint32_t)four;
    return __sxtb16((int8x4_t)(bits >> 8 | bits << 24)); /* one instruction: SXTB16 rotates */
}
#endif

/* Sum of products of two int8 vectors. */
static int32_t dot(const int8_t *a, const int8_t *b, uint32_t count)
{
    int32_t sum = 0;
    uint32_t i = 0;
#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP
    /* Four products per turn: bytes 0 and 2, then 1 and 3, widened to pairs of int16. */
    for (; i + 4u <= count; i += 4u) {
        int8x4_t four_a;
        int8x4_t four_b;
        __builtin_memcpy(&four_a, &a[i], sizeof four_a);
        __builtin_memcpy(&four_b, &b[i], sizeof four_b);
        sum = __smlad(__sxtb16(four_a), __sxtb16(four_b), sum);
        sum = __smlad(odd_bytes(four_a), odd_bytes(four_b), sum);
    }
#endif
    for (; i < count; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

static void fully_connected(const network_layer_t *layer, const int8_t *input, int8_t *output)
{
    const int8_t *weights = layer->weights;
    for (uint32_t i = 0; i < layer->output_size; i++) {
        const network_row_t *row = &layer->rows[i];
        uint32_t sum = (uint32_t)row->bias + (uint32_t)dot(weights, input, layer->input_size);
        int32_t value = requantise((int32_t)sum, row->factor);
        value += layer->output_zero_point;
        value = value < layer->output_min ? layer->output_min : value;
        value = value > layer->output_max ? layer->output_max : value;
        output[i] = (int8_t)value;
        weights += layer->input_size;
    }
}

void network_invoke(const network_t *network, const int8_t *input, int8_t *output)
{
    for (uint32_t i = 0; i < network->layer_count; i++) {
        int8_t *result = i + 1u == network->layer_count ? output : network->activations[i & 1u];
        fully_connected(&network->layers[i], input, result);
        input = result;
    }
}
