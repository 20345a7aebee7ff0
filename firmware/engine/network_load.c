/* SPDX-License-Identifier: Apache-2.0 */
/* From the operators of a .tflite file to the layers of a network. */
#include <stdbool.h>
#include <stddef.h>

#include "elementwise.h"
#include "fully_connected.h"
#include "loader.h"

void *loader_allocate(network_t *network, uint32_t size)
{
    uint32_t at = network->arena_needed_bytes;
    network->arena_needed_bytes += (size + 3u) & ~3u;
    return network->arena_needed_bytes > sizeof network->arena ? NULL : &network->arena[at / 4u];
}

void loader_need_scratch(loader_t *loader, uint32_t size)
{
    loader->scratch_bytes = size > loader->scratch_bytes ? size : loader->scratch_bytes;
}

/* A scale of the file that float arithmetic may divide by: positive, normal, finite. */
static bool usable_scale(uint32_t bits)
{
    return bits >= 0x00800000u && bits < 0x7F800000u;
}

error_t loader_read_activation(loader_t *loader, uint32_t index, activation_t *activation)
{
    tflite_tensor_t tensor;
    error_t error = tflite_read_tensor(&loader->model, index, &tensor);
    if (error != ERROR_NONE) {
        return error;
    }
    activation->size = tensor.element_count;
    activation->shape = tensor.shape;
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

static error_t read_weights(loader_t *loader, uint32_t index, uint32_t rank, uint32_t axis, tflite_tensor_t *weights)
{
    error_t error = tflite_read_tensor(&loader->model, index, weights);
    if (error != ERROR_NONE) {
        return error;
    }
    if (weights->type != TFLITE_INT8) {
        return ERROR_MODEL_TYPE;
    }
    if (weights->shape.count != rank || weights->data.count != weights->element_count) {
        return ERROR_MODEL_SHAPE;
    }
    uint32_t rows = tflite_u32(&loader->model, weights->shape, axis);
    bool per_tensor = weights->scales.count == 1u;
    bool per_channel = weights->scales.count == rows && weights->quantized_dimension == axis;
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
    requantise_t *factors = loader_allocate(loader->network, (uint32_t)sizeof(requantise_t) * weight_scales.count);
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

error_t loader_output_range(uint32_t activation, quantisation_t output, int8_t *minimum, int8_t *maximum)
{
    *minimum = -128;
    *maximum = 127;
    switch (activation) {
    case TFLITE_ACTIVATION_NONE:
        return ERROR_NONE;
    case TFLITE_ACTIVATION_RELU:
        *minimum = (int8_t)output.zero_point;
        return ERROR_NONE;
    case TFLITE_ACTIVATION_RELU6:
        *minimum = (int8_t)output.zero_point;
        *maximum = (int8_t)quantised(6.0f, output);
        return ERROR_NONE;
    case TFLITE_ACTIVATION_RELU_N1_TO_1:
        *minimum = (int8_t)quantised(-1.0f, output);
        *maximum = (int8_t)quantised(1.0f, output);
        return ERROR_NONE;
    default: /* TFLite Micro runs an int8 layer with a fused TANH as if it had none */
        return ERROR_MODEL_OPERATOR;
    }
}

error_t loader_read_rows(
    loader_t *loader, const tflite_operator_t *operator, const activation_t *input, const activation_t *output,
    uint32_t rank, uint32_t axis, tflite_tensor_t *weights, fully_connected_t *layer)
{
    tflite_t *model = &loader->model;
    if (operator->inputs.count != 2u && operator->inputs.count != 3u) {
        return ERROR_MODEL_GRAPH;
    }
    if (input->type != ELEMENT_INT8 || output->type != ELEMENT_INT8) {
        return ERROR_MODEL_TYPE;
    }
    error_t error = read_weights(loader, tflite_u32(model, operator->inputs, 1), rank, axis, weights);
    if (error != ERROR_NONE) {
        return error;
    }
    layer->weights = (const int8_t *)&model->file.data[weights->data.at];
    layer->input_zero_point = (int8_t)input->quantisation.zero_point;
    layer->output_zero_point = (int8_t)output->quantisation.zero_point;
    error = read_bias(loader, operator, tflite_u32(model, weights->shape, axis), layer);
    if (error == ERROR_NONE) {
        error = prepare_factors(
            loader, weights->scales, input->quantisation.scale_bits, output->quantisation.scale_bits, layer);
    }
    if (error == ERROR_NONE) {
        error = loader_output_range(
            tflite_fused_activation(model, operator), output->quantisation, &layer->output_min, &layer->output_max);
    }
    return error;
}

static error_t load_fully_connected(
    loader_t *loader, const tflite_operator_t *operator, const activation_t *input, const activation_t *output,
    layer_t *layer)
{
    tflite_t *model = &loader->model;
    if (tflite_weights_format(model, operator) != 0u) {
        return ERROR_MODEL_OPERATOR;
    }
    tflite_tensor_t weights;
    layer->kernel = KERNEL_FULLY_CONNECTED;
    error_t error =
        loader_read_rows(loader, operator, input, output, 2, 0, &weights, &layer->parameters.fully_connected);
    if (error != ERROR_NONE) {
        return error;
    }
    if (tflite_u32(model, weights.shape, 1) != input->size || tflite_u32(model, weights.shape, 0) != output->size) {
        return ERROR_MODEL_SHAPE;
    }
    loader_need_scratch(loader, fully_connected_scratch_bytes(input->size));
    return ERROR_NONE;
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
    int8_t *table = loader_allocate(loader->network, TABLE_ENTRIES);
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
    case TFLITE_CONV_2D:
        return NETWORK_CONV_2D;
    case TFLITE_DEPTHWISE_CONV_2D:
        return NETWORK_DEPTHWISE_CONV_2D;
    case TFLITE_AVERAGE_POOL_2D:
    case TFLITE_MAX_POOL_2D:
        return NETWORK_POOL_2D;
    case TFLITE_ADD:
        return NETWORK_ADD;
    case TFLITE_SOFTMAX:
        return NETWORK_SOFTMAX;
    default:
        return false;
    }
}

/* False for a tensor that no operator so far has given. */
static bool find_value(const loader_t *loader, uint32_t tensor, uint8_t *value)
{
    for (uint32_t i = loader->name_count; i > 0u; i--) {
        if (loader->names[i - 1u] == tensor) {
            *value = loader->named[i - 1u];
            return true;
        }
    }
    return false;
}

static error_t name_value(loader_t *loader, uint32_t tensor, uint32_t value)
{
    if (loader->name_count == LOADER_MAX_NAMES) {
        return ERROR_MODEL_MEMORY;
    }
    loader->names[loader->name_count] = tensor;
    loader->named[loader->name_count++] = (uint8_t)value;
    return ERROR_NONE;
}

static error_t load_layer(
    loader_t *loader, const tflite_operator_t *operator, const activation_t *input, const activation_t *second,
    const activation_t *output, const uint8_t *reads)
{
    network_t *network = loader->network;
    if (network->layer_count == NETWORK_MAX_LAYERS) {
        return ERROR_MODEL_MEMORY;
    }
    if (network->layer_count > 0u) { /* what the layer before gives is not the network's output */
        uint32_t bytes = network->output_size * (network->output_type == ELEMENT_FLOAT32 ? 4u : 1u);
        loader->activation_bytes = bytes > loader->activation_bytes ? bytes : loader->activation_bytes;
    }
    loader->reads[network->layer_count][0] = reads[0];
    loader->reads[network->layer_count][1] = reads[1];
    layer_t *layer = &network->layers[network->layer_count++];
    layer->input_size = input->size;
    layer->output_size = output->size;
    network->output_size = output->size;
    network->output_type = output->type;
    error_t error = name_value(loader, operator->output, network->layer_count);
    if (error != ERROR_NONE) {
        return error;
    }
    switch (operator->builtin) {
    case TFLITE_FULLY_CONNECTED:
        return load_fully_connected(loader, operator, input, output, layer);
    case TFLITE_CONV_2D:
    case TFLITE_DEPTHWISE_CONV_2D:
    case TFLITE_AVERAGE_POOL_2D:
    case TFLITE_MAX_POOL_2D:
    case TFLITE_ADD:
    case TFLITE_SOFTMAX:
        return load_spatial(loader, operator, input, second, output, layer);
    default:
        return load_elementwise(loader, operator, input, output, layer);
    }
}

static error_t load_operator(loader_t *loader, uint32_t index)
{
    tflite_operator_t operator;
    error_t error = tflite_read_operator(&loader->model, index, &operator);
    if (error != ERROR_NONE) {
        return error;
    }
    if (!is_known(operator.builtin)) {
        return ERROR_MODEL_OPERATOR;
    }
    bool two = operator.builtin == TFLITE_ADD;
    if (two && operator.inputs.count != 2u) {
        return ERROR_MODEL_GRAPH;
    }
    uint32_t first = tflite_u32(&loader->model, operator.inputs, 0);
    uint32_t other = two ? tflite_u32(&loader->model, operator.inputs, 1) : first;
    uint8_t reads[2];
    if (!find_value(loader, first, &reads[0]) || !find_value(loader, other, &reads[1])) {
        return ERROR_MODEL_GRAPH;
    }
    activation_t input, second, output;
    error = loader_read_activation(loader, first, &input);
    if (error == ERROR_NONE) {
        error = loader_read_activation(loader, other, &second);
    }
    if (error == ERROR_NONE) {
        error = loader_read_activation(loader, operator.output, &output);
    }
    if (error != ERROR_NONE) {
        return error;
    }
    if (operator.builtin == TFLITE_RESHAPE) {
        error = check_reshape(&operator, &input, &output);
        return error != ERROR_NONE ? error : name_value(loader, operator.output, reads[0]);
    }
    return load_layer(loader, &operator, &input, &second, &output, reads);
}

/* Number of buffers that the values between layers need. `slots` gets one for each layer's but the last's: the first that
 * holds nothing that is still read. */
static uint32_t assign_slots(const loader_t *loader, uint8_t *slots)
{
    uint32_t layer_count = loader->network->layer_count;
    uint8_t last_reader[NETWORK_MAX_LAYERS + 1u] = {0};
    for (uint32_t i = 0; i < layer_count; i++) {
        last_reader[i + 1u] = (uint8_t)i; /* a value that nobody reads is written all the same */
        last_reader[loader->reads[i][0]] = (uint8_t)i;
        last_reader[loader->reads[i][1]] = (uint8_t)i;
    }
    uint32_t slot_count = 0;
    for (uint32_t i = 0; i + 1u < layer_count; i++) {
        uint32_t slot = 0;
        for (uint32_t before = 0; before < i;) {
            bool busy = slots[before] == slot && last_reader[before + 1u] >= i;
            slot += busy ? 1u : 0u;
            before = busy ? 0u : before + 1u;
        }
        slots[i] = (uint8_t)slot;
        slot_count = slot + 1u > slot_count ? slot + 1u : slot_count;
    }
    return slot_count;
}

static void place_values(const loader_t *loader)
{
    network_t *network = loader->network;
    uint8_t slots[NETWORK_MAX_LAYERS];
    void *buffers[NETWORK_MAX_LAYERS];
    uint32_t slot_count = assign_slots(loader, slots);
    for (uint32_t i = 0; i < slot_count; i++) {
        buffers[i] = loader_allocate(network, loader->activation_bytes);
    }
    for (uint32_t i = 0; i < network->layer_count; i++) {
        layer_t *layer = &network->layers[i];
        uint32_t first = loader->reads[i][0];
        layer->result = i + 1u == network->layer_count ? NULL : buffers[slots[i]];
        layer->source = first == 0u ? NULL : buffers[slots[first - 1u]];
#if NETWORK_ADD
        uint32_t second = loader->reads[i][1];
        layer->second = second == 0u ? NULL : buffers[slots[second - 1u]];
#endif
    }
}

static error_t read_input(loader_t *loader)
{
    activation_t input;
    error_t error = loader_read_activation(loader, loader->model.input, &input);
    if (error == ERROR_NONE) {
        loader->network->input_size = input.size;
        loader->network->input_type = input.type;
        error = name_value(loader, loader->model.input, 0);
    }
    return error;
}

error_t network_load(network_t *network, const void *file, uint32_t size)
{
    loader_t loader = {.network = network};
    network->layer_count = 0;
    network->arena_needed_bytes = 0;
    error_t error = tflite_open(&loader.model, file, size);
    if (error == ERROR_NONE) {
        error = read_input(&loader);
    }
    for (uint32_t i = 0; error == ERROR_NONE && i < loader.model.operators.count; i++) {
        error = load_operator(&loader, i);
    }
    if (error != ERROR_NONE) {
        return error;
    }
    uint8_t value;
    if (network->layer_count == 0u || !find_value(&loader, loader.model.output, &value) || value != network->layer_count) {
        return ERROR_MODEL_GRAPH;
    }
    network->scratch = loader_allocate(network, loader.scratch_bytes);
    place_values(&loader);
    return network->arena_needed_bytes > sizeof network->arena ? ERROR_MODEL_MEMORY : ERROR_NONE;
}
