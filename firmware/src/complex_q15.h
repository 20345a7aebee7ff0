/* SPDX-License-Identifier: Apache-2.0 */
/* Complex numbers of two int16 in a word, real part low. With the DSP extension most operations are one instruction. */
#ifndef HIL_COMPLEX_Q15_H
#define HIL_COMPLEX_Q15_H

#include <stdint.h>

typedef uint32_t complex_q15_t;

#define Q15_HALF 16384

static inline complex_q15_t complex_of(int32_t re, int32_t im)
{
    return ((uint32_t)re & 0xFFFFu) | (uint32_t)im << 16;
}

static inline int32_t real_part(complex_q15_t value)
{
    return (int16_t)(uint16_t)value;
}

static inline int32_t imaginary_part(complex_q15_t value)
{
    return (int16_t)(uint16_t)(value >> 16);
}

#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP
#include <arm_acle.h>

/* value * (cos - j sin) in Q15, halves up; `rotation` is cos + j sin. The result must fit int16. */
static inline complex_q15_t rotated(complex_q15_t value, complex_q15_t rotation)
{
    int32_t re = __smlad((int16x2_t)value, (int16x2_t)rotation, Q15_HALF);  /* re cos + im sin */
    int32_t im = __smlsdx((int16x2_t)rotation, (int16x2_t)value, Q15_HALF); /* im cos - re sin */
    return ((uint32_t)(re >> 15) & 0xFFFFu) | ((uint32_t)im << 1 & 0xFFFF0000u);
}

/* (a + b) / 2 and (a - b) / 2, halves up. */
static inline complex_q15_t half_sum(complex_q15_t a, complex_q15_t b)
{
    return (complex_q15_t)__shadd16((int16x2_t)a, __sadd16((int16x2_t)b, (int16x2_t)0x00010001));
}

static inline complex_q15_t half_difference(complex_q15_t a, complex_q15_t b)
{
    return (complex_q15_t)__shsub16((int16x2_t)a, __ssub16((int16x2_t)b, (int16x2_t)0x00010001));
}

static inline uint64_t add_power(uint64_t sum, complex_q15_t value)
{
    return (uint64_t)__smlald((int16x2_t)value, (int16x2_t)value, (int64_t)sum);
}
#else
static inline complex_q15_t rotated(complex_q15_t value, complex_q15_t rotation)
{
    int32_t re = real_part(value) * real_part(rotation) + imaginary_part(value) * imaginary_part(rotation);
    int32_t im = imaginary_part(value) * real_part(rotation) - real_part(value) * imaginary_part(rotation);
    return complex_of((re + Q15_HALF) >> 15, (im + Q15_HALF) >> 15);
}

static inline complex_q15_t half_sum(complex_q15_t a, complex_q15_t b)
{
    return complex_of(
        (real_part(a) + real_part(b) + 1) >> 1, (imaginary_part(a) + imaginary_part(b) + 1) >> 1);
}

static inline complex_q15_t half_difference(complex_q15_t a, complex_q15_t b)
{
    return complex_of(
        (real_part(a) - real_part(b) + 1) >> 1, (imaginary_part(a) - imaginary_part(b) + 1) >> 1);
}

static inline uint64_t add_power(uint64_t sum, complex_q15_t value)
{
    int32_t re = real_part(value);
    int32_t im = imaginary_part(value);
    return sum + (uint32_t)(re * re) + (uint32_t)(im * im);
}
#endif

#endif
