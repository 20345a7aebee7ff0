/* SPDX-License-Identifier: Apache-2.0 */
/* From the operators of a .tflite file to the layers of a network. */
#include <stdbool.h>
#include <stddef.h>

#include "elementwise.h"
#include "fully_connected.h"
#include "look_up_table.h"
#include "network.h"
#include "tflite.h"

typedef struct {
    tflite_t model;
    network_t *network;
    uint32_t current;          /* the tensor that the chain has come to */
    uint32_t activation_bytes; /* of the largest tensor between two layers */
    uint32_t scratch_bytes;
} loader_t;

/* An activation: int8 with its quantisation, or float32. */
typedef struct {
    element_type_t type;
    uint32_t size;
    quantisation_t quantisation;
} activation_t;

/* NULL where the arena is used up; what is needed is counted on. */
static void *allocate(network_t *network, uint32_t size)
{
    uint32_t at = network->arena_needed_bytes;
    network->arena_needed_bytes += (size + 3u) & ~3u;
    return network->arena_needed_bytes > sizeof network->arena ? NULL : &network->arena[at / 4u];
}

/* A scale of the file that float arithmetic may divide by: positive, normal, finite. */
static bool usable_scale(uint32_t bits)
{
    return bits >= 0x00800000u && bits < 0x7F800000u;
}

static error_t read_activation(loader_t *loader, uint32_t index, activation_t *activation)
{
    tflite_tensor_t tensor;
    error_t error = tflite_read_tensor(&loader->model, index, &tensor);
    if (error != ERROR_NONE) {
        return error;
    }
    activation->size = tensor.element_count;
    if (tensor.type == TFLITE_FLOAT32) {
        activation->type = ELEMENT_FLOAT32;
        return ERROR_NONE;
    }
    if (tensor.type != TFLITE_INT8) {
        return ERROR_MODEL_TYPE;
    }
    if (tensor.scales.count != 1u || tensor.zero_points.count != 1u) {
        return ERROR_MODEL_QUANTISATION;
    }
    quantisation_t *quantisation = &activation->quantisation;
    activation->type = ELEMENT_INT8;
    quantisation->scale_bits = tflite_u32(&loader->model, tensor.scales, 0);
    quantisation->zero_point = (int32_t)tflite_u32(&loader->model, tensor.zero_points, 0); /* int64: its low word */
    bool usable = usable_scale(quantisation->scale_bits) && quantisation->zero_point >= -128 &&
                  quantisation->zero_point <= 127;
    return usable ? ERROR_NONE : ERROR_MODEL_QUANTISATION;
}

static error_t read_weights(loader_t *loader, uint32_t index, uint32_t input_size, tflite_tensor_t *weights)
{
    error_t error = tflite_read_tensor(&loader->model, index, weights);
    if (error != ERROR_NONE) {
        return error;
    }
    if (weights->type != TFLITE_INT8) {
        return ERROR_MODEL_TYPE;
    }
    if (weights->shape.count != 2u || tflite_u32(&loader->model, weights->shape, 1) != input_size ||
        weights->data.count != weights->element_count) {
        return ERROR_MODEL_SHAPE;
    }
    uint32_t rows = tflite_u32(&loader->model, weights->shape, 0);
    bool per_tensor = weights->scales.count == 1u;
    bool per_channel = weights->scales.count == rows && weights->quantized_dimension == 0u;
    if (!per_tensor && !per_channel) {
        return ERROR_MODEL_QUANTISATION;
    }
    for (uint32_t i = 0; i < weights->zero_points.count; i++) {
        if (tflite_u32(&loader->model, weights->zero_points, 2u * i) != 0u) {
            return ERROR_MODEL_QUANTISATION;
        }
    }
    return ERROR_NONE;
}

static error_t read_bias(loader_t *loader, const tflite_operator_t *operator, uint32_t rows, fully_connected_t *layer)
{
    layer->bias = NULL;
    uint32_t index = operator->inputs.count == 3u ? tflite_u32(&loader->model, operator->inputs, 2) : TFLITE_ABSENT_TENSOR;
    if (index == TFLITE_ABSENT_TENSOR) {
        return ERROR_NONE;
    }
    tflite_tensor_t bias;
    error_t error = tflite_read_tensor(&loader->model, index, &bias);
    if (error != ERROR_NONE) {
        return error;
    }
    if (bias.type != TFLITE_INT32) {
        return ERROR_MODEL_TYPE;
    }
    if (bias.data.count != 4u * rows) {
        return ERROR_MODEL_SHAPE;
    }
    layer->bias = &loader->model.file.data[bias.data.at];
    return ERROR_NONE;
}

