/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a .tflite file into a network. Field numbers and enumerations are those of TensorFlow Lite's schema.fbs. */
#include <stdbool.h>
#include <stddef.h>

#include "flatbuffer.h"
#include "network.h"

enum { MODEL_VERSION = 0, MODEL_OPERATOR_CODES = 1, MODEL_SUBGRAPHS = 2, MODEL_BUFFERS = 4 };
enum { OPERATOR_CODE_DEPRECATED_BUILTIN = 0, OPERATOR_CODE_BUILTIN = 3 };
enum { SUBGRAPH_TENSORS = 0, SUBGRAPH_INPUTS = 1, SUBGRAPH_OUTPUTS = 2, SUBGRAPH_OPERATORS = 3 };
enum { TENSOR_SHAPE = 0, TENSOR_TYPE = 1, TENSOR_BUFFER = 2, TENSOR_QUANTIZATION = 4 };
enum { QUANTIZATION_SCALE = 2, QUANTIZATION_ZERO_POINT = 3, QUANTIZATION_DIMENSION = 6 };
enum { OPERATOR_OPCODE_INDEX = 0, OPERATOR_INPUTS = 1, OPERATOR_OUTPUTS = 2, OPERATOR_OPTIONS = 4 };
enum { OPTIONS_FUSED_ACTIVATION = 0, OPTIONS_WEIGHTS_FORMAT = 1 };
enum { BUFFER_DATA = 0 };

#define SCHEMA_VERSION 3u
#define BUILTIN_FULLY_CONNECTED 9u
#define ABSENT_TENSOR 0xFFFFFFFFu

enum { TYPE_INT32 = 2, TYPE_INT8 = 9 };
enum { ACTIVATION_NONE = 0, ACTIVATION_RELU = 1, ACTIVATION_RELU6 = 3 };

typedef struct {
    flatbuffer_t file;
    flatbuffer_vector_t operator_codes;
    flatbuffer_vector_t buffers;
    flatbuffer_vector_t tensors;
    network_t *network;
} loader_t;

typedef struct {
    uint32_t type;
    flatbuffer_vector_t shape;
    uint32_t element_count;
    flatbuffer_vector_t data;
    flatbuffer_vector_t scales;
    flatbuffer_vector_t zero_points;
    uint32_t quantized_dimension;
} tensor_t;

static uint32_t u32_of(flatbuffer_t *file, flatbuffer_vector_t vector, uint32_t index)
{
    return flatbuffer_u32(file, vector.at + 4u * index);
}

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

static void *allocate(network_t *network, uint32_t size)
{
    uint32_t padded = (size + 3u) & ~3u;
    if (size > sizeof network->arena || padded > sizeof network->arena - network->arena_used_bytes) {
        return NULL;
    }
    void *memory = &network->arena[network->arena_used_bytes / 4u];
    network->arena_used_bytes += padded;
    return memory;
}

static error_t read_tensor(loader_t *loader, uint32_t index, tensor_t *tensor)
{
    flatbuffer_t *file = &loader->file;
    uint32_t table = flatbuffer_table(file, loader->tensors, index);
    uint32_t buffer = flatbuffer_table(file, loader->buffers, u32_field(file, table, TENSOR_BUFFER));
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
        uint32_t extent = u32_of(file, tensor->shape, i);
        if (extent == 0u || extent > 0xFFFFFFu / tensor->element_count) { /* a part with 1 MB of flash: 24 bits do */
            return ERROR_MODEL_SHAPE;
        }
        tensor->element_count *= extent;
    }
    return file->broken ? ERROR_MODEL_BOUNDS : ERROR_NONE;
}

/* Scale (as bits) and zero point of an activation tensor. */
static error_t read_activation(loader_t *loader, uint32_t index, tensor_t *tensor, uint32_t *scale, int32_t *zero_point)
{
    error_t error = read_tensor(loader, index, tensor);
    if (error != ERROR_NONE) {
        return error;
    }
    if (tensor->type != TYPE_INT8) {
        return ERROR_MODEL_TYPE;
    }
    if (tensor->scales.count != 1u || tensor->zero_points.count != 1u) {
        return ERROR_MODEL_QUANTISATION;
    }
    *scale = u32_of(&loader->file, tensor->scales, 0);
    *zero_point = (int32_t)flatbuffer_u32(&loader->file, tensor->zero_points.at); /* int64: the low word is enough */
    return *zero_point < -128 || *zero_point > 127 ? ERROR_MODEL_QUANTISATION : ERROR_NONE;
}

