/* SPDX-License-Identifier: Apache-2.0 */
/* One step of a network, as network_load() prepares it and a kernel runs it. */
#ifndef HIL_LAYER_H
#define HIL_LAYER_H

#include <stdbool.h>
#include <stdint.h>

#include "element_type.h"
#include "requantise.h"

typedef enum {
    KERNEL_FULLY_CONNECTED,
    KERNEL_LOOK_UP,    /* int8 to int8, element by element: RELU, RELU6, LOGISTIC, TANH, QUANTIZE */
    KERNEL_QUANTIZE,   /* float32 to int8 */
    KERNEL_DEQUANTIZE, /* int8 to float32 */
} kernel_t;

typedef struct {
    const int8_t *weights;       /* in the file, row by row */
    const uint8_t *bias;         /* int32 each, in the file and so of any alignment; NULL for none */
    const requantise_t *factors; /* one, or one per row */
    bool per_channel;
    bool factors_below_half; /* all of them: requantise_below_half() may be used */
    int8_t input_zero_point;
    int8_t output_zero_point;
    int8_t output_min;
    int8_t output_max;
} fully_connected_t;

typedef struct {
    float scale;
    int32_t zero_point;
} affine_t;

typedef struct {
    kernel_t kernel;
    uint32_t input_size;
    uint32_t output_size;
    union {
        fully_connected_t fully_connected;
        const int8_t *table; /* 256 outputs for inputs -128 .. 127 */
        affine_t affine;     /* QUANTIZE, DEQUANTIZE */
    } parameters;
} layer_t;

#endif
