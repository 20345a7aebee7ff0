/* SPDX-License-Identifier: Apache-2.0 */
#include "application.h"
#include "backup.h"
#include "board.h"
#include "clock.h"
#include "console.h"
#include "features.h"
#include "mutant.h"
#include "sampling.h"
#include "watchdog.h"

uint16_t application_samples[WINDOW_SAMPLES * WINDOW_SEGMENTS_MAX];

void application_report_error(error_t error)
{
    record_number(console_begin("ERR"), "code", error);
    console_send();
}

static void report_anomaly(const state_t *state, uint32_t cycles)
{
    record_t *record = console_begin("ANOM");
    record_number(record, "score", state->last_score);
    record_number(record, "threshold", state->threshold);
    record_number(record, "anomalies", state->anomaly_count);
    record_number(record, "wake", state->wake_count);
    record_number(record, "cycles", cycles);
    console_send();
}

error_t application_wake(application_t *application, uint32_t plan, detection_t *detection)
{
    state_t *state = &application->state;
    board_marker_active(true);
    watchdog_feed();
    error_t error = application->model_error;
    if (error == ERROR_NONE) {
        error = sampling_run(application_samples, WINDOW_SAMPLES * state->segments);
    }
    watchdog_feed();
    state->wake_count++;
    bool anomalous = false;
    clock_enter_plan(plan);
    if (error == ERROR_NONE) {
#ifndef SENSOR_NONE
        features_extract(application_samples, state->segments, detector_input());
#endif
        detector_run(detection);
        state->last_score = detection->score;
        anomalous = detection->score > state->threshold;
        state->anomaly_count += anomalous ? 1u : 0u;
    }
    backup_store(state);
    clock_enter_idle();

    if (error != ERROR_NONE) {
        application_report_error(error);
    } else if (anomalous && MUTANT_REPORT_ANOMALY) {
        report_anomaly(state, detection->cycles);
    }
    watchdog_feed();
    board_marker_active(false);
    return error;
}
