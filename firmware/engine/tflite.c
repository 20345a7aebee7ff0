/* SPDX-License-Identifier: Apache-2.0 */
#include "tflite.h"

/* Numbers of the fields in their tables. */
enum { MODEL_VERSION = 0, MODEL_OPERATOR_CODES = 1, MODEL_SUBGRAPHS = 2, MODEL_BUFFERS = 4 };
enum { OPERATOR_CODE_DEPRECATED_BUILTIN = 0, OPERATOR_CODE_BUILTIN = 3 };
enum { SUBGRAPH_TENSORS = 0, SUBGRAPH_INPUTS = 1, SUBGRAPH_OUTPUTS = 2, SUBGRAPH_OPERATORS = 3 };
enum { TENSOR_SHAPE = 0, TENSOR_TYPE = 1, TENSOR_BUFFER = 2, TENSOR_QUANTIZATION = 4 };
enum { QUANTIZATION_SCALE = 2, QUANTIZATION_ZERO_POINT = 3, QUANTIZATION_DIMENSION = 6 };
enum { OPERATOR_OPCODE_INDEX = 0, OPERATOR_INPUTS = 1, OPERATOR_OUTPUTS = 2, OPERATOR_OPTIONS = 4 };
enum { FULLY_CONNECTED_ACTIVATION = 0, FULLY_CONNECTED_WEIGHTS_FORMAT = 1 };
enum { WINDOW_PADDING = 0, WINDOW_STRIDE_COLUMNS = 1, WINDOW_STRIDE_ROWS = 2 };
enum { CONV_2D_ACTIVATION = 3, CONV_2D_DILATION_COLUMNS = 4, CONV_2D_DILATION_ROWS = 5 };
enum { DEPTHWISE_MULTIPLIER = 3, DEPTHWISE_ACTIVATION = 4, DEPTHWISE_DILATION_COLUMNS = 5, DEPTHWISE_DILATION_ROWS = 6 };
enum { POOL_KERNEL_WIDTH = 3, POOL_KERNEL_HEIGHT = 4, POOL_ACTIVATION = 5 };
enum { ADD_ACTIVATION = 0 };
enum { SOFTMAX_BETA = 0 };
enum { BUFFER_DATA = 0 };

#define IDENTIFIER ('T' | 'F' << 8 | 'L' << 16 | '3' << 24)
#define SCHEMA_VERSION 3u
#define MAX_ELEMENTS 0xFFFFFFu /* a part with 1 MB of flash: 24 bits do, and sums of sizes cannot overflow */

static uint32_t u32_field(flatbuffer_t *file, uint32_t table, uint32_t field)
{
    uint32_t at = flatbuffer_field(file, table, field);
    return at == 0u ? 0u : flatbuffer_u32(file, at);
}

static uint32_t u8_field(flatbuffer_t *file, uint32_t table, uint32_t field)
{
    uint32_t at = flatbuffer_field(file, table, field);
    return at == 0u ? 0u : flatbuffer_u8(file, at);
}

error_t tflite_open(tflite_t *model, const void *data, uint32_t size)
{
    flatbuffer_t *file = &model->file;
    *file = (flatbuffer_t){.data = data, .size = size, .broken = false};
    uint32_t identifier = flatbuffer_u32(file, 4);
    uint32_t root = flatbuffer_follow(file, 0);
    uint32_t version = u32_field(file, root, MODEL_VERSION);
    if (identifier != IDENTIFIER || version != SCHEMA_VERSION) {
        return ERROR_MODEL_IDENTIFIER;
    }
    model->operator_codes = flatbuffer_vector(file, root, MODEL_OPERATOR_CODES, 4);
    model->buffers = flatbuffer_vector(file, root, MODEL_BUFFERS, 4);
    flatbuffer_vector_t subgraphs = flatbuffer_vector(file, root, MODEL_SUBGRAPHS, 4);
    if (!file->broken && subgraphs.count != 1u) {
        return ERROR_MODEL_GRAPH;
    }
    uint32_t subgraph = flatbuffer_table(file, subgraphs, 0);
    model->tensors = flatbuffer_vector(file, subgraph, SUBGRAPH_TENSORS, 4);
    model->operators = flatbuffer_vector(file, subgraph, SUBGRAPH_OPERATORS, 4);
    flatbuffer_vector_t inputs = flatbuffer_vector(file, subgraph, SUBGRAPH_INPUTS, 4);
    flatbuffer_vector_t outputs = flatbuffer_vector(file, subgraph, SUBGRAPH_OUTPUTS, 4);
    if (file->broken) {
        return ERROR_MODEL_BOUNDS;
    }
    if (inputs.count != 1u || outputs.count != 1u || model->operators.count == 0u) {
        return ERROR_MODEL_GRAPH;
    }
    model->input = tflite_u32(model, inputs, 0);
    model->output = tflite_u32(model, outputs, 0);
    return ERROR_NONE;
}

