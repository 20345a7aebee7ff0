/* SPDX-License-Identifier: Apache-2.0 */
/* The input is widened to 16 bits once per layer, its zero point subtracted on the way, and each widened word is used by
 * four rows of weights. */
#include "fully_connected.h"

#include "pairs.h"
#include "rows.h"

#define ROWS 4u     /* that share a widened word */

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

void weighted_sums(
    const fully_connected_t *parameters, const int8_t *input, uint32_t size, uint32_t rows, int8_t *output, uint32_t *scratch)
{
    uint32_t groups = size / 4u;
    int32_t zero_point = parameters->input_zero_point;
    pair_t *widened = (pair_t *)scratch;
    widen(input, groups, zero_point, widened);

    const int8_t *weights = parameters->weights;
    uint32_t row_count;
    ROLLED
    for (uint32_t row = 0; row < rows; row += row_count) {
        int32_t sums[ROW_BATCH];
        row_count = rows - row < ROW_BATCH ? rows - row : ROW_BATCH;
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
    if (activates(parameters)) {
        activate(parameters, output, rows);
    }
}

void fully_connected(const layer_t *layer, const int8_t *input, int8_t *output, uint32_t *scratch)
{
    weighted_sums(&layer->parameters.fully_connected, input, layer->input_size, layer->output_size, output, scratch);
}
