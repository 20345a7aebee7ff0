/* SPDX-License-Identifier: Apache-2.0 */
/* Loads the operators on images. Each function is as long as what it must refuse. */
#include "addition.h"
#include "convolution.h"
#include "loader.h"
#include "pool.h"
#include "softmax.h"

#define MAX_EXTENT 0xFFFFu /* of an axis, a kernel and its reach */

#define HALF_BITS 0x3F000000u             /* 0.5 */
#define ONE_BITS 0x3F800000u              /* 1.0 */
#define EXPONENT_STEP 0x00800000u         /* doubles a float32 */
#define ONE_256TH_BITS 0x3B800000u        /* 1/256: SOFTMAX's output has no other scale */
#define LARGEST_SCALE_BITS 0x7E800000u    /* may be doubled twice */

#if NETWORK_CONV_2D || NETWORK_DEPTHWISE_CONV_2D || NETWORK_POOL_2D

/* Output places and padding along one axis; false where no place is left, or a number is too large. */
static bool set_axis(
    uint32_t padding, uint32_t extent, uint32_t kernel, uint32_t stride, uint32_t dilation, uint16_t *places,
    uint16_t *before)
{
    if (kernel - 1u >= MAX_EXTENT || stride - 1u >= MAX_EXTENT || dilation - 1u >= MAX_EXTENT || extent > MAX_EXTENT) {
        return false;
    }
    uint32_t reach = (kernel - 1u) * dilation + 1u;
    if (reach > MAX_EXTENT) {
        return false;
    }
    if (padding == TFLITE_PADDING_VALID) {
        *places = (uint16_t)(extent < reach ? 0u : (extent - reach) / stride + 1u);
        *before = 0;
        return *places != 0u;
    }
    *places = (uint16_t)((extent + stride - 1u) / stride);
    int32_t added = (int32_t)((*places - 1u) * stride + reach) - (int32_t)extent;
    *before = (uint16_t)(added > 0 ? added / 2 : 0);
    return padding == TFLITE_PADDING_SAME;
}

/* `output` must have the places that come out, and `channels` of them. */
static error_t set_window(
    loader_t *loader, const tflite_window_options_t *options, const activation_t *input, const activation_t *output,
    uint32_t kernel_height, uint32_t kernel_width, uint32_t channels, window_t *window)
{
    tflite_t *model = &loader->model;
    if (input->type != ELEMENT_INT8 || output->type != ELEMENT_INT8) {
        return ERROR_MODEL_TYPE;
    }
    if (input->shape.count != 4u || tflite_u32(model, input->shape, 0) != 1u) {
        return ERROR_MODEL_SHAPE;
    }
    uint32_t height = tflite_u32(model, input->shape, 1);
    uint32_t width = tflite_u32(model, input->shape, 2);
    uint32_t depth = tflite_u32(model, input->shape, 3);
    bool fits = depth <= MAX_EXTENT &&
                set_axis(options->padding, height, kernel_height, options->stride_rows, options->dilation_rows,
                    &window->output_height, &window->padding_above) &&
                set_axis(options->padding, width, kernel_width, options->stride_columns, options->dilation_columns,
                    &window->output_width, &window->padding_left);
    if (!fits || output->shape.count != 4u || tflite_u32(model, output->shape, 0) != 1u ||
        tflite_u32(model, output->shape, 1) != window->output_height ||
        tflite_u32(model, output->shape, 2) != window->output_width ||
        tflite_u32(model, output->shape, 3) != channels) {
        return ERROR_MODEL_SHAPE;
    }
    window->height = (uint16_t)height;
    window->width = (uint16_t)width;
    window->channels = (uint16_t)depth;
    window->kernel_height = (uint16_t)kernel_height;
    window->kernel_width = (uint16_t)kernel_width;
    window->stride_rows = (uint16_t)options->stride_rows;
    window->stride_columns = (uint16_t)options->stride_columns;
    window->dilation_rows = (uint16_t)options->dilation_rows;
    window->dilation_columns = (uint16_t)options->dilation_columns;
    return ERROR_NONE;
}
#endif

