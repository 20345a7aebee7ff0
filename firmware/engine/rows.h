/* SPDX-License-Identifier: Apache-2.0 */
/* From a bias to a sum, and from a sum to an output: what all layers with weights share. A row is an output, or an output
 * channel. */
#ifndef HIL_ROWS_H
#define HIL_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "layer.h"

/* The part's instruction cache holds 1 KB: a loop unrolled by the compiler would push the inner one out of it. */
#ifdef __clang__
#define ROLLED _Pragma("clang loop unroll(disable)")
#else
#define ROLLED
#endif

/* Rows whose sums are held at once, on the stack. Each batch pushes the inner loop out of the part's instruction cache, and
 * more of them cost a network of wide layers some 2 % at 80 MHz. */
#define ROW_BATCH 128u

/* Outputs of `count` rows from their sums. */
__attribute__((noinline)) static void requantise_rows(
    const fully_connected_t *layer, uint32_t row, const int32_t *sums, uint32_t count, int8_t *output)
{
    const int32_t *end = sums + count;
    const requantise_t *factor = layer->factors;
    uint32_t step = 0;
    int32_t zero_point = layer->output_zero_point;
    if (layer->per_channel) {
        factor += row;
        step = 1;
    }
    if (layer->factors_below_half && step == 0u) {
        requantise_t one_for_all = *factor; /* in registers: a store of an output might be to the factor */
        ROLLED
        while (sums != end) {
            *output++ = (int8_t)requantise_below_half(*sums++, one_for_all, zero_point);
        }
    } else if (layer->factors_below_half) {
        ROLLED
        for (; sums != end; factor++) {
            *output++ = (int8_t)requantise_below_half(*sums++, *factor, zero_point);
        }
    } else {
        ROLLED
        for (; sums != end; factor += step) {
            *output++ = (int8_t)limited_to_int8(requantise(*sums++, *factor) + zero_point);
        }
    }
}

/* The fused activation, where it leaves less than int8 does. */
static void activate(const fully_connected_t *layer, int8_t *output, uint32_t count)
{
    int8_t low = layer->output_min;
    int8_t high = layer->output_max;
    ROLLED
    for (uint32_t i = 0; i < count; i++) {
        output[i] = output[i] < low ? low : output[i];
        output[i] = output[i] > high ? high : output[i];
    }
}

static inline bool activates(const fully_connected_t *layer)
{
    return layer->output_min > -128 || layer->output_max < 127;
}

static inline void load_biases(const uint8_t *bias, uint32_t count, int32_t *sums)
{
    if (bias == NULL) {
        ROLLED
        for (uint32_t i = 0; i < count; i++) {
            sums[i] = 0;
        }
    } else {
        ROLLED
        for (uint32_t i = 0; i < count; i++) {
            __builtin_memcpy(&sums[i], &bias[4u * i], sizeof sums[i]);
        }
    }
}

#endif
