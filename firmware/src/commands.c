/* SPDX-License-Identifier: Apache-2.0 */
/* Answers the console's commands: docs/console_protocol.md. */
#include "application.h"
#include "backup.h"
#include "board.h"
#include "clock.h"
#include "command.h"
#include "console.h"
#include "cortex_m4.h"
#include "detector.h"
#include "events.h"
#include "modes.h"
#include "mutant.h"
#include "network.h"
#include "power.h"
#include "registers.h"
#include "rtc.h"
#include "selftest.h"
#include "timeout.h"
#include "watchdog.h"

#define SEGMENT_MS (WINDOW_SAMPLES * 1000u / SAMPLE_RATE_HZ)

static record_t *acknowledge(const command_t *command)
{
    record_t *record = console_begin("ACK");
    record_number(record, "cmd", command->sequence);
    return record;
}

static void refuse(application_t *application, uint32_t sequence, error_t error)
{
    if (error >= ERROR_COMMAND_CORRUPT && error <= ERROR_COMMAND_RANGE) {
        application->state.bad_command_count += MUTANT_REFUSED_STEP;
        backup_store(&application->state);
    }
    record_t *record = console_begin("NAK");
    record_number(record, "cmd", sequence);
    record_number(record, "error", error);
    console_send();
}

static void info(const application_t *application, const command_t *command)
{
    record_t *record = acknowledge(command);
    record_number(record, "fw", FIRMWARE_VERSION);
    record_number(record, "proto", CONSOLE_PROTOCOL);
    record_hex(record, "model", application->model_crc32, 8);
    record_text(record, "mcu", BOARD_MCU);
    record_text(record, "engine", NETWORK_ENGINE);
    record_number(record, "features", FEATURE_COUNT);
    console_send();
}

static void status(const application_t *application, const command_t *command)
{
    const state_t *state = &application->state;
    record_t *record = acknowledge(command);
    record_number(record, "wakes", state->wake_count);
    record_number(record, "anomalies", state->anomaly_count);
    record_number(record, "score", state->last_score);
    record_number(record, "bad_commands", state->bad_command_count);
    record_number(record, "resets", state->reset_count);
    record_number(record, "faults", state->fault_count);
    record_number(record, "lse", rtc_on_crystal() ? 1u : 0u);
    record_number(record, "plan", state->plan);
    record_number(record, "period_ms", state->period_s * 1000u);
    record_number(record, "window_ms", state->segments * SEGMENT_MS);
    record_number(record, "threshold", state->threshold);
    console_send();
}

static error_t change_setting(state_t *state, const command_t *command)
{
    uint32_t value;
    if (!command_number(command->value, &value)) {
        return ERROR_COMMAND_FIELD;
    }
    if (command_is(command->key, "period_ms")) {
        if (value % 1000u != 0u || value < 1000u || value > STATE_PERIOD_MAX_S * 1000u) {
            return ERROR_COMMAND_RANGE;
        }
        state->period_s = value / 1000u;
    } else if (command_is(command->key, "window_ms")) {
        if (value != SEGMENT_MS && value != WINDOW_SEGMENTS_MAX * SEGMENT_MS) {
            return ERROR_COMMAND_RANGE;
        }
        state->segments = value / SEGMENT_MS;
    } else if (command_is(command->key, "threshold")) {
        state->threshold = value;
    } else if (command_is(command->key, "plan")) {
        if (value >= CLOCK_PLAN_COUNT) {
            return ERROR_COMMAND_RANGE;
        }
        state->plan = value;
    } else {
        return ERROR_COMMAND_FIELD;
    }
    state->settings_changed = true;
    return ERROR_NONE;
}

static error_t set(application_t *application, const command_t *command)
{
    state_t changed = application->state;
    error_t error = change_setting(&changed, command);
    /* A window must end, and be judged on the slowest plan, before the next one begins. */
    if (error == ERROR_NONE && changed.period_s * 1000u <= changed.segments * SEGMENT_MS) {
        error = ERROR_COMMAND_RANGE;
    }
    if (error != ERROR_NONE) {
        return error;
    }
    if (!MUTANT_OBEY) {
        changed = application->state;
    }
    bool new_period = changed.period_s != application->state.period_s;
    application->state = changed;
    backup_store(&application->state);
    if (new_period) {
        rtc_start_wakeup(changed.period_s);
    }
    record_text(acknowledge(command), command->key, command->value);
    console_send();
    return ERROR_NONE;
}

static void defaults(application_t *application, const command_t *command)
{
    state_default_settings(&application->state);
    backup_store(&application->state);
    rtc_start_wakeup(application->state.period_s);
    (void)acknowledge(command);
    console_send();
}

static error_t infer(const application_t *application, const command_t *command)
{
    if (!command_is(command->key, "in") || !command_bytes(command->value, detector_input(), INPUT_SIZE)) {
        return ERROR_COMMAND_FIELD;
    }
    if (application->model_error != ERROR_NONE) {
        return application->model_error;
    }
    detection_t detection;
    clock_enter_plan(application->state.plan);
    detector_run(&detection);
    clock_enter_idle();
    record_t *record = acknowledge(command);
    record_number(record, "score", detection.score);
    record_number(record, "cycles", detection.cycles);
    record_bytes(record, "out", detector_output(), OUTPUT_SIZE);
    console_send();
    return ERROR_NONE;
}

static void ready(void)
{
    record_number(console_begin("READY"), "proto", CONSOLE_PROTOCOL);
    console_send();
}

