/* SPDX-License-Identifier: Apache-2.0 */
/* The anomaly detector: features of a window, or a tensor from the mailbox, through an autoencoder; what it cannot
 * reproduce is unusual. */
#ifndef HIL_DETECTOR_H
#define HIL_DETECTOR_H

#include <stdint.h>

#include "config.h"
#include "protocol.h"

typedef struct {
    uint32_t score;  /* sum of (input - output)^2, in quantisation steps squared; 0 if they differ in length */
    uint32_t cycles; /* DWT core cycles of the network's invocation alone */
} detection_t;

/* Loads the model linked into the image. On an error detector_run() must not be called. */
error_t detector_load(void);

/* RAM that the loaded model needs, also after ERROR_MODEL_MEMORY: NETWORK_ARENA_BYTES must not be less. */
uint32_t detector_arena_needed_bytes(void);

/* CRC-32 of the .tflite file linked into the image. */
uint32_t detector_model_crc32(void);

/* INPUT_SIZE values for detector_run(), and the OUTPUT_SIZE that it left. */
int8_t *detector_input(void);
int8_t *detector_output(void);

/* One inference; marker_inference is high during the network's invocation. */
void detector_run(detection_t *detection);

#endif
