/* SPDX-License-Identifier: Apache-2.0 */
/* The anomaly detector: features of a window through an autoencoder; what it cannot reproduce is unusual. */
#ifndef HIL_DETECTOR_H
#define HIL_DETECTOR_H

#include <stdint.h>

#include "config.h"
#include "protocol.h"

typedef struct {
    int8_t output[FEATURE_COUNT];
    uint32_t score;  /* sum of (input - output)^2, in quantisation steps squared */
    uint32_t cycles; /* DWT core cycles of the network's invocation alone */
} detection_t;

/* Loads the model linked into the image. On an error detector_run() must not be called. */
error_t detector_load(void);

/* RAM that the loaded model needs, also after ERROR_MODEL_MEMORY: NETWORK_ARENA_BYTES must not be less. */
uint32_t detector_arena_needed_bytes(void);

/* CRC-32 of the .tflite file linked into the image. */
uint32_t detector_model_crc32(void);

/* One inference over FEATURE_COUNT inputs; marker_inference is high during the network's invocation. */
void detector_run(const int8_t *input, detection_t *detection);

#endif
