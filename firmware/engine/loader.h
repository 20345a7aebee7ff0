/* SPDX-License-Identifier: Apache-2.0 */
/* What network_load.c and load_spatial.c share: from the tensors of a file to the parameters of a layer. */
#ifndef HIL_LOADER_H
#define HIL_LOADER_H

#include "look_up_table.h"
#include "network.h"
#include "tflite.h"

#define LOADER_MAX_NAMES (2u * NETWORK_MAX_LAYERS + 1u) /* of tensors: a RESHAPE gives a value another */

typedef struct {
    tflite_t model;
    network_t *network;
    uint32_t activation_bytes; /* of the largest tensor between two layers */
    uint32_t scratch_bytes;
    /* A value is the network's input, 0, or what layer number n - 1 gives, n. */
    uint32_t name_count;
    uint32_t names[LOADER_MAX_NAMES]; /* tensors */
    uint8_t named[LOADER_MAX_NAMES];  /* their values */
    uint8_t reads[NETWORK_MAX_LAYERS][2]; /* values; both the same but for ADD */
} loader_t;

/* An activation: int8 with its quantisation, or float32. */
typedef struct {
    element_type_t type;
    uint32_t size;
    quantisation_t quantisation;
    flatbuffer_vector_t shape;
} activation_t;

/* NULL where the arena is used up; what is needed is counted on. */
void *loader_allocate(network_t *network, uint32_t size);
void loader_need_scratch(loader_t *loader, uint32_t size);
error_t loader_read_activation(loader_t *loader, uint32_t index, activation_t *activation);

/* Weights, bias and factors of `rows` outputs, which lie along `axis` of the weights' `rank` axes, and the fused
 * activation. `weights` gets the tensor. */
error_t loader_read_rows(
    loader_t *loader, const tflite_operator_t *operator, const activation_t *input, const activation_t *output,
    uint32_t rank, uint32_t axis, tflite_tensor_t *weights, fully_connected_t *layer);

/* The range that a fused activation leaves, in quantised units. */
error_t loader_output_range(uint32_t activation, quantisation_t output, int8_t *minimum, int8_t *maximum);

/* CONV_2D, DEPTHWISE_CONV_2D, AVERAGE_POOL_2D, MAX_POOL_2D, ADD, SOFTMAX, as far as they are compiled in; another is
 * ERROR_MODEL_OPERATOR. `second`: ADD's other input. */
error_t load_spatial(
    loader_t *loader, const tflite_operator_t *operator, const activation_t *input, const activation_t *second,
    const activation_t *output, layer_t *layer);

#endif