static error_t run(application_t *application, const command_t *command)
{
    detection_t detection;
    if (!MUTANT_OBEY) {
        (void)acknowledge(command);
        console_send();
        return ERROR_NONE;
    }
    console_listen(false); /* a window is sampled with nothing else on */
    error_t error = application_wake(application, application->state.plan, &detection);
    bool spoken = event_pending(EVENT_CONSOLE_EDGE) != 0u;
    console_listen(true); /* before the answer: the next command may follow at once */
    if (error == ERROR_NONE) {
        record_t *record = acknowledge(command);
        record_number(record, "score", detection.score);
        record_number(record, "cycles", detection.cycles);
        console_send();
    }
    if (spoken) {
        ready(); /* what was said meanwhile was lost */
    }
    return error;
}

static void sweep(application_t *application, const command_t *command)
{
    application->sweep_next = 0;
    record_number(acknowledge(command), "plans", CLOCK_PLAN_COUNT);
    console_send();
}

static error_t mode(const command_t *command)
{
    power_mode_t wanted = mode_named(command->value);
    if (!command_is(command->key, "name") || wanted == MODE_NONE) {
        return ERROR_COMMAND_FIELD;
    }
    record_text(acknowledge(command), "name", command->value);
    console_send();
    backup_leave_note(&(backup_note_t){0, wanted, 0});
    system_reset();
}

static void test(const application_t *application, const command_t *command)
{
    uint32_t flash_crc32;
    uint32_t supply_mv;
    bool ram = selftest_ram();
    watchdog_feed();
    bool flash = selftest_flash(&flash_crc32);
    watchdog_feed();
    bool model = application->model_error == ERROR_NONE && detector_model_crc32() == application->model_crc32;
    bool clock = selftest_clock();
    watchdog_feed();
    bool adc = selftest_adc(&supply_mv);
    record_t *record = acknowledge(command);
    record_number(record, "ram", ram ? 1u : 0u);
    record_number(record, "flash", flash ? 1u : 0u);
    record_number(record, "model", model ? 1u : 0u);
    record_number(record, "clock", clock ? 1u : 0u);
    record_number(record, "adc", adc ? 1u : 0u);
    record_hex(record, "flash_crc", flash_crc32, 8);
    record_number(record, "supply_mv", supply_mv);
    console_send();
}

static void send_log(const application_t *application, const command_t *command)
{
    const state_t *state = &application->state;
    for (uint32_t i = 0; i < state->log_count; i++) {
        const log_entry_t *entry = &state->log[i];
        record_t *record = console_begin("LOGE");
        record_number(record, "i", i);
        record_hex(record, "reset", entry->reset_flags, 2);
        record_number(record, "fault", entry->fault);
        record_hex(record, "addr", entry->address, 8);
        record_number(record, "wake", entry->wake);
        console_send();
        watchdog_feed();
    }
    record_number(acknowledge(command), "entries", state->log_count);
    console_send();
}

_Noreturn static void reset(const command_t *command)
{
    (void)acknowledge(command);
    console_send();
    system_reset();
}

_Noreturn static void hang(const command_t *command)
{
    (void)acknowledge(command);
    console_send();
    interrupts_disable();
    for (;;) { /* until the watchdog ends it */
    }
}

/* ERROR_NONE if the command has been answered. */
static error_t execute(application_t *application, const command_t *command)
{
    bool takes_field = command->verb == VERB_SET || command->verb == VERB_INFER || command->verb == VERB_MODE;
    if (takes_field == (command->key[0] == '\0')) {
        return ERROR_COMMAND_FIELD;
    }
    switch (command->verb) {
    case VERB_INFO:
        info(application, command);
        return ERROR_NONE;
    case VERB_STATUS:
        status(application, command);
        return ERROR_NONE;
    case VERB_SET:
        return set(application, command);
    case VERB_DEFAULTS:
        defaults(application, command);
        return ERROR_NONE;
    case VERB_INFER:
        return infer(application, command);
    case VERB_RUN:
        return run(application, command);
    case VERB_SWEEP:
        sweep(application, command);
        return ERROR_NONE;
    case VERB_MODE:
        return mode(command);
    case VERB_TEST:
        test(application, command);
        return ERROR_NONE;
    case VERB_LOG:
        send_log(application, command);
        return ERROR_NONE;
    case VERB_RESET:
        reset(command);
    case VERB_WDTEST:
        hang(command);
    case VERB_COUNT:
        break;
    }
    return ERROR_COMMAND_UNKNOWN;
}

static void answer(application_t *application, const line_t *line, error_t damage)
{
    command_t command = {.sequence = COMMAND_NO_SEQUENCE};
    error_t error = damage != ERROR_NONE ? damage : command_parse(line, &command);
    if (error == ERROR_NONE) {
        error = execute(application, &command);
    }
    if (error != ERROR_NONE) {
        refuse(application, command.sequence, error);
    }
}

void application_listen(application_t *application)
{
    line_t line;
    line_clear(&line);
    console_listen(true);
    ready();
    uint32_t event;
    do {
        timeout_start(CONSOLE_LISTEN_MS);
        event = power_sleep_until(EVENT_RECEIVED | EVENT_TIMEOUT | EVENT_OVERDUE);
        char character;
        while (console_read(&character)) {
            if (!line_push(&line, character)) {
                continue;
            }
            timeout_cancel();
            watchdog_feed();
            error_t damage = console_damage();
            if (line.length == 0u && damage == ERROR_NONE) {
                ready(); /* somebody asks whether anybody listens */
            } else {
                answer(application, &line, damage);
            }
            line_clear(&line);
        }
        watchdog_feed();
    } while ((event & EVENT_RECEIVED) != 0u);
    timeout_cancel();
    if (line.length > 0u) { /* a command that never ended gets its answer as well */
        refuse(application, COMMAND_NO_SEQUENCE, ERROR_COMMAND_CORRUPT);
    }
    console_listen(false);
}
