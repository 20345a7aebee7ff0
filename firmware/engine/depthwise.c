/* SPDX-License-Identifier: Apache-2.0 */
/* DEPTHWISE_CONV_2D. Neighbours in memory are channels, which have a sum each: four of them are taken at a time, as the
 * even and the odd pair of a word, and each half of a pair is multiplied for itself. */
#include "convolution.h"

#if NETWORK_DEPTHWISE_CONV_2D
#include "pairs.h"
#include "rows.h"

/* What the kernel sees of the image at one place: its elements inside. */
typedef struct {
    const int8_t *input;   /* first element inside, channel 0 */
    const int8_t *weights; /* its weights, output channel 0 */
    uint32_t rows;
    uint32_t columns;
    uint32_t input_step;   /* bytes from one element of the kernel to the next */
    uint32_t input_row;    /* bytes from one row of the kernel to the next */
    uint32_t weights_step;
    uint32_t weights_row;
} view_t;

/* First element of the kernel inside of the image, and how many are: along one axis. */
static uint32_t inside(int32_t start, uint32_t kernel, uint32_t dilation, uint32_t extent, uint32_t *first)
{
    uint32_t begin = start < 0 ? ((uint32_t)-start + dilation - 1u) / dilation : 0u;
    uint32_t end = (int32_t)extent <= start ? 0u : ((uint32_t)((int32_t)extent - start) + dilation - 1u) / dilation;
    end = end > kernel ? kernel : end;
    *first = begin;
    return end > begin ? end - begin : 0u;
}

static view_t view_of(const convolution_t *layer, const int8_t *input, uint32_t y, uint32_t x)
{
    const window_t *window = &layer->window;
    int32_t row = (int32_t)(y * window->stride_rows) - window->padding_above;
    int32_t column = (int32_t)(x * window->stride_columns) - window->padding_left;
    uint32_t first_row, first_column;
    view_t view;
    view.rows = inside(row, window->kernel_height, window->dilation_rows, window->height, &first_row);
    view.columns = inside(column, window->kernel_width, window->dilation_columns, window->width, &first_column);
    view.input_step = (uint32_t)window->dilation_columns * window->channels;
    view.input_row = (uint32_t)window->dilation_rows * window->width * window->channels;
    view.weights_step = layer->outputs;
    view.weights_row = window->kernel_width * layer->outputs;
    view.input = input;
    view.weights = layer->rows.weights;
    if (view.rows != 0u && view.columns != 0u) {
        uint32_t row_inside = (uint32_t)(row + (int32_t)(first_row * window->dilation_rows));
        uint32_t column_inside = (uint32_t)(column + (int32_t)(first_column * window->dilation_columns));
        view.input += (row_inside * window->width + column_inside) * window->channels;
        view.weights += first_row * view.weights_row + first_column * view.weights_step;
    }
    return view;
}

static void add_four_channels(const view_t *view, uint32_t channel, pair_t minus_zero_point, int32_t *sums)
{
    int32_t sum0 = sums[0];
    int32_t sum1 = sums[1];
    int32_t sum2 = sums[2];
    int32_t sum3 = sums[3];
    const int8_t *input_row = &view->input[channel];
    const int8_t *weights_row = &view->weights[channel];
    for (uint32_t rows = view->rows; rows != 0u; rows--) {
        const int8_t *input = input_row;
        const int8_t *weights = weights_row;
        ROLLED
        for (uint32_t columns = view->columns; columns != 0u; columns--) {
            uint32_t values = load_four(input);
            uint32_t factors = load_four(weights);
            input += view->input_step;
            weights += view->weights_step;
            pair_t even = add_even_bytes(minus_zero_point, values);
            pair_t odd = add_odd_bytes(minus_zero_point, values);
            pair_t even_factors = even_bytes(factors);
            pair_t odd_factors = odd_bytes(factors);
            sum0 = multiply_add_low(even, even_factors, sum0);
            sum1 = multiply_add_low(odd, odd_factors, sum1);
            sum2 = multiply_add_high(even, even_factors, sum2);
            sum3 = multiply_add_high(odd, odd_factors, sum3);
        }
        input_row += view->input_row;
        weights_row += view->weights_row;
    }
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
}

static int32_t sum_of_channel(
    const view_t *view, uint32_t input_channel, uint32_t output_channel, int32_t zero_point, int32_t sum)
{
    uint32_t total = (uint32_t)sum; /* modulo 2^32, as SMLABB is */
    for (uint32_t row = 0; row < view->rows; row++) {
        const int8_t *input = &view->input[row * view->input_row + input_channel];
        const int8_t *weights = &view->weights[row * view->weights_row + output_channel];
        for (uint32_t column = 0; column < view->columns; column++) {
            total += (uint32_t)((input[column * view->input_step] - zero_point) * weights[column * view->weights_step]);
        }
    }
    return (int32_t)total;
}

static void convolve_place(const convolution_t *layer, const view_t *view, int8_t *output)
{
    const fully_connected_t *rows = &layer->rows;
    int32_t zero_point = rows->input_zero_point;
    pair_t minus_zero_point = pair_of(-zero_point);
    uint32_t multiplier = layer->outputs / layer->window.channels;
    uint32_t count;
    for (uint32_t channel = 0; channel < layer->outputs; channel += count) {
        int32_t sums[ROW_BATCH];
        count = layer->outputs - channel < ROW_BATCH ? layer->outputs - channel : ROW_BATCH;
        load_biases(rows->bias != NULL ? &rows->bias[4u * channel] : NULL, count, sums);
        uint32_t by_four = multiplier == 1u ? count - count % 4u : 0u;
        for (uint32_t i = 0; i < by_four; i += 4u) {
            add_four_channels(view, channel + i, minus_zero_point, &sums[i]);
        }
        for (uint32_t i = by_four; i < count; i++) {
            sums[i] = sum_of_channel(view, (channel + i) / multiplier, channel + i, zero_point, sums[i]);
        }
        requantise_rows(rows, channel, sums, count, &output[channel]);
    }
    if (activates(rows)) {
        activate(rows, output, layer->outputs);
    }
}

void convolve_depthwise(const convolution_t *layer, const int8_t *input, int8_t *output)
{
    for (uint32_t y = 0; y < layer->window.output_height; y++) {
        for (uint32_t x = 0; x < layer->window.output_width; x++) {
            view_t view = view_of(layer, input, y, x);
            convolve_place(layer, &view, output);
            output += layer->outputs;
        }
    }
}
#endif