error_t tflite_read_tensor(tflite_t *model, uint32_t index, tflite_tensor_t *tensor)
{
    flatbuffer_t *file = &model->file;
    uint32_t table = flatbuffer_table(file, model->tensors, index);
    uint32_t buffer = flatbuffer_table(file, model->buffers, u32_field(file, table, TENSOR_BUFFER));
    tensor->type = u8_field(file, table, TENSOR_TYPE);
    tensor->shape = flatbuffer_vector(file, table, TENSOR_SHAPE, 4);
    tensor->data = flatbuffer_vector(file, buffer, BUFFER_DATA, 1);
    tensor->scales = (flatbuffer_vector_t){0, 0};
    tensor->zero_points = (flatbuffer_vector_t){0, 0};
    tensor->quantized_dimension = 0;
    uint32_t quantization = flatbuffer_field(file, table, TENSOR_QUANTIZATION);
    if (quantization != 0u) {
        quantization = flatbuffer_follow(file, quantization);
        tensor->scales = flatbuffer_vector(file, quantization, QUANTIZATION_SCALE, 4);
        tensor->zero_points = flatbuffer_vector(file, quantization, QUANTIZATION_ZERO_POINT, 8);
        tensor->quantized_dimension = u32_field(file, quantization, QUANTIZATION_DIMENSION);
    }

    tensor->element_count = 1;
    for (uint32_t i = 0; i < tensor->shape.count && !file->broken; i++) {
        uint32_t extent = tflite_u32(model, tensor->shape, i);
        if (extent == 0u || extent > MAX_ELEMENTS / tensor->element_count) {
            return ERROR_MODEL_SHAPE;
        }
        tensor->element_count *= extent;
    }
    return file->broken ? ERROR_MODEL_BOUNDS : ERROR_NONE;
}

error_t tflite_read_operator(tflite_t *model, uint32_t index, tflite_operator_t *operator)
{
    flatbuffer_t *file = &model->file;
    uint32_t table = flatbuffer_table(file, model->operators, index);
    uint32_t code = flatbuffer_table(file, model->operator_codes, u32_field(file, table, OPERATOR_OPCODE_INDEX));
    uint32_t builtin = u32_field(file, code, OPERATOR_CODE_BUILTIN);
    uint32_t deprecated = u8_field(file, code, OPERATOR_CODE_DEPRECATED_BUILTIN); /* files before schema 3a */
    operator->builtin = builtin > deprecated ? builtin : deprecated;
    operator->inputs = flatbuffer_vector(file, table, OPERATOR_INPUTS, 4);
    flatbuffer_vector_t outputs = flatbuffer_vector(file, table, OPERATOR_OUTPUTS, 4);
    uint32_t options = flatbuffer_field(file, table, OPERATOR_OPTIONS);
    operator->options = options == 0u ? 0u : flatbuffer_follow(file, options);
    if (!file->broken && (operator->inputs.count == 0u || outputs.count != 1u)) {
        return ERROR_MODEL_GRAPH;
    }
    operator->output = tflite_u32(model, outputs, 0);
    return file->broken ? ERROR_MODEL_BOUNDS : ERROR_NONE;
}

uint32_t tflite_fused_activation(tflite_t *model, const tflite_operator_t *operator)
{
    uint32_t field;
    switch (operator->builtin) {
    case TFLITE_CONV_2D:
        field = CONV_2D_ACTIVATION;
        break;
    case TFLITE_DEPTHWISE_CONV_2D:
        field = DEPTHWISE_ACTIVATION;
        break;
    case TFLITE_AVERAGE_POOL_2D:
    case TFLITE_MAX_POOL_2D:
        field = POOL_ACTIVATION;
        break;
    case TFLITE_ADD:
        field = ADD_ACTIVATION;
        break;
    default:
        field = FULLY_CONNECTED_ACTIVATION;
        break;
    }
    return operator->options == 0u ? TFLITE_ACTIVATION_NONE : u8_field(&model->file, operator->options, field);
}

static uint32_t u32_field_or(tflite_t *model, const tflite_operator_t *operator, uint32_t field, uint32_t otherwise)
{
    uint32_t at = operator->options == 0u ? 0u : flatbuffer_field(&model->file, operator->options, field);
    return at == 0u ? otherwise : flatbuffer_u32(&model->file, at);
}

tflite_window_options_t tflite_window_options(tflite_t *model, const tflite_operator_t *operator)
{
    tflite_window_options_t options = {.dilation_rows = 1, .dilation_columns = 1};
    options.padding = operator->options == 0u ? 0u : u8_field(&model->file, operator->options, WINDOW_PADDING);
    options.stride_rows = u32_field_or(model, operator, WINDOW_STRIDE_ROWS, 0);
    options.stride_columns = u32_field_or(model, operator, WINDOW_STRIDE_COLUMNS, 0);
    switch (operator->builtin) {
    case TFLITE_CONV_2D:
        options.dilation_rows = u32_field_or(model, operator, CONV_2D_DILATION_ROWS, 1);
        options.dilation_columns = u32_field_or(model, operator, CONV_2D_DILATION_COLUMNS, 1);
        break;
    case TFLITE_DEPTHWISE_CONV_2D:
        options.dilation_rows = u32_field_or(model, operator, DEPTHWISE_DILATION_ROWS, 1);
        options.dilation_columns = u32_field_or(model, operator, DEPTHWISE_DILATION_COLUMNS, 1);
        options.depth_multiplier = u32_field_or(model, operator, DEPTHWISE_MULTIPLIER, 0);
        break;
    default:
        options.kernel_height = u32_field_or(model, operator, POOL_KERNEL_HEIGHT, 0);
        options.kernel_width = u32_field_or(model, operator, POOL_KERNEL_WIDTH, 0);
        break;
    }
    return options;
}

uint32_t tflite_beta_bits(tflite_t *model, const tflite_operator_t *operator)
{
    return u32_field_or(model, operator, SOFTMAX_BETA, 0);
}

uint32_t tflite_weights_format(tflite_t *model, const tflite_operator_t *operator)
{
    return operator->options == 0u ? 0u : u8_field(&model->file, operator->options, FULLY_CONNECTED_WEIGHTS_FORMAT);
}
