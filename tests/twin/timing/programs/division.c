/* SPDX-License-Identifier: Apache-2.0 */
/* Greatest common divisors of 64 pairs: a division and a multiplication a turn, every turn a branch. */
#include <stdint.h>

uint32_t program(void)
{
    uint32_t state = 1;
    uint32_t result = 0;
    for (uint32_t i = 0; i < 64u; i++) {
        state = state * 1664525u + 1013904223u;
        uint32_t larger = state >> 4;
        state = state * 1664525u + 1013904223u;
        uint32_t smaller = (state >> 8) + 1u;
        while (smaller != 0u) {
            uint32_t rest = larger % smaller;
            larger = smaller;
            smaller = rest;
        }
        result = result * 31u + larger;
    }
    return result;
}
