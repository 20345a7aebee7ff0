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
    if (error == ERROR_NONE && (network.input_size != FEATURE_COUNT || network.output_size != FEATURE_COUNT)) {
        error = ERROR_MODEL_SHAPE; /* an autoencoder of the features is wanted */
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

void detector_run(const int8_t *input, detection_t *detection)
{
    /* Each time: a debugger that disconnects may have turned the trace unit off. */
    DCB_DEMCR |= DCB_DEMCR_TRCENA;
    DWT->CTRL |= DWT_CTRL_CYCCNTENA;

    board_marker_inference(true);
    uint32_t start = DWT->CYCCNT;
    for (uint32_t run = 0; run < MUTANT_INFERENCE_RUNS; run++) {
        network_invoke(&network, input, detection->output);
    }
    detection->cycles = DWT->CYCCNT - start;
    board_marker_inference(false);

    detection->score = 0;
    for (uint32_t i = 0; i < FEATURE_COUNT; i++) {
        int32_t difference = input[i] - detection->output[i];
        detection->score += (uint32_t)(difference * difference);
    }
}
