/* SPDX-License-Identifier: Apache-2.0 */
#include "pool.h"

#if NETWORK_POOL_2D

typedef struct {
    uint32_t first;
    uint32_t end;
} range_t;

/* What of the image a kernel without dilation sees along one axis. */
static range_t seen(uint32_t place, uint32_t stride, uint32_t padding, uint32_t kernel, uint32_t extent)
{
    int32_t first = (int32_t)(place * stride) - (int32_t)padding;
    int32_t end = first + (int32_t)kernel;
    return (range_t){(uint32_t)(first < 0 ? 0 : first), (uint32_t)(end > (int32_t)extent ? (int32_t)extent : end)};
}

static int32_t mean(const window_t *window, const int8_t *input, range_t rows, range_t columns)
{
    int32_t sum = 0;
    int32_t count = (int32_t)((rows.end - rows.first) * (columns.end - columns.first));
    for (uint32_t row = rows.first; row < rows.end; row++) {
        const int8_t *element = &input[(row * window->width + columns.first) * window->channels];
        for (uint32_t column = columns.first; column < columns.end; column++, element += window->channels) {
            sum += *element;
        }
    }
    return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}

static int32_t maximum(const window_t *window, const int8_t *input, range_t rows, range_t columns)
{
    int32_t largest = -128;
    for (uint32_t row = rows.first; row < rows.end; row++) {
        const int8_t *element = &input[(row * window->width + columns.first) * window->channels];
        for (uint32_t column = columns.first; column < columns.end; column++, element += window->channels) {
            largest = *element > largest ? *element : largest;
        }
    }
    return largest;
}

static void pool(const pool_t *layer, bool average, const int8_t *input, int8_t *output)
{
    const window_t *window = &layer->window;
    for (uint32_t y = 0; y < window->output_height; y++) {
        range_t rows = seen(y, window->stride_rows, window->padding_above, window->kernel_height, window->height);
        for (uint32_t x = 0; x < window->output_width; x++) {
            range_t columns = seen(x, window->stride_columns, window->padding_left, window->kernel_width, window->width);
            for (uint32_t channel = 0; channel < window->channels; channel++) {
                int32_t value = average ? mean(window, &input[channel], rows, columns)
                                        : maximum(window, &input[channel], rows, columns);
                value = value < layer->output_min ? layer->output_min : value;
                *output++ = (int8_t)(value > layer->output_max ? layer->output_max : value);
            }
        }
    }
}

void average_pool(const pool_t *layer, const int8_t *input, int8_t *output)
{
    pool(layer, true, input, output);
}

void max_pool(const pool_t *layer, const int8_t *input, int8_t *output)
{
    pool(layer, false, input, output);
}
#endif
