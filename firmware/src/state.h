/* SPDX-License-Identifier: Apache-2.0 */
/* What the application remembers through a reset, and how it lies in the backup registers: two copies, stored in turn,
 * each with a sequence number and a CRC-32, so that whatever ends a store leaves the copy before it. Words of a copy:
 *
 *    0      sequence number
 *    1..4   wake_count, anomaly_count, last_score, bad_command_count
 *    5      reset_count | fault_count << 16
 *    6      threshold
 *    7      period_s | segments << 12 | plan << 16 | settings_changed << 20 | log_count << 24 | STATE_VERSION << 28
 *    8..13  the log, oldest entry first: reset_flags | fault << 8 | wake << 16, then the address
 *   14      CRC-32 of words 0 to 13 as little-endian bytes
 *
 * Nothing here touches hardware. */
#ifndef HIL_STATE_H
#define HIL_STATE_H

#include <stdbool.h>
#include <stdint.h>

#define STATE_VERSION 1u
#define STATE_WORDS 15u
#define STATE_COPIES 2u
#define STATE_LOG_CAPACITY 3u

#define STATE_PERIOD_MAX_S 3600u

typedef struct {
    uint8_t reset_flags; /* bits 24 to 31 of RCC_CSR */
    uint8_t fault;       /* exception number, 0 for none */
    uint16_t wake;       /* lowest bits of wake_count at that time */
    uint32_t address;    /* of the faulting instruction */
} log_entry_t;

typedef struct {
    uint32_t wake_count;
    uint32_t anomaly_count;
    uint32_t last_score;
    uint32_t bad_command_count;
    uint16_t reset_count; /* this one and the next stay at their largest value */
    uint16_t fault_count;
    uint32_t period_s;  /* 1..STATE_PERIOD_MAX_S */
    uint32_t segments;  /* 1..2: WINDOW_SAMPLES each */
    uint32_t plan;      /* < CLOCK_PLAN_COUNT */
    uint32_t threshold; /* a score above it is an anomaly */
    bool settings_changed; /* over the console; if not, the settings are those compiled in, of whichever image runs */
    uint32_t log_count;
    log_entry_t log[STATE_LOG_CAPACITY];
} state_t;

/* Nothing counted, the settings of config.h. */
void state_clear(state_t *state);
void state_default_settings(state_t *state);

/* Adds a start of the part to the counts and to the log, whose oldest entry makes room. */
void state_log_start(state_t *state, uint32_t reset_flags, uint32_t fault, uint32_t address);

/* The newer of the copies whose CRC is right: its index, or STATE_COPIES where none is. */
uint32_t state_newest(const uint32_t copies[STATE_COPIES][STATE_WORDS]);

void state_pack(const state_t *state, uint32_t sequence, uint32_t *words);

/* Of a copy whose CRC is right. */
void state_unpack(const uint32_t *words, state_t *state);

#endif
