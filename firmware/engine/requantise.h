/* SPDX-License-Identifier: Apache-2.0 */
/* From an int32 accumulator to an int8 output, exactly as the reference kernels of TFLite Micro round. */
#ifndef HIL_REQUANTISE_H
#define HIL_REQUANTISE_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP
#include <arm_acle.h>
#endif

/* A real factor as multiplier / 2^31 * 2^shift. */
typedef struct {
    int32_t multiplier;
    int32_t shift;
} requantise_t;

/* The factor input_scale * weight_scale / output_scale, computed as double arithmetic would. The scales come as the
 * bit patterns of float32. False if one is not a positive normal number or the factor is 2^30 or more. */
bool requantise_prepare(requantise_t *factor, uint32_t input_scale, uint32_t weight_scale, uint32_t output_scale);

/* High 32 bits of 2 * a * b, halves towards plus infinity. One of a and b must not be INT32_MIN. */
static inline int32_t doubling_high_product(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + (1 << 30)) >> 31);
}

/* value / 2^exponent for 0 <= exponent <= 31, halves away from zero. */
static inline int32_t divide_by_power_of_two(int32_t value, int32_t exponent)
{
    int32_t mask = (int32_t)((1ll << exponent) - 1);
    int32_t remainder = value & mask;
    int32_t threshold = (mask >> 1) + (value < 0 ? 1 : 0);
    return (value >> exponent) + (remainder > threshold ? 1 : 0);
}

/* value * factor, rounded twice: after the multiplication and after the shift. */
int32_t requantise(int32_t value, requantise_t factor);

/* a + b, limited to int32. */
static inline int32_t saturating_sum(int32_t a, int32_t b)
{
#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP
    return __qadd(a, b);
#else
    int32_t sum;
    if (__builtin_add_overflow(a, b, &sum)) {
        sum = a < 0 ? INT32_MIN : INT32_MAX;
    }
    return sum;
#endif
}

static inline int32_t limited_to_int8(int32_t value)
{
#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion" /* inside GCC's own macro */
    return __ssat(value, 8);
#pragma GCC diagnostic pop
#else
    value = value < -128 ? -128 : value;
    return value > 127 ? 127 : value;
#endif
}

/* Whether requantise_below_half() may be used: a factor below 1/2, but not one so small that it counts as 0. */
static inline bool requantise_is_below_half(requantise_t factor)
{
    return factor.shift < 0 && factor.multiplier >= 1 << 30;
}

/* requantise(value, factor) + zero_point, limited to int8, in a few instructions. */
static inline int32_t requantise_below_half(int32_t value, requantise_t factor, int32_t zero_point)
{
    /* (value * multiplier + 2^30) >> 31, with the multiplier as 2^31 + doubled / 2 so that the product of two int32 and
     * its upper word, rounded, will do. */
    int32_t doubled = (int32_t)((uint32_t)factor.multiplier << 1);
    int32_t high = value + (int32_t)(((int64_t)value * doubled + 0x80000000ll) >> 32);
    /* Halves away from zero: one less where negative, then halves up. */
    int32_t nudged = high + (high >> 31);
    return limited_to_int8(saturating_sum(nudged >> ~factor.shift, 1 + 2 * zero_point) >> 1);
}

#endif
