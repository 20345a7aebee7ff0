/* SPDX-License-Identifier: Apache-2.0 */
/* Tensors and operators of a .tflite file. Field numbers and enumerations are those of TensorFlow Lite's schema.fbs. */
#ifndef HIL_TFLITE_H
#define HIL_TFLITE_H

#include <stdint.h>

#include "protocol.h"
#include "flatbuffer.h"

/* BuiltinOperator */
enum {
    TFLITE_ADD = 0,
    TFLITE_AVERAGE_POOL_2D = 1,
    TFLITE_CONV_2D = 3,
    TFLITE_DEPTHWISE_CONV_2D = 4,
    TFLITE_DEQUANTIZE = 6,
    TFLITE_FULLY_CONNECTED = 9,
    TFLITE_LOGISTIC = 14,
    TFLITE_MAX_POOL_2D = 17,
    TFLITE_RELU = 19,
    TFLITE_RELU6 = 21,
    TFLITE_RESHAPE = 22,
    TFLITE_SOFTMAX = 25,
    TFLITE_TANH = 28,
    TFLITE_QUANTIZE = 114,
};

/* TensorType */
enum { TFLITE_FLOAT32 = 0, TFLITE_INT32 = 2, TFLITE_INT8 = 9 };

/* ActivationFunctionType */
enum { TFLITE_ACTIVATION_NONE = 0, TFLITE_ACTIVATION_RELU = 1, TFLITE_ACTIVATION_RELU_N1_TO_1 = 2, TFLITE_ACTIVATION_RELU6 = 3 };

/* Padding */
enum { TFLITE_PADDING_SAME = 0, TFLITE_PADDING_VALID = 1 };

#define TFLITE_ABSENT_TENSOR 0xFFFFFFFFu /* index of an optional input that is left out */

/* The parts of the file's only subgraph. */
typedef struct {
    flatbuffer_t file;
    flatbuffer_vector_t operator_codes;
    flatbuffer_vector_t buffers;
    flatbuffer_vector_t tensors;
    flatbuffer_vector_t operators;
    uint32_t input; /* indices of tensors */
    uint32_t output;
} tflite_t;

typedef struct {
    uint32_t type;
    flatbuffer_vector_t shape;
    uint32_t element_count;
    flatbuffer_vector_t data;
    flatbuffer_vector_t scales; /* float32 */
    flatbuffer_vector_t zero_points; /* int64 */
    uint32_t quantized_dimension;
} tflite_tensor_t;

typedef struct {
    uint32_t builtin;
    flatbuffer_vector_t inputs; /* indices of tensors */
    uint32_t output;
    uint32_t options; /* table, 0 if absent */
} tflite_operator_t;

error_t tflite_open(tflite_t *model, const void *data, uint32_t size);
error_t tflite_read_tensor(tflite_t *model, uint32_t index, tflite_tensor_t *tensor);
/* Operator number `index` of the chain. */
error_t tflite_read_operator(tflite_t *model, uint32_t index, tflite_operator_t *operator);
/* The options of an operator as its own table has them; what is absent has its default value. */
typedef struct {
    uint32_t padding;
    uint32_t stride_rows;
    uint32_t stride_columns;
    uint32_t dilation_rows; /* of a convolution */
    uint32_t dilation_columns;
    uint32_t kernel_height; /* of a pool: a convolution's is its weights' */
    uint32_t kernel_width;
    uint32_t depth_multiplier;
} tflite_window_options_t;

/* Of CONV_2D, DEPTHWISE_CONV_2D, AVERAGE_POOL_2D and MAX_POOL_2D. */
tflite_window_options_t tflite_window_options(tflite_t *model, const tflite_operator_t *operator);
/* SOFTMAX's beta, the bits of a float32. */
uint32_t tflite_beta_bits(tflite_t *model, const tflite_operator_t *operator);
uint32_t tflite_fused_activation(tflite_t *model, const tflite_operator_t *operator);
uint32_t tflite_weights_format(tflite_t *model, const tflite_operator_t *operator);

/* Entry of a vector of 32-bit numbers. */
static inline uint32_t tflite_u32(tflite_t *model, flatbuffer_vector_t vector, uint32_t index)
{
    return flatbuffer_u32(&model->file, vector.at + 4u * index);
}

#endif
