/* SPDX-License-Identifier: Apache-2.0 */
#include "mailbox.h"

#include "cortex_m4.h"
#include "detector.h"
#include "features.h"

/* Survives a reset: the rig writes to it while the part is halted at the reset vector. Every word is volatile for the
 * firmware, because the debugger changes them behind its back. */
__attribute__((section(".noinit"), used)) volatile mailbox_t hil_mailbox;

bool mailbox_open(void)
{
    bool serve = hil_mailbox.control == MAILBOX_SERVE && hil_mailbox.request == ~MAILBOX_SERVE;
    hil_mailbox.version = MAILBOX_VERSION;
    if (!serve) {
        hil_mailbox.control = 0;
    }
    hil_mailbox.request = 0;
    hil_mailbox.response = 0;
    hil_mailbox.status = ERROR_NONE;
    hil_mailbox.input_size = FEATURE_COUNT;
    hil_mailbox.output_size = FEATURE_COUNT;
    data_barrier();
    hil_mailbox.magic = MAILBOX_MAGIC;
    return serve;
}

static error_t run_command(uint32_t command, uint16_t *samples)
{
    int8_t input[FEATURE_COUNT];
    if (command == MAILBOX_FEATURES) {
        for (uint32_t i = 0; i < WINDOW_SAMPLES; i++) {
            samples[i] = hil_mailbox.samples[i];
        }
        features_extract(samples, 1, input);
        for (uint32_t i = 0; i < FEATURE_COUNT; i++) {
            hil_mailbox.input[i] = input[i];
        }
    } else if (command == MAILBOX_INFER) {
        for (uint32_t i = 0; i < FEATURE_COUNT; i++) {
            input[i] = hil_mailbox.input[i];
        }
    } else {
        return ERROR_MAILBOX_COMMAND;
    }

    detection_t detection;
    detector_run(input, &detection);
    for (uint32_t i = 0; i < FEATURE_COUNT; i++) {
        hil_mailbox.output[i] = detection.output[i];
    }
    hil_mailbox.cycles = detection.cycles;
    hil_mailbox.score = detection.score;
    return ERROR_NONE;
}

void mailbox_serve(error_t model_error, uint16_t *samples)
{
    while (hil_mailbox.control == MAILBOX_SERVE) {
        uint32_t request = hil_mailbox.request;
        if (request != hil_mailbox.response) {
            hil_mailbox.status = model_error != ERROR_NONE ? model_error : run_command(hil_mailbox.command, samples);
            data_barrier();
            hil_mailbox.response = request;
        }
    }
    system_reset();
}
