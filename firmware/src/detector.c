/* SPDX-License-Identifier: Apache-2.0 */
#include "detector.h"

#include "board.h"
#include "cortex_m4.h"
#include "crc.h"
#include "mutant.h"
#include "network.h"

extern const uint8_t hil_model[];     /* model.S */
extern const uint8_t hil_model_end[];

static network_t network;
#ifdef SENSOR_NONE
__attribute__((section(".noinit"))) /* what the rig left is judged after the reset, too */
#endif
static int8_t input[INPUT_SIZE];
static int8_t output[OUTPUT_SIZE];

static uint32_t model_size(void)
{
    return (uint32_t)((uintptr_t)hil_model_end - (uintptr_t)hil_model);
}

error_t detector_load(void)
{
    error_t error = network_load(&network, hil_model, model_size());
    if (error == ERROR_NONE && (network.input_type != ELEMENT_INT8 || network.output_type != ELEMENT_INT8)) {
        error = ERROR_MODEL_TYPE;
    }
    if (error == ERROR_NONE && (network.input_size != INPUT_SIZE || network.output_size != OUTPUT_SIZE)) {
        error = ERROR_MODEL_SHAPE; /* with a sensor, an autoencoder of the features is wanted */
    }
    return error;
}

uint32_t detector_arena_needed_bytes(void)
{
    return network.arena_needed_bytes;
}

uint32_t detector_model_crc32(void)
{
    return crc32_ieee(hil_model, model_size());
}

int8_t *detector_input(void)
{
    return input;
}

int8_t *detector_output(void)
{
    return output;
}

void detector_run(detection_t *detection)
{
    /* Each time: a debugger that disconnects may have turned the trace unit off. */
    DCB_DEMCR |= DCB_DEMCR_TRCENA;
    DWT->CTRL |= DWT_CTRL_CYCCNTENA;

    board_marker_inference(true);
    uint32_t start = DWT->CYCCNT;
    for (uint32_t run = 0; run < MUTANT_INFERENCE_RUNS; run++) {
        network_invoke(&network, input, output);
    }
    detection->cycles = DWT->CYCCNT - start;
    board_marker_inference(false);

    detection->score = 0;
#if INPUT_SIZE == OUTPUT_SIZE
    for (uint32_t i = 0; i < OUTPUT_SIZE; i++) {
        int32_t difference = input[i] - output[i];
        detection->score += (uint32_t)(difference * difference);
    }
#endif
}
