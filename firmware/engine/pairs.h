/* SPDX-License-Identifier: Apache-2.0 */
/* Two int16 in a word.
 *
 * A core with the DSP extension multiplies two pairs and adds both products in one cycle (SMLAD), but has to widen bytes
 * to pairs first, and SXTB16 takes bytes 0 and 2, or 1 and 3 with a rotation. So four bytes become an even pair and an
 * odd pair. Other cores run the same steps in plain C. */
#ifndef HIL_PAIRS_H
#define HIL_PAIRS_H

#include <stdint.h>

static inline uint32_t load_four(const int8_t *bytes)
{
    uint32_t four;
    __builtin_memcpy(&four, bytes, sizeof four); /* rows begin at any address */
    return four;
}

#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP
#include <arm_acle.h>

typedef int16x2_t pair_t;

static inline pair_t even_bytes(uint32_t four)
{
    return __sxtb16((int8x4_t)four);
}

static inline pair_t odd_bytes(uint32_t four)
{
    pair_t pair;
    __asm("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(four)); /* GCC makes two instructions of a rotation and __sxtb16() */
    return pair;
}

static inline pair_t subtract(pair_t a, pair_t b)
{
    return __ssub16(a, b);
}

static inline pair_t pair_of(int32_t value)
{
    return (pair_t)((uint32_t)value << 16 | ((uint32_t)value & 0xFFFFu));
}

static inline int32_t multiply_add(pair_t a, pair_t b, int32_t sum)
{
    return __smlad(a, b, sum);
}

/* Of the lower and of the upper halves alone. */
static inline int32_t multiply_add_low(pair_t a, pair_t b, int32_t sum)
{
    __asm("smlabb %0, %1, %2, %0" : "+r"(sum) : "r"(a), "r"(b));
    return sum;
}

static inline int32_t multiply_add_high(pair_t a, pair_t b, int32_t sum)
{
    __asm("smlatt %0, %1, %2, %0" : "+r"(sum) : "r"(a), "r"(b));
    return sum;
}

/* The pair of bytes on top of another pair. */
static inline pair_t add_even_bytes(pair_t pair, uint32_t four)
{
    __asm("sxtab16 %0, %1, %2" : "=r"(pair) : "r"(pair), "r"(four));
    return pair;
}

static inline pair_t add_odd_bytes(pair_t pair, uint32_t four)
{
    __asm("sxtab16 %0, %1, %2, ror #8" : "=r"(pair) : "r"(pair), "r"(four));
    return pair;
}

#else
typedef uint32_t pair_t;

static inline int32_t low_of(pair_t pair)
{
    return (int16_t)(uint16_t)pair;
}

static inline int32_t high_of(pair_t pair)
{
    return (int16_t)(uint16_t)(pair >> 16);
}

static inline pair_t pack(int32_t low, int32_t high)
{
    return (uint32_t)high << 16 | ((uint32_t)low & 0xFFFFu);
}

static inline pair_t even_bytes(uint32_t four)
{
    return pack((int8_t)(uint8_t)four, (int8_t)(uint8_t)(four >> 16));
}

static inline pair_t odd_bytes(uint32_t four)
{
    return even_bytes(four >> 8);
}

static inline pair_t subtract(pair_t a, pair_t b)
{
    return pack(low_of(a) - low_of(b), high_of(a) - high_of(b));
}

static inline pair_t pair_of(int32_t value)
{
    return pack(value, value);
}

/* Modulo 2^32, as SMLAD is. */
static inline int32_t multiply_add(pair_t a, pair_t b, int32_t sum)
{
    return (int32_t)((uint32_t)sum + (uint32_t)(low_of(a) * low_of(b)) + (uint32_t)(high_of(a) * high_of(b)));
}

static inline int32_t multiply_add_low(pair_t a, pair_t b, int32_t sum)
{
    return (int32_t)((uint32_t)sum + (uint32_t)(low_of(a) * low_of(b)));
}

static inline int32_t multiply_add_high(pair_t a, pair_t b, int32_t sum)
{
    return (int32_t)((uint32_t)sum + (uint32_t)(high_of(a) * high_of(b)));
}

static inline pair_t add_even_bytes(pair_t pair, uint32_t four)
{
    return pack(low_of(pair) + low_of(even_bytes(four)), high_of(pair) + high_of(even_bytes(four)));
}

static inline pair_t add_odd_bytes(pair_t pair, uint32_t four)
{
    return add_even_bytes(pair, four >> 8);
}
#endif

#endif
