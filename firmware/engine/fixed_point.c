/* SPDX-License-Identifier: Apache-2.0 */
#include "fixed_point.h"

#include "requantise.h"

/* "q31" is a number in -1 .. 1 times 2^31, "q29" one in -4 .. 4 times 2^29. */
#define ONE_Q31 INT32_MAX
#define ONE_Q29 (1 << 29)

static int32_t shifted_left(int32_t value, unsigned bits)
{
    int32_t limit = (int32_t)((1u << (31u - bits)) - 1u);
    if (value > limit) {
        return INT32_MAX;
    }
    return value < -limit ? INT32_MIN : (int32_t)((uint32_t)value << bits);
}

/* exp(x) of -1/4 <= x < 0: Taylor's series about -1/8 as far as the fourth power. */
static int32_t exp_of_last_quarter_q31(int32_t x_q31)
{
    const int32_t exp_of_minus_eighth_q31 = 1895147668;
    const int32_t third_q31 = 715827883;
    int32_t d = x_q31 + (1 << 28);
    int32_t d2 = doubling_high_product(d, d);
    int32_t d3 = doubling_high_product(d2, d);
    int32_t d4 = doubling_high_product(d2, d2);
    int32_t high_orders = doubling_high_product(divide_by_power_of_two(d4, 2) + d3, third_q31);
    int32_t series = d + divide_by_power_of_two(high_orders + d2, 1);
    return exp_of_minus_eighth_q31 + doubling_high_product(exp_of_minus_eighth_q31, series);
}

/* exp(x) of x <= 0 with `integer_bits` bits before the point. */
static int32_t exp_of_negative_q31(int32_t x, unsigned integer_bits)
{
    /* exp(-2^i) for i = -2 .. 4 */
    static const int32_t powers_q31[] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
    if (x == 0) {
        return ONE_Q31;
    }
    unsigned quarter_bit = 29u - integer_bits;
    int32_t quarter = 1 << quarter_bit;
    int32_t in_last_quarter = (x & (quarter - 1)) - quarter;
    uint32_t quarters = (uint32_t)(in_last_quarter - x) >> quarter_bit;
    int32_t result = exp_of_last_quarter_q31(shifted_left(in_last_quarter, integer_bits));
    for (unsigned i = 0; i < integer_bits + 2u; i++) {
        if ((quarters >> i & 1u) != 0u) {
            result = doubling_high_product(result, powers_q31[i]);
        }
    }
    return result;
}

/* 2 / (1 + x) of 0 <= x <= 1. */
static int32_t two_over_one_plus_q29(int32_t x_q31)
{
    const int32_t start_q29 = 1515870810;  /* 48/17 */
    const int32_t slope_q29 = -1010580540; /* -32/17 */
    int32_t half_q31 = (int32_t)(((int64_t)x_q31 + ONE_Q31 + 1) / 2);
    int32_t result = start_q29 + doubling_high_product(half_q31, slope_q29);
    for (unsigned i = 0; i < 3u; i++) {
        int32_t error_q29 = ONE_Q29 - doubling_high_product(half_q31, result);
        result += shifted_left(doubling_high_product(result, error_q29), 2);
    }
    return result;
}

int32_t fixed_exp_of_negative(int32_t x)
{
    return exp_of_negative_q31(x, 5);
}

int32_t fixed_one_over_one_plus(int32_t x)
{
    return shifted_left(two_over_one_plus_q29(x), 1);
}

int32_t fixed_logistic(int32_t x)
{
    if (x == 0) {
        return 1 << 30;
    }
    int32_t exponential_q31 = exp_of_negative_q31(x > 0 ? -x : x, FIXED_POINT_INPUT_BITS);
    int32_t of_magnitude = fixed_one_over_one_plus(exponential_q31);
    return x > 0 ? of_magnitude : ONE_Q31 - of_magnitude;
}

int32_t fixed_tanh(int32_t x)
{
    if (x == 0) {
        return 0;
    }
    /* exp(-2 |x|): the same bits with one more before the point. */
    int32_t exponential_q31 = exp_of_negative_q31(x > 0 ? -x : x, FIXED_POINT_INPUT_BITS + 1);
    int32_t of_magnitude = shifted_left(two_over_one_plus_q29(exponential_q31) - ONE_Q29, 2);
    return x > 0 ? of_magnitude : -of_magnitude;
}
