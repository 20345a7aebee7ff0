/* SPDX-License-Identifier: Apache-2.0 */
/* One step of a network, as network_load() prepares it and a kernel runs it. */
#ifndef HIL_LAYER_H
#define HIL_LAYER_H

#include <stdbool.h>
#include <stdint.h>

#include "element_type.h"
#include "operators.h"
#include "requantise.h"

typedef enum {
    KERNEL_FULLY_CONNECTED,
    KERNEL_LOOK_UP,    /* int8 to int8, element by element: RELU, RELU6, LOGISTIC, TANH, QUANTIZE */
    KERNEL_QUANTIZE,   /* float32 to int8 */
    KERNEL_DEQUANTIZE, /* int8 to float32 */
    KERNEL_CONV_2D,
    KERNEL_DEPTHWISE_CONV_2D,
    KERNEL_AVERAGE_POOL_2D,
    KERNEL_MAX_POOL_2D,
    KERNEL_ADD,
    KERNEL_SOFTMAX,
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

/* How a kernel moves over an image. A tensor runs over rows, columns, channels. */
typedef struct {
    uint16_t height; /* of the image */
    uint16_t width;
    uint16_t channels;
    uint16_t output_height;
    uint16_t output_width;
    uint16_t kernel_height;
    uint16_t kernel_width;
    uint16_t stride_rows;
    uint16_t stride_columns;
    uint16_t dilation_rows;
    uint16_t dilation_columns;
    uint16_t padding_above;
    uint16_t padding_left;
} window_t;

typedef struct {
    fully_connected_t rows; /* an output channel is a row */
    window_t window;
    uint32_t outputs; /* channels */
} convolution_t;

typedef struct {
    window_t window;
    int8_t output_min;
    int8_t output_max;
} pool_t;

typedef struct {
    requantise_t first;
    requantise_t second;
    requantise_t sum;
    int8_t first_zero_point;
    int8_t second_zero_point;
    int8_t output_zero_point;
    int8_t output_min;
    int8_t output_max;
} addition_t;

typedef struct {
    requantise_t factor;
    int32_t lowest; /* differences from the largest input below this one give 0 */
    uint32_t depth;
} softmax_t;

typedef struct {
    kernel_t kernel;
    uint32_t input_size;
    uint32_t output_size;
    const void *source; /* NULL: the network's input */
    void *result;       /* NULL: the network's output */
#if NETWORK_ADD
    const void *second; /* ADD's other input */
#endif
    union {
        fully_connected_t fully_connected;
        const int8_t *table; /* 256 outputs for inputs -128 .. 127 */
        affine_t affine;     /* QUANTIZE, DEQUANTIZE */
#if NETWORK_CONV_2D || NETWORK_DEPTHWISE_CONV_2D
        convolution_t convolution;
#endif
#if NETWORK_POOL_2D
        pool_t pool;
#endif
#if NETWORK_ADD
        addition_t addition;
#endif
#if NETWORK_SOFTMAX
        softmax_t softmax;
#endif
    } parameters;
} layer_t;

#endif