static error_t prepare_factors(
    loader_t *loader, flatbuffer_vector_t weight_scales, uint32_t input_scale, uint32_t output_scale,
    fully_connected_t *layer)
{
    requantise_t *factors = allocate(loader->network, (uint32_t)sizeof(requantise_t) * weight_scales.count);
    layer->factors = factors;
    layer->per_channel = weight_scales.count > 1u;
    layer->factors_below_half = true;
    for (uint32_t i = 0; i < weight_scales.count; i++) {
        requantise_t factor;
        if (!requantise_prepare(&factor, input_scale, tflite_u32(&loader->model, weight_scales, i), output_scale)) {
            return ERROR_MODEL_QUANTISATION;
        }
        layer->factors_below_half = layer->factors_below_half && requantise_is_below_half(factor);
        if (factors != NULL) {
            factors[i] = factor;
        }
    }
    return ERROR_NONE;
}

/* The range that the fused activation leaves, in quantised units. */
static error_t set_output_range(fully_connected_t *layer, uint32_t activation, quantisation_t output)
{
    layer->output_min = -128;
    layer->output_max = 127;
    switch (activation) {
    case TFLITE_ACTIVATION_NONE:
        return ERROR_NONE;
    case TFLITE_ACTIVATION_RELU:
        layer->output_min = (int8_t)output.zero_point;
        return ERROR_NONE;
    case TFLITE_ACTIVATION_RELU6:
        layer->output_min = (int8_t)output.zero_point;
        layer->output_max = (int8_t)quantised(6.0f, output);
        return ERROR_NONE;
    case TFLITE_ACTIVATION_RELU_N1_TO_1:
        layer->output_min = (int8_t)quantised(-1.0f, output);
        layer->output_max = (int8_t)quantised(1.0f, output);
        return ERROR_NONE;
    default: /* TFLite Micro runs an int8 layer with a fused TANH as if it had none */
        return ERROR_MODEL_OPERATOR;
    }
}

static error_t load_fully_connected(
    loader_t *loader, const tflite_operator_t *operator, const activation_t *input, const activation_t *output,
    layer_t *layer)
{
    tflite_t *model = &loader->model;
    if (operator->inputs.count != 2u && operator->inputs.count != 3u) {
        return ERROR_MODEL_GRAPH;
    }
    if (input->type != ELEMENT_INT8 || output->type != ELEMENT_INT8) {
        return ERROR_MODEL_TYPE;
    }
    if (tflite_weights_format(model, operator) != 0u) {
        return ERROR_MODEL_OPERATOR;
    }
    tflite_tensor_t weights;
    error_t error = read_weights(loader, tflite_u32(model, operator->inputs, 1), input->size, &weights);
    if (error != ERROR_NONE) {
        return error;
    }
    uint32_t rows = tflite_u32(model, weights.shape, 0);
    if (output->size != rows) {
        return ERROR_MODEL_SHAPE;
    }
    fully_connected_t *parameters = &layer->parameters.fully_connected;
    layer->kernel = KERNEL_FULLY_CONNECTED;
    parameters->weights = (const int8_t *)&model->file.data[weights.data.at];
    parameters->input_zero_point = (int8_t)input->quantisation.zero_point;
    parameters->output_zero_point = (int8_t)output->quantisation.zero_point;
    error = read_bias(loader, operator, rows, parameters);
    if (error == ERROR_NONE) {
        error = prepare_factors(
            loader, weights.scales, input->quantisation.scale_bits, output->quantisation.scale_bits, parameters);
    }
    if (error == ERROR_NONE) {
        error = set_output_range(parameters, tflite_fused_activation(model, operator), output->quantisation);
    }
    uint32_t scratch = fully_connected_scratch_bytes(input->size);
    loader->scratch_bytes = scratch > loader->scratch_bytes ? scratch : loader->scratch_bytes;
    return error;
}

static error_t load_conversion(layer_t *layer, kernel_t kernel, quantisation_t quantisation)
{
    affine_t *affine = &layer->parameters.affine;
    layer->kernel = kernel;
    __builtin_memcpy(&affine->scale, &quantisation.scale_bits, sizeof affine->scale);
    affine->zero_point = quantisation.zero_point;
    return ERROR_NONE;
}

static error_t load_look_up(
    loader_t *loader, uint32_t builtin, const activation_t *input, const activation_t *output, layer_t *layer)
{
    int8_t *table = allocate(loader->network, TABLE_ENTRIES);
    int8_t discarded[TABLE_ENTRIES];
    layer->kernel = KERNEL_LOOK_UP;
    layer->parameters.table = table;
    return look_up_table_fill(table != NULL ? table : discarded, builtin, input->quantisation, output->quantisation);
}

