/* SPDX-License-Identifier: Apache-2.0 */
/* The duty cycle: wake every WAKE_PERIOD_S, sample a window asleep, judge it on the clock plan, report if unusual, Stop 2. */
#include "backup.h"
#include "board.h"
#include "clock.h"
#include "config.h"
#include "console.h"
#include "detector.h"
#include "errors.h"
#include "features.h"
#include "mailbox.h"
#include "mutant.h"
#include "power.h"
#include "rtc.h"
#include "sampling.h"
#include "registers.h"

/* FIREWALL, OBL, PIN, BOR, SFT, IWDG, WWDG, LPWR from bit 0 (RM0351, RCC_CSR). */
#define RESET_FLAGS_POS 24u

static uint16_t samples[WINDOW_SAMPLES];

static void report_error(error_t error)
{
    console_begin("ERR");
    console_number("code", error);
    console_send();
}

static void report_boot(uint32_t model_crc32, uint32_t reset_flags, uint32_t anomaly_count, uint32_t period_s)
{
    console_begin("BOOT");
    console_number("fw", FIRMWARE_VERSION);
    console_hex("model", model_crc32, 8);
    console_hex("reset", reset_flags, 2);
    console_number("anomalies", anomaly_count);
    console_number("period_ms", period_s * 1000u);
    console_number("threshold", HIL_ANOMALY_THRESHOLD);
    console_send();
}

static void report_anomaly(const backup_t *backup, uint32_t cycles)
{
    console_begin("ANOM");
    console_number("score", backup->last_score);
    console_number("threshold", HIL_ANOMALY_THRESHOLD);
    console_number("anomalies", backup->anomaly_count);
    console_number("wake", backup->wake_count);
    console_number("cycles", cycles);
    console_send();
}

static uint32_t take_reset_flags(void)
{
    uint32_t flags = RCC->CSR >> RESET_FLAGS_POS;
    RCC->CSR |= RCC_CSR_RMVF;
    return flags;
}

/* One window, judged and counted. */
static void duty_cycle(backup_t *backup, error_t model_error)
{
    board_marker_active(true);
    error_t error = model_error != ERROR_NONE ? model_error : sampling_run(samples, WINDOW_SAMPLES);
    backup->wake_count++;
    detection_t detection;
    bool anomalous = false;
    if (error == ERROR_NONE) {
        int8_t input[FEATURE_COUNT];
        clock_enter_plan(CLOCK_PLAN);
        features_extract(samples, 1, input);
        detector_run(input, &detection);
        clock_enter_idle();
        backup->last_score = detection.score;
        anomalous = detection.score > HIL_ANOMALY_THRESHOLD;
        backup->anomaly_count += anomalous ? 1u : 0u;
    }
    backup_store(backup);

    if (error != ERROR_NONE) {
        report_error(error);
    } else if (anomalous && MUTANT_REPORT_ANOMALY) {
        report_anomaly(backup, detection.cycles);
    }
    board_marker_active(false);
}

int main(void)
{
    board_init();
    clock_init();
    uint32_t reset_flags = take_reset_flags();

    clock_enter_plan(0);
    error_t model_error = detector_load();
    uint32_t model_crc32 = detector_model_crc32();
    if (mailbox_open()) {
        mailbox_serve(model_error);
    }
    clock_enter_idle();

    rtc_unlock_backup_domain();
    while (!rtc_start_lse(LSE_REPORT_AFTER_S)) {
        report_error(ERROR_LSE_START);
    }

    uint32_t fault = backup_take_fault();
    backup_t backup = backup_load();
    uint32_t period_s = WAKE_PERIOD_S;
    report_boot(model_crc32, reset_flags, backup.anomaly_count, period_s);
    if (fault != 0u) {
        report_error(ERROR_FAULT + fault);
    }

    rtc_start_wakeup(MUTANT_WAKE_PERIOD_S(period_s));
    for (;;) {
        duty_cycle(&backup, model_error);
        power_stop2_until(&rtc_wakeup);
    }
}
