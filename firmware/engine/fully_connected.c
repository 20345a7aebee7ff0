/* SPDX-License-Identifier: Apache-2.0 */
/* The input is widened to 16 bits once per layer, its zero point subtracted on the way, and each widened word is used by
 * four rows of weights. */
#include "fully_connected.h"

#include <stddef.h>

#include "pairs.h"

/* The part's instruction cache holds 1 KB: a loop unrolled by the compiler would push the inner one out of it. */
#ifdef __clang__
#define ROLLED _Pragma("clang loop unroll(disable)")
#else
#define ROLLED
#endif

#define ROWS 4u     /* that share a widened word */
#define BATCH 32u   /* rows whose sums are held at once */

__attribute__((noinline)) static void widen(const int8_t *input, uint32_t groups, int32_t zero_point, pair_t *widened)
{
    pair_t zero_points = pair_of(zero_point);
    ROLLED
    for (uint32_t i = 0; i < groups; i++) {
        uint32_t four = load_four(&input[4u * i]);
        widened[2u * i] = subtract(even_bytes(four), zero_points);
        widened[2u * i + 1u] = subtract(odd_bytes(four), zero_points);
    }
}

static int32_t add_products_of_one_row(const int8_t *weights, const pair_t *widened, uint32_t groups, int32_t sum)
{
    ROLLED
    for (uint32_t i = 0; i < groups; i++) {
        uint32_t four = load_four(&weights[4u * i]);
        sum = multiply_add(even_bytes(four), widened[2u * i], sum);
        sum = multiply_add(odd_bytes(four), widened[2u * i + 1u], sum);
    }
    return sum;
}

/* Adds `groups` times four products to the sum of each of `row_count` rows, a multiple of ROWS; rows are `stride` bytes
 * apart. */
#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP
void add_products(
    const int8_t *weights, uint32_t stride, const pair_t *input, uint32_t groups, int32_t *sums, uint32_t row_count);
#else
static void add_products(
    const int8_t *weights, uint32_t stride, const pair_t *input, uint32_t groups, int32_t *sums, uint32_t row_count)
{
    ROLLED
    for (uint32_t row = 0; row < row_count; row++) {
        sums[row] = add_products_of_one_row(&weights[row * stride], input, groups, sums[row]);
    }
}
#endif

/* The last products of each row, where the input's size is no multiple of four. */
__attribute__((noinline)) static void add_rest(
    const int8_t *weights, uint32_t size, const int8_t *input, int32_t zero_point, int32_t *sums, uint32_t row_count)
{
    ROLLED
    for (uint32_t row = 0; row < row_count; row++) {
        ROLLED
        for (uint32_t i = size - size % 4u; i < size; i++) {
            sums[row] = (int32_t)((uint32_t)sums[row] + (uint32_t)(weights[i] * (input[i] - zero_point)));
        }
        weights += size;
    }
}

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
    if (layer->factors_below_half) {
        ROLLED
        for (; sums != end; factor += step) {
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

void fully_connected(const layer_t *layer, const int8_t *input, int8_t *output, uint32_t *scratch)
{
    const fully_connected_t *parameters = &layer->parameters.fully_connected;
    uint32_t size = layer->input_size;
    uint32_t groups = size / 4u;
    int32_t zero_point = parameters->input_zero_point;
    pair_t *widened = (pair_t *)scratch;
    widen(input, groups, zero_point, widened);

    const int8_t *weights = parameters->weights;
    uint32_t row_count;
    ROLLED
    for (uint32_t row = 0; row < layer->output_size; row += row_count) {
        int32_t sums[BATCH];
        row_count = layer->output_size - row < BATCH ? layer->output_size - row : BATCH;
        uint32_t by_four = row_count - row_count % ROWS;
        load_biases(parameters->bias != NULL ? &parameters->bias[4u * row] : NULL, row_count, sums);
        add_products(weights, size, widened, groups, sums, by_four);
        ROLLED
        for (uint32_t i = by_four; i < row_count; i++) {
            sums[i] = add_products_of_one_row(&weights[i * size], widened, groups, sums[i]);
        }
        if (size % 4u != 0u) {
            add_rest(weights, size, input, zero_point, sums, row_count);
        }
        requantise_rows(parameters, row, sums, row_count, &output[row]);
        weights += row_count * size;
    }
    if (parameters->output_min > -128 || parameters->output_max < 127) {
        activate(parameters, output, layer->output_size);
    }
}