#if NETWORK_CONV_2D || NETWORK_DEPTHWISE_CONV_2D
static error_t load_convolution(
    loader_t *loader, const tflite_operator_t *operator, const activation_t *input, const activation_t *output,
    layer_t *layer)
{
    tflite_t *model = &loader->model;
    convolution_t *parameters = &layer->parameters.convolution;
    bool depthwise = operator->builtin == TFLITE_DEPTHWISE_CONV_2D;
    uint32_t axis = depthwise ? 3u : 0u;
    tflite_tensor_t weights;
    error_t error = loader_read_rows(loader, operator, input, output, 4, axis, &weights, &parameters->rows);
    if (error != ERROR_NONE) {
        return error;
    }
    tflite_window_options_t options = tflite_window_options(model, operator);
    uint32_t outputs = tflite_u32(model, weights.shape, axis);
    error = set_window(loader, &options, input, output, tflite_u32(model, weights.shape, 1),
        tflite_u32(model, weights.shape, 2), outputs, &parameters->window);
    if (error != ERROR_NONE) {
        return error;
    }
    parameters->outputs = outputs;
    uint32_t channels = parameters->window.channels;
    if (depthwise) {
        bool fits = tflite_u32(model, weights.shape, 0) == 1u && options.depth_multiplier <= MAX_EXTENT &&
                    outputs == channels * options.depth_multiplier;
        layer->kernel = KERNEL_DEPTHWISE_CONV_2D;
        return fits ? ERROR_NONE : ERROR_MODEL_SHAPE;
    }
    layer->kernel = KERNEL_CONV_2D;
#if NETWORK_CONV_2D
    loader_need_scratch(loader, convolution_scratch_bytes(&parameters->window));
#endif
    return tflite_u32(model, weights.shape, 3) == channels ? ERROR_NONE : ERROR_MODEL_SHAPE;
}
#endif

#if NETWORK_POOL_2D
static error_t load_pool(
    loader_t *loader, const tflite_operator_t *operator, const activation_t *input, const activation_t *output,
    layer_t *layer)
{
    pool_t *parameters = &layer->parameters.pool;
    layer->kernel = operator->builtin == TFLITE_MAX_POOL_2D ? KERNEL_MAX_POOL_2D : KERNEL_AVERAGE_POOL_2D;
    if (operator->inputs.count != 1u) {
        return ERROR_MODEL_GRAPH;
    }
    tflite_window_options_t options = tflite_window_options(&loader->model, operator);
    uint32_t channels = input->shape.count == 4u ? tflite_u32(&loader->model, input->shape, 3) : 0u;
    error_t error = set_window(
        loader, &options, input, output, options.kernel_height, options.kernel_width, channels, &parameters->window);
    if (error != ERROR_NONE) {
        return error;
    }
    if (input->quantisation.scale_bits != output->quantisation.scale_bits ||
        input->quantisation.zero_point != output->quantisation.zero_point) {
        return ERROR_MODEL_QUANTISATION;
    }
    return loader_output_range(tflite_fused_activation(&loader->model, operator), output->quantisation,
        &parameters->output_min, &parameters->output_max);
}
#endif

#if NETWORK_ADD
static bool same_shape(tflite_t *model, const activation_t *a, const activation_t *b)
{
    bool same = a->shape.count == b->shape.count;
    for (uint32_t i = 0; same && i < a->shape.count; i++) {
        same = tflite_u32(model, a->shape, i) == tflite_u32(model, b->shape, i);
    }
    return same;
}

