/* SPDX-License-Identifier: Apache-2.0 */
/* An interpreter for int8 networks, read from a .tflite file where it lies.
 *
 * Supported: one subgraph on a batch of 1, of FULLY_CONNECTED, CONV_2D and DEPTHWISE_CONV_2D (weights int8 with zero
 * point 0, per tensor or per channel; bias int32 or none; fused NONE, RELU, RELU6 or RELU_N1_TO_1; any stride and
 * dilation), AVERAGE_POOL_2D, MAX_POOL_2D, ADD of two tensors of one shape, SOFTMAX, RELU, RELU6, LOGISTIC, TANH,
 * QUANTIZE (from float32 or int8), DEQUANTIZE and RESHAPE. A tensor may be read more than once. Outputs equal those of
 * TFLite Micro's reference kernels bit for bit. Anything else is refused by network_load() with an error code.
 *
 * With -DENGINE=tflm the same interface stands in front of TensorFlow Lite Micro (engine_tflm/). */
#ifndef HIL_NETWORK_H
#define HIL_NETWORK_H

#include <stdint.h>

#include "config.h"
#include "protocol.h"
#include "layer.h"

#define NETWORK_ENGINE "builtin" /* as the console names it */

typedef struct {
    uint32_t input_size; /* in elements */
    uint32_t output_size;
    element_type_t input_type;
    element_type_t output_type;
    uint32_t layer_count;
    uint32_t arena_needed_bytes; /* also where that is more than there is: ERROR_MODEL_MEMORY */
    layer_t layers[NETWORK_MAX_LAYERS];
    uint32_t *scratch; /* see fully_connected.h and convolution.h */
    uint32_t arena[NETWORK_ARENA_BYTES / 4u];
} network_t;

/* Checks the file and prepares `network`, which keeps pointers into both. On an error the network is not usable. */
error_t network_load(network_t *network, const void *file, uint32_t size);

/* One inference: input_size values of input_type in, output_size values of output_type out. Input and
 * output may have any alignment, but not overlap. */
void network_invoke(const network_t *network, const void *input, void *output);

#endif
