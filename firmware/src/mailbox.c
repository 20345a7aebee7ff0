/* SPDX-License-Identifier: Apache-2.0 */
#include "mailbox.h"

#include "config.h"
#include "detector.h"
#include "features.h"
#include "hil_mailbox.h"

static error_t error_of_model;
static hil_mailbox_door_t door;

/* cppcheck-suppress constParameterCallback ; hil_mailbox.h has the type */
static uint32_t run(uint32_t command, void *context)
{
    if (error_of_model != ERROR_NONE) {
        return error_of_model;
    }
#ifdef SENSOR_NONE
    (void)context;
#else
    if (command == HIL_MAILBOX_PROCESS) {
        features_extract(context, 1, detector_input());
        command = HIL_MAILBOX_INFER;
    }
#endif
    if (command != HIL_MAILBOX_INFER) {
        return ERROR_MAILBOX_COMMAND;
    }
    detection_t detection;
    detector_run(&detection);
    hil_mailbox_set_cycles(detection.cycles);
    hil_mailbox_set_value(detection.score);
    return HIL_MAILBOX_DONE;
}

bool mailbox_open(error_t model_error, uint16_t *samples)
{
    error_of_model = model_error;
    door = (hil_mailbox_door_t){
        .input = {detector_input(), INPUT_SIZE, HIL_MAILBOX_INT8},
        .output = {detector_output(), OUTPUT_SIZE, HIL_MAILBOX_INT8},
#ifndef SENSOR_NONE
        .samples = {samples, WINDOW_SAMPLES * sizeof *samples, HIL_MAILBOX_UINT16},
#endif
        .run = run,
        .context = samples,
    };
    return hil_mailbox_open(&door);
}

void mailbox_serve(void)
{
    hil_mailbox_serve(&door);
}