static error_t check_weights(loader_t *loader, const tensor_t *weights, uint32_t input_size)
{
    if (weights->type != TYPE_INT8) {
        return ERROR_MODEL_TYPE;
    }
    if (weights->shape.count != 2u || u32_of(&loader->file, weights->shape, 1) != input_size ||
        weights->data.count != weights->element_count) {
        return ERROR_MODEL_SHAPE;
    }
    uint32_t rows = u32_of(&loader->file, weights->shape, 0);
    bool per_tensor = weights->scales.count == 1u;
    bool per_channel = weights->scales.count == rows && weights->quantized_dimension == 0u;
    if (!per_tensor && !per_channel) {
        return ERROR_MODEL_QUANTISATION;
    }
    for (uint32_t i = 0; i < weights->zero_points.count; i++) {
        if (flatbuffer_u32(&loader->file, weights->zero_points.at + 8u * i) != 0u) {
            return ERROR_MODEL_QUANTISATION;
        }
    }
    return ERROR_NONE;
}

/* The range that the fused activation leaves, in quantised units. */
static error_t set_output_range(network_layer_t *layer, uint32_t activation, uint32_t scale_bits)
{
    layer->output_min = -128;
    layer->output_max = 127;
    if (activation == ACTIVATION_NONE) {
        return ERROR_NONE;
    }
    if (activation != ACTIVATION_RELU && activation != ACTIVATION_RELU6) {
        return ERROR_MODEL_OPERATOR;
    }
    layer->output_min = layer->output_zero_point; /* >= -128 */
    if (activation == ACTIVATION_RELU6) {
        float scale;
        __builtin_memcpy(&scale, &scale_bits, sizeof scale);
        float six = 6.0f / scale;
        if (six < 256.0f) { /* otherwise beyond any int8 */
            int32_t whole = (int32_t)six;
            int32_t rounded = whole + (six - (float)whole >= 0.5f ? 1 : 0);
            int32_t limit = layer->output_zero_point + rounded;
            layer->output_max = limit < 127 ? limit : 127;
        }
    }
    return ERROR_NONE;
}

/* sum(w * (x - zero_point)) = sum(w * x) - zero_point * sum(w): the second part goes into the bias. */
static int32_t folded_bias(const int8_t *weights, uint32_t count, int32_t bias, int32_t zero_point)
{
    int32_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += weights[i];
    }
    return (int32_t)((uint32_t)bias - (uint32_t)zero_point * (uint32_t)sum); /* modulo 2^32, as the kernel's sum is */
}

static error_t read_layer(loader_t *loader, uint32_t table, uint32_t *current)
{
    flatbuffer_t *file = &loader->file;
    uint32_t code = flatbuffer_table(file, loader->operator_codes, u32_field(file, table, OPERATOR_OPCODE_INDEX));
    uint32_t builtin = u32_field(file, code, OPERATOR_CODE_BUILTIN);
    uint32_t deprecated = u8_field(file, code, OPERATOR_CODE_DEPRECATED_BUILTIN); /* files before schema 3a */
    flatbuffer_vector_t inputs = flatbuffer_vector(file, table, OPERATOR_INPUTS, 4);
    flatbuffer_vector_t outputs = flatbuffer_vector(file, table, OPERATOR_OUTPUTS, 4);
    uint32_t options = flatbuffer_field(file, table, OPERATOR_OPTIONS);
    if (file->broken) {
        return ERROR_MODEL_BOUNDS;
    }
    if ((builtin > deprecated ? builtin : deprecated) != BUILTIN_FULLY_CONNECTED) {
        return ERROR_MODEL_OPERATOR;
    }
    if (inputs.count < 2u || inputs.count > 3u || outputs.count != 1u || u32_of(file, inputs, 0) != *current) {
        return ERROR_MODEL_GRAPH;
    }
    uint32_t activation = ACTIVATION_NONE;
    if (options != 0u) {
        options = flatbuffer_follow(file, options);
        activation = u8_field(file, options, OPTIONS_FUSED_ACTIVATION);
        if (u8_field(file, options, OPTIONS_WEIGHTS_FORMAT) != 0u) {
            return ERROR_MODEL_OPERATOR;
        }
    }

    network_t *network = loader->network;
    if (network->layer_count == NETWORK_MAX_LAYERS) {
        return ERROR_MODEL_MEMORY;
    }
    network_layer_t *layer = &network->layers[network->layer_count++];
    tensor_t input, weights, output, bias;
    uint32_t input_scale = 0, output_scale = 0;
    int32_t input_zero_point = 0;
    uint32_t bias_index = inputs.count == 3u ? u32_of(file, inputs, 2) : ABSENT_TENSOR;
    error_t error = read_activation(loader, *current, &input, &input_scale, &input_zero_point);
    if (error == ERROR_NONE) {
        error = read_activation(loader, u32_of(file, outputs, 0), &output, &output_scale, &layer->output_zero_point);
    }
    if (error == ERROR_NONE) {
        error = read_tensor(loader, u32_of(file, inputs, 1), &weights);
    }
    if (error == ERROR_NONE) {
        error = check_weights(loader, &weights, input.element_count);
    }
    if (error == ERROR_NONE && bias_index != ABSENT_TENSOR) {
        error = read_tensor(loader, bias_index, &bias);
    }
    if (error != ERROR_NONE) {
        return error;
    }

    layer->input_size = input.element_count;
    layer->output_size = u32_of(file, weights.shape, 0);
    layer->weights = (const int8_t *)&file->data[weights.data.at];
    if (output.element_count != layer->output_size) {
        return ERROR_MODEL_SHAPE;
    }
    if (bias_index != ABSENT_TENSOR) {
        if (bias.type != TYPE_INT32) {
            return ERROR_MODEL_TYPE;
        }
        if (bias.data.count != 4u * layer->output_size) {
            return ERROR_MODEL_SHAPE;
        }
    }
    layer->rows = allocate(network, (uint32_t)sizeof(network_row_t) * layer->output_size);
    if (layer->rows == NULL) {
        return ERROR_MODEL_MEMORY;
    }
    for (uint32_t i = 0; i < layer->output_size; i++) {
        int32_t value = bias_index == ABSENT_TENSOR ? 0 : (int32_t)u32_of(file, bias.data, i);
        uint32_t weight_scale = u32_of(file, weights.scales, weights.scales.count == 1u ? 0u : i);
        const int8_t *row_weights = layer->weights + i * layer->input_size;
        layer->rows[i].bias = folded_bias(row_weights, layer->input_size, value, input_zero_point);
        if (!requantise_prepare(&layer->rows[i].factor, input_scale, weight_scale, output_scale)) {
            return ERROR_MODEL_QUANTISATION;
        }
    }
    *current = u32_of(file, outputs, 0);
    return set_output_range(layer, activation, output_scale);
}

