/* SPDX-License-Identifier: Apache-2.0 */
/* What the reference firmware does between two sleeps: 1024-point FFT, log band energies, int8 autoencoder. */
#include "features.h"
#include "network.h"
#include "program.h"

#define ROUNDS 150u

extern const uint8_t hil_model[];
extern const uint8_t hil_model_end[];

static network_t network;
static uint16_t samples[WINDOW_SAMPLES];

uint32_t program(void)
{
    uint32_t size = (uint32_t)((uintptr_t)hil_model_end - (uintptr_t)hil_model);
    if (network_load(&network, hil_model, size) != ERROR_NONE) {
        return 0;
    }
    uint32_t state = 1;
    uint32_t result = 0;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < WINDOW_SAMPLES; i++) {
            state = state * 1664525u + 1013904223u;
            samples[i] = (uint16_t)(state >> 20);
        }
        int8_t input[FEATURE_COUNT];
        int8_t output[FEATURE_COUNT];
        features_extract(samples, 1, input);
        network_invoke(&network, input, output);
        for (uint32_t i = 0; i < FEATURE_COUNT; i++) {
            result = result * 31u + (uint8_t)output[i];
        }
    }
    return result;
}
