/* SPDX-License-Identifier: Apache-2.0 */
#include "look_up_table.h"

#include <stdbool.h>

#include "elementwise.h"
#include "fixed_point.h"
#include "requantise.h"
#include "round.h"
#include "tflite.h"

#define ONE_BITS 0x3F800000u           /* 1.0 */
#define ONE_256TH_BITS 0x3B800000u     /* 1/256: LOGISTIC's output has no other scale */
#define ONE_128TH_BITS 0x3C000000u     /* 1/128: TANH's */
#define MANTISSA_BITS 23u

static int8_t clamped(int32_t value, int32_t low)
{
    value = value < low ? low : value;
    return (int8_t)(value > 127 ? 127 : value);
}

int32_t quantised(float value, quantisation_t quantisation)
{
    float scale;
    __builtin_memcpy(&scale, &quantisation.scale_bits, sizeof scale);
    return clamped(round_to_int(value / scale) + quantisation.zero_point, -128);
}

/* From one quantisation to the other; RELU stops at the output's zero. */
static error_t fill_rescaled(int8_t *table, quantisation_t input, quantisation_t output, int32_t low)
{
    requantise_t factor;
    if (!requantise_prepare(&factor, input.scale_bits, ONE_BITS, output.scale_bits)) {
        return ERROR_MODEL_QUANTISATION;
    }
    for (int32_t value = -128; value <= 127; value++) {
        int32_t rescaled = requantise(value - input.zero_point, factor) + output.zero_point;
        table[table_index((int8_t)value)] = clamped(rescaled, low);
    }
    return ERROR_NONE;
}

/* Between the input's zero and six, whatever the output's quantisation says: the reference kernel does not look at it. */
static error_t fill_relu6(int8_t *table, quantisation_t input)
{
    int32_t six = quantised(6.0f, input);
    for (int32_t value = -128; value <= 127; value++) {
        int32_t upper = value < six ? value : six;
        table[table_index((int8_t)value)] = clamped(upper, input.zero_point);
    }
    return ERROR_NONE;
}

/* The reference kernel takes what lies beyond +-15 for the limit. */
static error_t fill_sigmoid(int8_t *table, quantisation_t input, bool is_tanh)
{
    /* scale * 2^27 is multiplier / 2^31 * 2^shift: the float's own mantissa. */
    int32_t shift = (int32_t)(input.scale_bits >> MANTISSA_BITS) - 126 + 31 - FIXED_POINT_INPUT_BITS;
    uint32_t mantissa = (input.scale_bits & ((1u << MANTISSA_BITS) - 1u)) | 1u << MANTISSA_BITS;
    requantise_t factor = {.multiplier = (int32_t)(mantissa << (30u - MANTISSA_BITS)), .shift = shift};
    if (shift < 0 || shift > 62) {
        return ERROR_MODEL_QUANTISATION;
    }
    int32_t radius = (int32_t)((15ll << (31 - FIXED_POINT_INPUT_BITS)) >> shift);
    for (int32_t value = -128; value <= 127; value++) {
        int32_t centred = value - input.zero_point;
        int32_t result;
        if (centred <= -radius) {
            result = -128;
        } else if (centred >= radius) {
            result = 127;
        } else if (is_tanh) {
            result = divide_by_power_of_two(fixed_tanh(requantise(centred, factor)), 31 - 7);
        } else {
            result = divide_by_power_of_two(fixed_logistic(requantise(centred, factor)), 31 - 8) - 128;
        }
        table[table_index((int8_t)value)] = clamped(result, -128);
    }
    return ERROR_NONE;
}

error_t look_up_table_fill(int8_t *table, uint32_t builtin, quantisation_t input, quantisation_t output)
{
    switch (builtin) {
    case TFLITE_RELU:
        return fill_rescaled(table, input, output, output.zero_point);
    case TFLITE_QUANTIZE:
        return fill_rescaled(table, input, output, -128);
    case TFLITE_RELU6:
        return fill_relu6(table, input);
    case TFLITE_LOGISTIC:
        if (output.scale_bits != ONE_256TH_BITS || output.zero_point != -128) {
            return ERROR_MODEL_QUANTISATION;
        }
        return fill_sigmoid(table, input, false);
    case TFLITE_TANH:
        if (output.scale_bits != ONE_128TH_BITS || output.zero_point != 0) {
            return ERROR_MODEL_QUANTISATION;
        }
        return fill_sigmoid(table, input, true);
    default:
        return ERROR_MODEL_OPERATOR;
    }
}
