/* SPDX-License-Identifier: Apache-2.0 */
/* The application: every period a duty cycle, in between Stop 2, from which the console can wake it as well. */
#include "application.h"
#include "backup.h"
#include "board.h"
#include "clock.h"
#include "console.h"
#include "detector.h"
#include "protocol.h"
#include "events.h"
#include "mailbox.h"
#include "modes.h"
#include "mutant.h"
#include "power.h"
#include "registers.h"
#include "rtc.h"
#include "watchdog.h"

/* FIREWALL, OBL, PIN, BOR, SFT, IWDG, WWDG, LPWR from bit 0 (RM0351, RCC_CSR). A supply that failed shows as BOR: level 0,
 * 1.7 V, is always on and is in every figure of the datasheet. The higher levels and the PVD would draw another 1.1 uA
 * (DS10198 Rev 8, table 25), two thirds of Stop 2, for a warning that nothing here needs: the backup registers hold
 * whole states at any instant. */
#define RESET_FLAGS_POS 24u

static application_t application;
MUTANT_BALLAST_DEFINED

static uint32_t take_reset_flags(void)
{
    uint32_t flags = RCC->CSR >> RESET_FLAGS_POS;
    RCC->CSR |= RCC_CSR_RMVF;
    return flags;
}

static void report_boot(uint32_t reset_flags, bool crystal, bool state_is_whole)
{
    const state_t *state = &application.state;
    record_t *record = console_begin("BOOT");
    record_number(record, "fw", FIRMWARE_VERSION);
    record_number(record, "proto", CONSOLE_PROTOCOL);
    record_hex(record, "model", application.model_crc32, 8);
    record_hex(record, "reset", reset_flags, 2);
    record_number(record, "anomalies", state->anomaly_count);
    record_number(record, "period_ms", state->period_s * 1000u);
    record_number(record, "window_ms", state->segments * (WINDOW_SAMPLES * 1000u / SAMPLE_RATE_HZ));
    record_number(record, "threshold", state->threshold);
    record_number(record, "plan", state->plan);
    record_number(record, "lse", crystal ? 1u : 0u);
    record_number(record, "log", state_is_whole ? 1u : 0u);
    console_send();
}

static void start(void)
{
    board_init();
    clock_init();
    uint32_t reset_flags = take_reset_flags();
    rtc_unlock_backup_domain();
    backup_note_t note = backup_take_note();

    clock_enter_plan(0);
    application.model_error = detector_load();
    application.model_crc32 = detector_model_crc32();
    if (mailbox_open(application.model_error, application_samples)) {
        mailbox_serve();
    }
    clock_enter_idle();
    if (note.mode != MODE_NONE) {
        mode_enter(MUTANT_MODE((power_mode_t)note.mode));
    }

    watchdog_start();
    console_init();
    application.sweep_next = CLOCK_PLAN_COUNT;
    bool state_is_whole = backup_load(&application.state);
    MUTANT_SETTINGS(&application.state);
    MUTANT_CARRY();
    state_log_start(&application.state, reset_flags, note.exception, note.address);
    backup_store(&application.state);
    bool crystal = rtc_start();

    report_boot(reset_flags, crystal, state_is_whole);
    if (!crystal) {
        application_report_error(ERROR_LSE_START);
    }
    if (note.exception != 0u) {
        application_report_error(ERROR_FAULT + note.exception);
    }
    rtc_start_wakeup(MUTANT_WAKE_PERIOD_S(application.state.period_s));
}

static void wake(void)
{
    detection_t detection;
    uint32_t plan = application.state.plan;
    if (application.sweep_next < CLOCK_PLAN_COUNT) {
        plan = application.sweep_next++;
    }
    (void)application_wake(&application, plan, &detection);
}

int main(void)
{
    start();
    application_listen(&application);
    rtc_start_wakeup(MUTANT_WAKE_PERIOD_S(application.state.period_s)); /* periods are counted from the first wake */
    uint32_t events = EVENT_WAKEUP;
    for (;;) {
        if ((events & EVENT_LSE_FAILED) != 0u) {
            rtc_fall_back();
            rtc_start_wakeup(application.state.period_s);
            application_report_error(ERROR_LSE_FAILED);
        }
        if ((events & EVENT_WAKEUP) != 0u) {
            wake();
        }
        if ((events & EVENT_CONSOLE_EDGE) != 0u) {
            application_listen(&application);
        }
        (void)event_take(EVENT_OVERDUE);
        events = power_stop2_until(EVENT_WAKEUP | EVENT_CONSOLE_EDGE | EVENT_LSE_FAILED);
        watchdog_feed();
    }
}
