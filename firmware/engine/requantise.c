/* SPDX-License-Identifier: Apache-2.0 */
#include "requantise.h"

#define MANTISSA_BITS 23u
#define DOUBLE_PRECISION 53u
#define MIN_SHIFT (-31) /* a smaller factor counts as 0 */
#define MAX_SHIFT 30

/* float32 = mantissa * 2^exponent with 2^23 <= mantissa < 2^24. */
typedef struct {
    uint64_t mantissa;
    int32_t exponent;
} unpacked_t;

static bool unpack(unpacked_t *number, uint32_t bits)
{
    uint32_t biased_exponent = bits >> MANTISSA_BITS; /* with the sign, which must be 0 */
    if (biased_exponent == 0u || biased_exponent >= 255u) {
        return false;
    }
    number->mantissa = (bits & ((1u << MANTISSA_BITS) - 1u)) | 1u << MANTISSA_BITS;
    number->exponent = (int32_t)biased_exponent - 127 - (int32_t)MANTISSA_BITS;
    return true;
}

/* The M4's floating-point unit has no double and this firmware no run-time library, so the two double operations are
 * done on integers: the product of two 24-bit mantissas is exact in 53 bits, the quotient is rounded to 53 bits, half
 * to even. */
bool requantise_prepare(requantise_t *factor, uint32_t input_scale, uint32_t weight_scale, uint32_t output_scale)
{
    unpacked_t input;
    unpacked_t weight;
    unpacked_t output;
    if (!unpack(&input, input_scale) || !unpack(&weight, weight_scale) || !unpack(&output, output_scale)) {
        return false;
    }
    int32_t exponent = input.exponent + weight.exponent - output.exponent;

    /* Scale numerator and denominator so that their ratio is in [1/2, 1), as frexp() would have it. */
    uint64_t numerator = input.mantissa * weight.mantissa; /* 2^46 .. 2^48 */
    uint64_t denominator = output.mantissa << MANTISSA_BITS; /* 2^46 .. 2^47 */
    exponent += (int32_t)MANTISSA_BITS;
    while (numerator >= denominator) {
        denominator <<= 1;
        exponent++;
    }

    uint64_t quotient = 0;
    for (unsigned bit = 0; bit < DOUBLE_PRECISION; bit++) {
        numerator <<= 1;
        quotient <<= 1;
        if (numerator >= denominator) {
            numerator -= denominator;
            quotient |= 1u;
        }
    }
    uint64_t twice_remainder = numerator << 1;
    if (twice_remainder > denominator || (twice_remainder == denominator && (quotient & 1u) != 0u)) {
        quotient++; /* may carry to 2^53; the rounding below is right for that as well */
    }

    /* To 31 bits, half away from zero. */
    uint64_t fixed = (quotient + (1u << (DOUBLE_PRECISION - 31u - 1u))) >> (DOUBLE_PRECISION - 31u);
    if (fixed == 1ull << 31) {
        fixed >>= 1;
        exponent++;
    }
    if (exponent > MAX_SHIFT) {
        return false;
    }
    bool vanishes = exponent < MIN_SHIFT;
    factor->multiplier = vanishes ? 0 : (int32_t)fixed;
    factor->shift = vanishes ? 0 : exponent;
    return true;
}

int32_t requantise(int32_t value, requantise_t factor)
{
    int32_t left = factor.shift > 0 ? factor.shift : 0;
    int32_t right = factor.shift > 0 ? 0 : -factor.shift;
    int32_t scaled = (int32_t)((uint32_t)value << left);
    return divide_by_power_of_two(doubling_high_product(scaled, factor.multiplier), right);
}
