/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the application share. */
#ifndef HIL_APPLICATION_H
#define HIL_APPLICATION_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "detector.h"
#include "protocol.h"
#include "state.h"

typedef struct {
    state_t state;
    error_t model_error;
    uint32_t model_crc32;
    uint32_t sweep_next; /* clock plan of the next wake; CLOCK_PLAN_COUNT: no sweep, the set plan */
} application_t;

/* One window of samples; between two wakes anybody's. */
extern uint16_t application_samples[WINDOW_SAMPLES * WINDOW_SEGMENTS_MAX];

/* One duty cycle from the idle clock to it: a window, judged on `plan`, counted and stored; the marker is high meanwhile,
 * and the error or the anomaly is reported. */
error_t application_wake(application_t *application, uint32_t plan, detection_t *detection);

/* Says READY and serves commands until the line has been silent for CONSOLE_LISTEN_MS, or a second wake is due. */
void application_listen(application_t *application);

/* Sends `ERR code=`. */
void application_report_error(error_t error);

#endif