static error_t load_elementwise(
    loader_t *loader, const tflite_operator_t *operator, const activation_t *input, const activation_t *output,
    layer_t *layer)
{
    bool float_input = input->type == ELEMENT_FLOAT32;
    bool float_output = output->type == ELEMENT_FLOAT32;
    if (operator->inputs.count != 1u) {
        return ERROR_MODEL_GRAPH;
    }
    if (input->size != output->size) {
        return ERROR_MODEL_SHAPE;
    }
    switch (operator->builtin) {
    case TFLITE_DEQUANTIZE:
        if (float_input || !float_output) {
            return ERROR_MODEL_TYPE;
        }
        return load_conversion(layer, KERNEL_DEQUANTIZE, input->quantisation);
    case TFLITE_QUANTIZE:
        if (float_input && !float_output) {
            return load_conversion(layer, KERNEL_QUANTIZE, output->quantisation);
        }
        break;
    default:
        break;
    }
    if (float_input || float_output) {
        return ERROR_MODEL_TYPE;
    }
    return load_look_up(loader, operator->builtin, input, output, layer);
}

/* The same values under another shape: nothing to do at run time. */
static error_t check_reshape(
    const tflite_operator_t *operator, const activation_t *input, const activation_t *output)
{
    if (operator->inputs.count > 2u) {
        return ERROR_MODEL_GRAPH;
    }
    if (input->type != output->type) {
        return ERROR_MODEL_TYPE;
    }
    return input->size == output->size ? ERROR_NONE : ERROR_MODEL_SHAPE;
}

static void count_activation(loader_t *loader, const layer_t *layer, element_type_t type)
{
    uint32_t bytes = type == ELEMENT_FLOAT32 ? 4u * layer->output_size : layer->output_size;
    loader->activation_bytes = bytes > loader->activation_bytes ? bytes : loader->activation_bytes;
}

static bool is_known(uint32_t builtin)
{
    switch (builtin) {
    case TFLITE_DEQUANTIZE:
    case TFLITE_FULLY_CONNECTED:
    case TFLITE_LOGISTIC:
    case TFLITE_QUANTIZE:
    case TFLITE_RELU:
    case TFLITE_RELU6:
    case TFLITE_RESHAPE:
    case TFLITE_TANH:
        return true;
    default:
        return false;
    }
}

static error_t load_operator(loader_t *loader, uint32_t index)
{
    network_t *network = loader->network;
    tflite_operator_t operator;
    error_t error = tflite_read_operator(&loader->model, index, &operator);
    if (error != ERROR_NONE) {
        return error;
    }
    if (!is_known(operator.builtin)) {
        return ERROR_MODEL_OPERATOR;
    }
    if (tflite_u32(&loader->model, operator.inputs, 0) != loader->current) {
        return ERROR_MODEL_GRAPH;
    }
    activation_t input, output;
    error = read_activation(loader, loader->current, &input);
    if (error == ERROR_NONE) {
        error = read_activation(loader, operator.output, &output);
    }
    if (error != ERROR_NONE) {
        return error;
    }
    loader->current = operator.output;
    if (index == 0u) {
        network->input_size = input.size;
        network->input_type = input.type;
    }
    network->output_size = output.size;
    network->output_type = output.type;
    if (operator.builtin == TFLITE_RESHAPE) {
        return check_reshape(&operator, &input, &output);
    }

    if (network->layer_count == NETWORK_MAX_LAYERS) {
        return ERROR_MODEL_MEMORY;
    }
    if (network->layer_count > 0u) {
        count_activation(loader, &network->layers[network->layer_count - 1u], input.type);
    }
    layer_t *layer = &network->layers[network->layer_count++];
    layer->input_size = input.size;
    layer->output_size = output.size;
    if (operator.builtin == TFLITE_FULLY_CONNECTED) {
        return load_fully_connected(loader, &operator, &input, &output, layer);
    }
    return load_elementwise(loader, &operator, &input, &output, layer);
}

error_t network_load(network_t *network, const void *file, uint32_t size)
{
    loader_t loader = {.network = network};
    network->layer_count = 0;
    network->arena_needed_bytes = 0;
    error_t error = tflite_open(&loader.model, file, size);
    loader.current = loader.model.input;
    for (uint32_t i = 0; error == ERROR_NONE && i < loader.model.operators.count; i++) {
        error = load_operator(&loader, i);
    }
    if (error != ERROR_NONE) {
        return error;
    }
    if (loader.current != loader.model.output || network->layer_count == 0u) {
        return ERROR_MODEL_GRAPH;
    }
    network->widened = allocate(network, loader.scratch_bytes);
    network->activations[0] = allocate(network, loader.activation_bytes);
    network->activations[1] = allocate(network, loader.activation_bytes);
    return network->arena_needed_bytes > sizeof network->arena ? ERROR_MODEL_MEMORY : ERROR_NONE;
}
