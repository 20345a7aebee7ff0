/* SPDX-License-Identifier: Apache-2.0 */
/* An interpreter for int8 networks of fully connected layers, read from a .tflite file where it lies.
 *
 * Supported: one subgraph that is a chain of FULLY_CONNECTED operators with fused NONE, RELU or RELU6; weights int8
 * with zero point 0, per tensor or per channel; bias int32 or none; batch 1. Outputs equal those of TFLite Micro's
 * reference kernels bit for bit. Anything else is refused by network_load() with an error code. */
#ifndef HIL_NETWORK_H
#define HIL_NETWORK_H

#include <stdint.h>

#include "config.h"
#include "errors.h"
#include "requantise.h"

/* One output of a layer. */
typedef struct {
    int32_t bias; /* with the input's zero point folded in */
    requantise_t factor;
} network_row_t;

typedef struct {
    const int8_t *weights; /* in the file, row by row */
    network_row_t *rows;
    uint32_t input_size;
    uint32_t output_size;
    int32_t output_zero_point;
    int32_t output_min;
    int32_t output_max;
} network_layer_t;

typedef struct {
    uint32_t input_size;
    uint32_t output_size;
    uint32_t layer_count;
    uint32_t arena_used_bytes;
    network_layer_t layers[NETWORK_MAX_LAYERS];
    int8_t *activations[2]; /* layers write to them in turn */
    uint32_t arena[NETWORK_ARENA_BYTES / 4u];
} network_t;

/* Checks the file and prepares `network`, which keeps pointers into both. On an error the network is not usable. */
error_t network_load(network_t *network, const void *file, uint32_t size);

/* One inference: input_size values in, output_size values out. */
void network_invoke(const network_t *network, const int8_t *input, int8_t *output);

#endif
