/* SPDX-License-Identifier: Apache-2.0 */
/* At each place of the image CONV_2D is FULLY_CONNECTED on what the kernel sees there. Outside of the image that is the
 * zero point, which adds nothing. */
#include "convolution.h"

#include "fully_connected.h"

#if NETWORK_CONV_2D

static uint32_t patch_bytes(const window_t *window)
{
    return (uint32_t)window->kernel_height * window->kernel_width * window->channels;
}

static bool sees_one_element(const window_t *window)
{
    return window->kernel_height == 1u && window->kernel_width == 1u;
}

uint32_t convolution_scratch_bytes(const window_t *window)
{
    uint32_t bytes = patch_bytes(window);
    return fully_connected_scratch_bytes(bytes) + (sees_one_element(window) ? 0u : (bytes + 3u) & ~3u);
}

static int8_t *fill(int8_t *to, uint32_t count, int8_t value)
{
    __builtin_memset(to, value, count);
    return to + count;
}

/* One row of the kernel, whose first element lies at `column` of the image's row. */
static int8_t *gather_row(const window_t *window, const int8_t *row, int32_t column, int8_t outside, int8_t *to)
{
    uint32_t channels = window->channels;
    int32_t width = window->width;
    int32_t kernel_width = window->kernel_width;
    if (window->dilation_columns == 1u) { /* the elements inside are neighbours */
        int32_t first = column < 0 ? -column : 0;
        first = first > kernel_width ? kernel_width : first;
        int32_t end = width - column;
        end = end > kernel_width ? kernel_width : end < first ? first : end;
        to = fill(to, (uint32_t)first * channels, outside);
        __builtin_memcpy(to, &row[(column + first) * (int32_t)channels], (uint32_t)(end - first) * channels);
        to += (uint32_t)(end - first) * channels;
        return fill(to, (uint32_t)(kernel_width - end) * channels, outside);
    }
    for (int32_t i = 0; i < kernel_width; i++, column += window->dilation_columns) {
        if (column < 0 || column >= width) {
            to = fill(to, channels, outside);
        } else {
            __builtin_memcpy(to, &row[column * (int32_t)channels], channels);
            to += channels;
        }
    }
    return to;
}

static void gather(const window_t *window, const int8_t *input, int32_t row, int32_t column, int8_t outside, int8_t *to)
{
    uint32_t row_bytes = (uint32_t)window->width * window->channels;
    for (uint32_t i = 0; i < window->kernel_height; i++, row += window->dilation_rows) {
        if (row < 0 || row >= window->height) {
            to = fill(to, (uint32_t)window->kernel_width * window->channels, outside);
        } else {
            to = gather_row(window, &input[(uint32_t)row * row_bytes], column, outside, to);
        }
    }
}

void convolve(const convolution_t *layer, const int8_t *input, int8_t *output, uint32_t *scratch)
{
    const window_t *window = &layer->window;
    uint32_t size = patch_bytes(window);
    bool copies = !sees_one_element(window);
    int8_t *patch = (int8_t *)scratch + fully_connected_scratch_bytes(size);
    for (uint32_t y = 0; y < window->output_height; y++) {
        int32_t row = (int32_t)(y * window->stride_rows) - window->padding_above;
        for (uint32_t x = 0; x < window->output_width; x++) {
            int32_t column = (int32_t)(x * window->stride_columns) - window->padding_left;
            const int8_t *seen = patch;
            if (copies) {
                gather(window, input, row, column, layer->rows.input_zero_point, patch);
            } else {
                seen = &input[((uint32_t)row * window->width + (uint32_t)column) * window->channels];
            }
            weighted_sums(&layer->rows, seen, size, layer->outputs, output, scratch);
            output += layer->outputs;
        }
    }
}
#endif
