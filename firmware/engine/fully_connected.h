/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HIL_FULLY_CONNECTED_H
#define HIL_FULLY_CONNECTED_H

#include <stdint.h>

#include "layer.h"

/* Bytes of scratch memory for an input of `size` values: each widened to 16 bits. */
static inline uint32_t fully_connected_scratch_bytes(uint32_t size)
{
    return (2u * size + 3u) & ~3u;
}

/* output = activation(requantise(weights * (input - zero point) + bias)) */
void fully_connected(const layer_t *layer, const int8_t *input, int8_t *output, uint32_t *scratch);

/* The same for `rows` rows of weights over `size` values of input: one place of a convolution. */
void weighted_sums(
    const fully_connected_t *parameters, const int8_t *input, uint32_t size, uint32_t rows, int8_t *output, uint32_t *scratch);

#endif
