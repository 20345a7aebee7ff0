/* SPDX-License-Identifier: Apache-2.0 */
/* Short blocks: a bubble sort, two to four instructions between branches, half of which are taken at random. */
#include "program.h"

#define LENGTH 512u
#define ROUNDS 40u

static int32_t values[LENGTH];

static void fill(uint32_t state)
{
    for (uint32_t i = 0; i < LENGTH; i++) {
        state = state * 1664525u + 1013904223u; /* Numerical Recipes' linear congruential generator */
        values[i] = (int32_t)state;
    }
}

static void sort(void)
{
    for (uint32_t end = LENGTH - 1u; end > 0u; end--) {
        for (uint32_t i = 0; i < end; i++) {
            if (values[i] > values[i + 1u]) {
                int32_t larger = values[i];
                values[i] = values[i + 1u];
                values[i + 1u] = larger;
                __asm volatile(""); /* a branch, not conditional instructions */
            }
        }
    }
}

uint32_t program(void)
{
    uint32_t result = 0;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        fill(round);
        sort();
        result = result * 31u + (uint32_t)values[LENGTH / 2u];
    }
    return result;
}
