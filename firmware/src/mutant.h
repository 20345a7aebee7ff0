/* SPDX-License-Identifier: Apache-2.0 */
/* Planted faults. `cmake -DMUTANT=<name>` defines MUTANT_<NAME>; the rig's tests must notice each of them.
 * Without one, every hook below leaves the firmware as its source reads. */
#ifndef HIL_MUTANT_H
#define HIL_MUTANT_H

#include "registers.h"

/* lpr_set: the regulator is in low-power mode at the entry, which turns Stop 2 into Stop 1.
 * The next wake-up must leave Low-power run again before the clock may rise. */
#ifdef MUTANT_LPR_SET
#define MUTANT_BEFORE_STOP() (PWR->CR1 |= PWR_CR1_LPR)
#define MUTANT_AFTER_STOP()                            \
    do {                                               \
        PWR->CR1 &= ~PWR_CR1_LPR;                      \
        while ((PWR->SR2 & PWR_SR2_REGLPF) != 0u) {    \
        }                                              \
    } while (0)
/* dbgmcu_left_set: debug support in low-power modes stays on; set again every time, so clearing it once is no cure. */
#elif defined(MUTANT_DBGMCU_LEFT_SET)
#define MUTANT_BEFORE_STOP() (DBGMCU->CR = DBGMCU_CR_DBG_SLEEP | DBGMCU_CR_DBG_STOP | DBGMCU_CR_DBG_STANDBY)
#endif

/* no_sleep: waits for the next wake-up awake. */
#ifdef MUTANT_NO_SLEEP
#define MUTANT_STOP(wfi) ((void)0)
#endif

/* low_clock: 16 MHz (range 8) instead of 24 MHz (range 9), 40 MHz instead of 80 MHz. */
#ifdef MUTANT_LOW_CLOCK
#define MUTANT_PLL_FACTOR(factor) ((factor) / 2u)
#define MUTANT_MSI_RANGE(range) ((range) == 9u ? 8u : (range))
#endif

/* costly_plan: starts with a clock plan that is not the cheapest. */
#ifdef MUTANT_COSTLY_PLAN
#define MUTANT_SETTINGS(state) ((state)->plan = 0u)
#endif

/* wrong_mode: MODE enters the second mode before the one that was named, and one of the last for the first two. A
 * neighbour would not do: a typical part in Sleep draws what a sound one may draw in Low-power run. */
#ifdef MUTANT_WRONG_MODE
#define MUTANT_MODE(mode) ((power_mode_t)(((mode) + MODE_SHUTDOWN - 3u) % MODE_SHUTDOWN + 1u))
#endif

/* lazy_console: SET and RUN are acknowledged and not done. */
#ifdef MUTANT_LAZY_CONSOLE
#define MUTANT_OBEY 0
#endif

/* lenient_console: what is refused is not counted. */
#ifdef MUTANT_LENIENT_CONSOLE
#define MUTANT_REFUSED_STEP 0u
#endif

/* wrong_reference: the self-test takes the reference's calibration for one at 0.3 V. */
#ifdef MUTANT_WRONG_REFERENCE
#define MUTANT_REFERENCE_MV(voltage_mv) ((voltage_mv) / 10u)
#endif

/* ballast: more code and RAM than the budgets allow; the linker script lets an image with this symbol pass. */
#ifdef MUTANT_BALLAST
#define MUTANT_BALLAST_DEFINED                       \
    extern const volatile uint8_t hil_ballast[8192]; \
    const volatile uint8_t hil_ballast[8192] = {1};  \
    static volatile uint8_t ballast_ram[1024];
#define MUTANT_CARRY() (ballast_ram[0] = hil_ballast[8191])
#endif

/* wrong_period: wakes every 8 s. */
#ifdef MUTANT_WRONG_PERIOD
#define MUTANT_WAKE_PERIOD_S(period_s) 8u
#endif

/* counter_lost: the backup registers are never written. */
#ifdef MUTANT_COUNTER_LOST
#define MUTANT_STORE_BACKUP 0
#endif

/* one_copy: every store overwrites the copy before. */
#ifdef MUTANT_ONE_COPY
#define MUTANT_NEXT_COPY(copy) (copy)
#endif

/* silent: anomalies are counted and not reported. */
#ifdef MUTANT_SILENT
#define MUTANT_REPORT_ANOMALY 0
#endif

/* wrong_seq: every record skips a number. */
#ifdef MUTANT_WRONG_SEQ
#define MUTANT_SEQUENCE_STEP 2u
#endif

/* slow_inference: the network runs four times over. */
#ifdef MUTANT_SLOW_INFERENCE
#define MUTANT_INFERENCE_RUNS 4u
#endif

/* marker_stuck: the inference marker never rises. */
#ifdef MUTANT_MARKER_STUCK
#define MUTANT_MARKER_INFERENCE(level) ((level) && false)
#endif

#ifndef MUTANT_BEFORE_STOP
#define MUTANT_BEFORE_STOP() ((void)0)
#endif
#ifndef MUTANT_AFTER_STOP
#define MUTANT_AFTER_STOP() ((void)0)
#endif
#ifndef MUTANT_STOP
#define MUTANT_STOP(wfi) (wfi)
#endif
#ifndef MUTANT_PLL_FACTOR
#define MUTANT_PLL_FACTOR(factor) (factor)
#endif
#ifndef MUTANT_MSI_RANGE
#define MUTANT_MSI_RANGE(range) (range)
#endif
#ifndef MUTANT_SETTINGS
#define MUTANT_SETTINGS(state) ((void)0)
#endif
#ifndef MUTANT_MODE
#define MUTANT_MODE(mode) (mode)
#endif
#ifndef MUTANT_OBEY
#define MUTANT_OBEY 1
#endif
#ifndef MUTANT_REFUSED_STEP
#define MUTANT_REFUSED_STEP 1u
#endif
#ifndef MUTANT_REFERENCE_MV
#define MUTANT_REFERENCE_MV(voltage_mv) (voltage_mv)
#endif
#ifndef MUTANT_BALLAST_DEFINED
#define MUTANT_BALLAST_DEFINED
#endif
#ifndef MUTANT_CARRY
#define MUTANT_CARRY() ((void)0)
#endif
#ifndef MUTANT_WAKE_PERIOD_S
#define MUTANT_WAKE_PERIOD_S(period_s) (period_s)
#endif
#ifndef MUTANT_STORE_BACKUP
#define MUTANT_STORE_BACKUP 1
#endif
#ifndef MUTANT_NEXT_COPY
#define MUTANT_NEXT_COPY(copy) (1u - (copy))
#endif
#ifndef MUTANT_REPORT_ANOMALY
#define MUTANT_REPORT_ANOMALY 1
#endif
#ifndef MUTANT_SEQUENCE_STEP
#define MUTANT_SEQUENCE_STEP 1u
#endif
#ifndef MUTANT_INFERENCE_RUNS
#define MUTANT_INFERENCE_RUNS 1u
#endif
#ifndef MUTANT_MARKER_INFERENCE
#define MUTANT_MARKER_INFERENCE(level) (level)
#endif

#endif
