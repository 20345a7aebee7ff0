/* SPDX-License-Identifier: Apache-2.0 */
/* Heap sort of 256 words: short blocks, data-dependent branches, loads with computed addresses. */
#include <stdint.h>

#define LENGTH 256u

static int32_t values[LENGTH];

static void sift(uint32_t root, uint32_t length)
{
    int32_t sinking = values[root];
    for (uint32_t child; (child = 2u * root + 1u) < length; root = child) {
        if (child + 1u < length && values[child + 1u] > values[child]) {
            child++;
        }
        if (values[child] <= sinking) {
            break;
        }
        values[root] = values[child];
    }
    values[root] = sinking;
}

uint32_t program(void)
{
    uint32_t state = 1;
    for (uint32_t i = 0; i < LENGTH; i++) {
        state = state * 1664525u + 1013904223u;
        values[i] = (int32_t)state;
    }
    for (uint32_t i = LENGTH / 2u; i > 0u; i--) {
        sift(i - 1u, LENGTH);
    }
    for (uint32_t end = LENGTH - 1u; end > 0u; end--) {
        int32_t largest = values[0];
        values[0] = values[end];
        values[end] = largest;
        sift(0, end);
    }
    uint32_t result = 0;
    for (uint32_t i = 0; i < LENGTH; i++) {
        result = result * 31u + (uint32_t)values[i];
    }
    return result;
}
