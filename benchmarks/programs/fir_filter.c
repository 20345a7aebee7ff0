/* SPDX-License-Identifier: Apache-2.0 */
/* Long blocks: a FIR filter whose taps are unrolled into one block of some hundred instructions. */
#include "program.h"

#define TAPS 32u
#define LENGTH 1024u
#define ROUNDS 600u

static int32_t signal[LENGTH + TAPS];
static int32_t filtered[LENGTH];
static const int32_t taps[TAPS] = {
    1,  -2, 3,   -5,  8,   -12, 17,  -24, 33,  -45, 62,  -87, 126, -195, 357, 999,
    999, 357, -195, 126, -87, 62, -45, 33, -24, 17, -12, 8, -5, 3, -2, 1,
};

static void filter(void)
{
    for (uint32_t i = 0; i < LENGTH; i++) {
        int32_t sum = 0;
#pragma clang loop unroll(full)
        for (uint32_t tap = 0; tap < TAPS; tap++) {
            sum += taps[tap] * signal[i + tap];
        }
        filtered[i] = sum >> 11;
    }
}

uint32_t program(void)
{
    uint32_t state = 1;
    for (uint32_t i = 0; i < LENGTH + TAPS; i++) {
        state = state * 1664525u + 1013904223u;
        signal[i] = (int32_t)(state >> 20);
    }
    for (uint32_t round = 0; round < ROUNDS; round++) {
        filter();
        for (uint32_t i = 0; i < LENGTH; i++) {
            signal[i] ^= filtered[i] & 0xff;
        }
    }
    uint32_t result = 0;
    for (uint32_t i = 0; i < LENGTH; i++) {
        result = result * 31u + (uint32_t)signal[i];
    }
    return result;
}
