/* SPDX-License-Identifier: Apache-2.0 */
/* An int8 autoencoder of fully connected layers, 32-8-8-32, eight inferences: dual multiply-accumulates, weights in
 * flash, requantisation by a high multiply with rounding. */
#include <arm_acle.h>
#include <stdint.h>

#define INPUTS 32u
#define HIDDEN 8u
#define ROUNDS 8u

#include "weights.h"

static int32_t pair(const int8_t *values, uint32_t at)
{
    int32_t four;
    __builtin_memcpy(&four, values + at, 4);
    return four;
}

static void layer(const int8_t *weights, const int32_t *bias, const int8_t *in, uint32_t ins, int8_t *out,
                  uint32_t outs, int32_t lowest)
{
    for (uint32_t row = 0; row < outs; row++, weights += ins) {
        int32_t sum = bias[row];
        for (uint32_t i = 0; i < ins; i += 4u) {
            int32_t w = pair(weights, i);
            int32_t x = pair(in, i);
            sum = __smlad(__sxtb16(w), __sxtb16(x), sum);
            sum = __smlad(__sxtb16((int32_t)__ror((uint32_t)w, 8)), __sxtb16((int32_t)__ror((uint32_t)x, 8)), sum);
        }
        int32_t scaled = (int32_t)(((int64_t)sum * (1 << 24) + (1LL << 31)) >> 32);
        scaled = __ssat(scaled, 8);
        out[row] = (int8_t)(scaled < lowest ? lowest : scaled);
    }
}

uint32_t program(void)
{
    int8_t in[INPUTS] __attribute__((aligned(4)));
    int8_t first[HIDDEN] __attribute__((aligned(4)));
    int8_t second[HIDDEN] __attribute__((aligned(4)));
    int8_t out[INPUTS] __attribute__((aligned(4)));
    uint32_t state = 1;
    uint32_t result = 0;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < INPUTS; i++) {
            state = state * 1664525u + 1013904223u;
            in[i] = (int8_t)(state >> 24);
        }
        layer(weights_1, bias_1, in, INPUTS, first, HIDDEN, 0);
        layer(weights_2, bias_2, first, HIDDEN, second, HIDDEN, 0);
        layer(weights_3, bias_3, second, HIDDEN, out, INPUTS, -128);
        for (uint32_t i = 0; i < INPUTS; i++) {
            result = result * 31u + (uint8_t)out[i];
        }
    }
    return result;
}
