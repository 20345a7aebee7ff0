/* SPDX-License-Identifier: Apache-2.0 */
/* A network of dense int8 layers, with the arithmetic of TensorFlow Lite Micro. */
#include "main.h"

typedef struct {
    const int8_t *weights;
    const int32_t *biases;
    const int32_t *mantissas;
    const int8_t *shifts;
    uint32_t inputs, outputs;
    int32_t input_zero, output_zero, low, high;
} layer_t;

#include "weights.h"

static int32_t multiply_high(int32_t value, int32_t mantissa)
{
    int64_t product = (int64_t)value * mantissa;
    int64_t nudge = product >= 0 ? (1 << 30) : 1 - (1 << 30);
    product += nudge;
    return (int32_t)(product >= 0 ? product >> 31 : -(-product >> 31)); /* towards zero */
}

static int32_t divide_by_power(int32_t value, uint32_t exponent)
{
    int32_t mask = (int32_t)((1u << exponent) - 1u);
    int32_t threshold = (mask >> 1) + (value < 0 ? 1 : 0);
    return (value >> exponent) + ((value & mask) > threshold ? 1 : 0);
}

static void run_layer(const layer_t *layer, const int8_t *input, int8_t *output)
{
    for (uint32_t row = 0; row < layer->outputs; row++) {
        int32_t sum = layer->biases[row];
        for (uint32_t column = 0; column < layer->inputs; column++) {
            sum += (input[column] - layer->input_zero) * layer->weights[row * layer->inputs + column];
        }
        int32_t shift = layer->shifts[row];
        int32_t scaled = multiply_high(sum << (shift > 0 ? shift : 0), layer->mantissas[row]);
        scaled = divide_by_power(scaled, shift > 0 ? 0u : (uint32_t)-shift) + layer->output_zero;
        scaled = scaled < layer->low ? layer->low : scaled;
        output[row] = (int8_t)(scaled > layer->high ? layer->high : scaled);
    }
}

uint32_t Network_Run(const int8_t *input, int8_t *output)
{
    static int8_t between[2][64];
    const int8_t *from = input;
    for (uint32_t i = 0; i < LAYER_COUNT; i++) {
        int8_t *to = i + 1u == LAYER_COUNT ? output : between[i % 2u];
        run_layer(&layers[i], from, to);
        from = to;
    }
    return 0;
}
