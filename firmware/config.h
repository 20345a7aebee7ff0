/* SPDX-License-Identifier: Apache-2.0 */
/* What the application does, in one place: its period, its window, its limits. Pins are in src/board.h. */
#ifndef HIL_CONFIG_H
#define HIL_CONFIG_H

#include "threshold.h" /* HIL_ANOMALY_THRESHOLD, written with the model by its training */

#define FIRMWARE_VERSION 2u
#define CONSOLE_PROTOCOL 1u

/* What the application starts with; the console's SET changes them. HIL_ANOMALY_THRESHOLD is the fourth. */
#define WAKE_PERIOD_S 10u
#define WINDOW_SEGMENTS 1u /* of WINDOW_SAMPLES each, 1..WINDOW_SEGMENTS_MAX */
#define CLOCK_PLAN 3u      /* of the features and the inference: see src/clock.h */

#ifdef SENSOR_LSM6DSL
#define SAMPLE_RATE_HZ 1660u /* a data rate of the sensor; the model must have been trained at it */
#else
#define SAMPLE_RATE_HZ 2000u
#endif
#define WINDOW_SAMPLES 1024u /* 512 ms at 2 kHz, 616 ms at 1.66 kHz; the FFT's length, see src/features.c */
#define WINDOW_SEGMENTS_MAX 2u
#ifdef SENSOR_NONE
#include "model_facts.h" /* the build writes it after the model */
#define FEATURE_COUNT 0u
#define INPUT_SIZE MODEL_INPUT_SIZE
#define OUTPUT_SIZE MODEL_OUTPUT_SIZE
#define NETWORK_ARENA_BYTES MODEL_ARENA_BYTES
#define MODEL_TENSOR_BYTES (INPUT_SIZE + OUTPUT_SIZE)
#else
#define FEATURE_COUNT 32u /* bands of the window's spectrum = the model's inputs and outputs */
#define INPUT_SIZE FEATURE_COUNT
#define OUTPUT_SIZE FEATURE_COUNT
#define MODEL_TENSOR_BYTES 0u
#endif

#define CONSOLE_BAUD 115200u

/* RAM the network may use for its tables and activations; loading a larger one fails with ERROR_MODEL_MEMORY. */
#ifndef NETWORK_ARENA_BYTES
#define NETWORK_ARENA_BYTES 8192u
#endif
#define NETWORK_MAX_LAYERS 16u

/* A 32.768 kHz crystal starts within 2 s typically (DS10198 Rev 8, table 58); no maximum is given.
 * Assumption: one that has not started after 5 s does not. */
#define LSE_START_TIMEOUT_S 5u

/* Whether a crystal that stops is noticed, also in Stop 2: its clock security system needs the LSI, 110 nA typically and
 * 180 nA at most (DS10198 Rev 8, table 61). Without, the part would sleep for ever. */
#define LSE_SUPERVISED 1

/* The part listens to the console until no byte has come for that long. */
#define CONSOLE_LISTEN_MS 250u

#endif
