/* SPDX-License-Identifier: Apache-2.0 */
/* Complex FFT of 256 points in single precision, radix 2, in place: floating point, strided loads, table in flash. */
#include <stdint.h>

#define LENGTH 256u

#include "twiddles.h"

static float real[LENGTH], imaginary[LENGTH];

static void swap_bits(void)
{
    uint32_t reversed = 0;
    for (uint32_t i = 0; i < LENGTH; i++) {
        if (i < reversed) {
            float kept = real[i];
            real[i] = real[reversed];
            real[reversed] = kept;
        }
        uint32_t bit = LENGTH / 2u;
        while (reversed & bit) {
            reversed ^= bit;
            bit >>= 1;
        }
        reversed |= bit;
    }
}

uint32_t program(void)
{
    uint32_t state = 1;
    for (uint32_t i = 0; i < LENGTH; i++) {
        state = state * 1664525u + 1013904223u;
        real[i] = (float)(int32_t)(state >> 20) - 2048.0f;
        imaginary[i] = 0.0f;
    }
    swap_bits();
    for (uint32_t half = 1; half < LENGTH; half *= 2u) {
        for (uint32_t twiddle = 0; twiddle < half; twiddle++) {
            float cosine = twiddles[2u * (twiddle * (LENGTH / 2u / half))];
            float sine = twiddles[2u * (twiddle * (LENGTH / 2u / half)) + 1u];
            for (uint32_t top = twiddle; top < LENGTH; top += 2u * half) {
                uint32_t bottom = top + half;
                float r = real[bottom] * cosine - imaginary[bottom] * sine;
                float i = real[bottom] * sine + imaginary[bottom] * cosine;
                real[bottom] = real[top] - r;
                imaginary[bottom] = imaginary[top] - i;
                real[top] += r;
                imaginary[top] += i;
            }
        }
    }
    float energy = 0.0f;
    for (uint32_t i = 0; i < LENGTH; i++) {
        energy += real[i] * real[i] + imaginary[i] * imaginary[i];
    }
    return (uint32_t)(energy * (1.0f / (float)LENGTH));
}