static error_t load_addition(
    loader_t *loader, const tflite_operator_t *operator, const activation_t *first, const activation_t *second,
    const activation_t *output, layer_t *layer)
{
    addition_t *parameters = &layer->parameters.addition;
    layer->kernel = KERNEL_ADD;
    if (first->type != ELEMENT_INT8 || second->type != ELEMENT_INT8 || output->type != ELEMENT_INT8) {
        return ERROR_MODEL_TYPE;
    }
    if (!same_shape(&loader->model, first, second) || !same_shape(&loader->model, first, output)) {
        return ERROR_MODEL_SHAPE;
    }
    /* Both inputs are brought to twice the larger scale: floats of one sign compare as their bits do. */
    uint32_t first_bits = first->quantisation.scale_bits;
    uint32_t second_bits = second->quantisation.scale_bits;
    uint32_t largest_bits = first_bits > second_bits ? first_bits : second_bits;
    if (largest_bits >= LARGEST_SCALE_BITS) {
        return ERROR_MODEL_QUANTISATION;
    }
    bool usable = requantise_prepare(&parameters->first, first_bits, HALF_BITS, largest_bits) &&
                  requantise_prepare(&parameters->second, second_bits, HALF_BITS, largest_bits) &&
                  requantise_prepare(&parameters->sum, largest_bits + EXPONENT_STEP,
                      ONE_BITS - ADDITION_LEFT_SHIFT * EXPONENT_STEP, output->quantisation.scale_bits) &&
                  parameters->sum.shift <= 0;
    if (!usable) {
        return ERROR_MODEL_QUANTISATION;
    }
    parameters->first_zero_point = (int8_t)first->quantisation.zero_point;
    parameters->second_zero_point = (int8_t)second->quantisation.zero_point;
    parameters->output_zero_point = (int8_t)output->quantisation.zero_point;
    return loader_output_range(tflite_fused_activation(&loader->model, operator), output->quantisation,
        &parameters->output_min, &parameters->output_max);
}
#endif

#if NETWORK_SOFTMAX
static error_t load_softmax(
    loader_t *loader, const tflite_operator_t *operator, const activation_t *input, const activation_t *output,
    layer_t *layer)
{
    tflite_t *model = &loader->model;
    softmax_t *parameters = &layer->parameters.softmax;
    layer->kernel = KERNEL_SOFTMAX;
    if (operator->inputs.count != 1u) {
        return ERROR_MODEL_GRAPH;
    }
    if (input->type != ELEMENT_INT8 || output->type != ELEMENT_INT8) {
        return ERROR_MODEL_TYPE;
    }
    if (input->size != output->size || input->shape.count == 0u) {
        return ERROR_MODEL_SHAPE;
    }
    parameters->depth = tflite_u32(model, input->shape, input->shape.count - 1u);
    if (parameters->depth > SOFTMAX_MAX_DEPTH) {
        return ERROR_MODEL_SHAPE;
    }
    /* beta * scale in Q5.26, of more than one step: the reference kernel ends the program at less. */
    uint32_t unit_bits = ONE_BITS - (31u - SOFTMAX_INPUT_BITS) * EXPONENT_STEP;
    bool usable = output->quantisation.scale_bits == ONE_256TH_BITS && output->quantisation.zero_point == -128 &&
                  requantise_prepare(&parameters->factor, input->quantisation.scale_bits,
                      tflite_beta_bits(model, operator), unit_bits) &&
                  parameters->factor.shift > 0;
    if (!usable) {
        return ERROR_MODEL_QUANTISATION;
    }
    int32_t largest = ((1 << SOFTMAX_INPUT_BITS) - 1) * (1 << (31u - SOFTMAX_INPUT_BITS));
    parameters->lowest = -(largest >> parameters->factor.shift);
    return ERROR_NONE;
}
#endif

error_t load_spatial(
    loader_t *loader, const tflite_operator_t *operator, const activation_t *input, const activation_t *second,
    const activation_t *output, layer_t *layer)
{
    (void)loader;
    (void)input;
    (void)second;
    (void)output;
    (void)layer;
    switch (operator->builtin) {
#if NETWORK_CONV_2D || NETWORK_DEPTHWISE_CONV_2D
    case TFLITE_CONV_2D:
    case TFLITE_DEPTHWISE_CONV_2D:
        return load_convolution(loader, operator, input, output, layer);
#endif
#if NETWORK_POOL_2D
    case TFLITE_AVERAGE_POOL_2D:
    case TFLITE_MAX_POOL_2D:
        return load_pool(loader, operator, input, output, layer);
#endif
#if NETWORK_ADD
    case TFLITE_ADD:
        return load_addition(loader, operator, input, second, output, layer);
#endif
#if NETWORK_SOFTMAX
    case TFLITE_SOFTMAX:
        return load_softmax(loader, operator, input, output, layer);
#endif
    default:
        return ERROR_MODEL_OPERATOR;
    }
}