static error_t allocate_activations(network_t *network)
{
    uint32_t widest = 0;
    for (uint32_t i = 0; i + 1u < network->layer_count; i++) {
        widest = network->layers[i].output_size > widest ? network->layers[i].output_size : widest;
    }
    for (uint32_t i = 0; i < 2u; i++) {
        network->activations[i] = allocate(network, widest);
        if (network->activations[i] == NULL) {
            return ERROR_MODEL_MEMORY;
        }
    }
    return ERROR_NONE;
}

error_t network_load(network_t *network, const void *data, uint32_t size)
{
    loader_t loader = {.file = {.data = data, .size = size, .broken = false}, .network = network};
    flatbuffer_t *file = &loader.file;
    network->layer_count = 0;
    network->arena_used_bytes = 0;

    uint32_t identifier = flatbuffer_u32(file, 4);
    uint32_t model = flatbuffer_follow(file, 0);
    uint32_t version = u32_field(file, model, MODEL_VERSION);
    if (identifier != ('T' | 'F' << 8 | 'L' << 16 | '3' << 24) || version != SCHEMA_VERSION) {
        return ERROR_MODEL_IDENTIFIER;
    }
    loader.operator_codes = flatbuffer_vector(file, model, MODEL_OPERATOR_CODES, 4);
    loader.buffers = flatbuffer_vector(file, model, MODEL_BUFFERS, 4);
    flatbuffer_vector_t subgraphs = flatbuffer_vector(file, model, MODEL_SUBGRAPHS, 4);
    if (!file->broken && subgraphs.count != 1u) {
        return ERROR_MODEL_GRAPH;
    }
    uint32_t subgraph = flatbuffer_table(file, subgraphs, 0);
    loader.tensors = flatbuffer_vector(file, subgraph, SUBGRAPH_TENSORS, 4);
    flatbuffer_vector_t inputs = flatbuffer_vector(file, subgraph, SUBGRAPH_INPUTS, 4);
    flatbuffer_vector_t outputs = flatbuffer_vector(file, subgraph, SUBGRAPH_OUTPUTS, 4);
    flatbuffer_vector_t operators = flatbuffer_vector(file, subgraph, SUBGRAPH_OPERATORS, 4);
    if (file->broken) {
        return ERROR_MODEL_BOUNDS;
    }
    if (inputs.count != 1u || outputs.count != 1u || operators.count == 0u) {
        return ERROR_MODEL_GRAPH;
    }

    uint32_t current = u32_of(file, inputs, 0);
    for (uint32_t i = 0; i < operators.count; i++) {
        error_t error = read_layer(&loader, flatbuffer_table(file, operators, i), &current);
        if (error != ERROR_NONE) {
            return error;
        }
    }
    if (current != u32_of(file, outputs, 0)) {
        return ERROR_MODEL_GRAPH;
    }
    network->input_size = network->layers[0].input_size;
    network->output_size = network->layers[network->layer_count - 1u].output_size;
    return allocate_activations(network);
}
