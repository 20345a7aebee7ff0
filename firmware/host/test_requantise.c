/* SPDX-License-Identifier: Apache-2.0 */
/* The quick way to round against the plain one, where they could part: at ties and at the ends of int32. */
#include "check.h"
#include "requantise.h"

static uint64_t state = 1;

static uint32_t next(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 32);
}

static int32_t plain(int32_t value, requantise_t factor, int32_t zero_point)
{
    return limited_to_int8(requantise(value, factor) + zero_point);
}

static void compare(int32_t value, requantise_t factor, int32_t zero_point)
{
    CHECK(requantise_is_below_half(factor));
    CHECK_EQUAL(requantise_below_half(value, factor, zero_point), plain(value, factor, zero_point));
}

int main(void)
{
    const int32_t ends[] = {INT32_MIN, INT32_MIN + 1, -1, 0, 1, INT32_MAX - 1, INT32_MAX};
    const int32_t multipliers[] = {1 << 30, (1 << 30) + 1, INT32_MAX - 1, INT32_MAX};
    const int32_t zero_points[] = {-128, -1, 0, 1, 127};
    for (int32_t shift = -31; shift <= -1; shift++) {
        for (uint32_t m = 0; m < 4u; m++) {
            for (uint32_t z = 0; z < 5u; z++) {
                requantise_t factor = {.multiplier = multipliers[m], .shift = shift};
                for (uint32_t e = 0; e < 7u; e++) {
                    compare(ends[e], factor, zero_points[z]);
                }
                /* Values whose quotient is near a tie. */
                for (int64_t half = -515; half <= 515; half++) {
                    int64_t tie = half * (1ll << (-shift)); /* half * 2^-shift / multiplier, about */
                    for (int64_t offset = -2; offset <= 2; offset++) {
                        if (tie + offset >= INT32_MIN && tie + offset <= INT32_MAX) {
                            compare((int32_t)(tie + offset), factor, zero_points[z]);
                        }
                    }
                }
            }
        }
    }
    for (uint32_t i = 0; i < 1000000u; i++) {
        requantise_t factor = {.multiplier = (int32_t)(next() >> 2 | 1u << 30), .shift = -1 - (int32_t)(next() % 31u)};
        compare((int32_t)next() >> (next() % 32u), factor, (int32_t)(next() % 256u) - 128);
    }
    return check_result();
}
