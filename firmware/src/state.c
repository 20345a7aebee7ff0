/* SPDX-License-Identifier: Apache-2.0 */
#include "state.h"

#include "clock.h"
#include "config.h"
#include "crc.h"

enum { SEQUENCE, WAKES, ANOMALIES, SCORE, BAD_COMMANDS, RESETS, THRESHOLD, SETTINGS, LOG, CRC = STATE_WORDS - 1 };

_Static_assert(LOG + 2u * STATE_LOG_CAPACITY == CRC, "layout of a copy");
_Static_assert(WAKE_PERIOD_S >= 1u && WAKE_PERIOD_S <= STATE_PERIOD_MAX_S, "the period fits its bits and the timer");
_Static_assert(WINDOW_SEGMENTS >= 1u && WINDOW_SEGMENTS <= WINDOW_SEGMENTS_MAX, "one or two segments");
_Static_assert(CLOCK_PLAN < CLOCK_PLAN_COUNT, "a clock plan of clock.h");

void state_default_settings(state_t *state)
{
    state->period_s = WAKE_PERIOD_S;
    state->segments = WINDOW_SEGMENTS;
    state->plan = CLOCK_PLAN;
    state->threshold = HIL_ANOMALY_THRESHOLD;
    state->settings_changed = false;
}

void state_clear(state_t *state)
{
    *state = (state_t){0};
    state_default_settings(state);
}

static void count(uint16_t *counter)
{
    if (*counter < UINT16_MAX) {
        (*counter)++;
    }
}

void state_log_start(state_t *state, uint32_t reset_flags, uint32_t fault, uint32_t address)
{
    count(&state->reset_count);
    if (fault != 0u) {
        count(&state->fault_count);
    }
    if (state->log_count == STATE_LOG_CAPACITY) {
        for (uint32_t i = 1; i < STATE_LOG_CAPACITY; i++) {
            state->log[i - 1u] = state->log[i];
        }
        state->log_count--;
    }
    log_entry_t *entry = &state->log[state->log_count++];
    entry->reset_flags = (uint8_t)reset_flags;
    entry->fault = (uint8_t)fault;
    entry->wake = (uint16_t)state->wake_count;
    entry->address = address;
}

static bool is_whole(const uint32_t *words)
{
    return words[CRC] == crc32_ieee(words, CRC * sizeof words[0]) && words[SETTINGS] >> 28 == STATE_VERSION;
}

uint32_t state_newest(const uint32_t copies[STATE_COPIES][STATE_WORDS])
{
    bool first = is_whole(copies[0]);
    bool second = is_whole(copies[1]);
    if (first && second) {
        /* The numbers are one apart, also where they wrap round. */
        return (int32_t)(copies[1][SEQUENCE] - copies[0][SEQUENCE]) > 0 ? 1u : 0u;
    }
    return first ? 0u : second ? 1u : STATE_COPIES;
}

void state_pack(const state_t *state, uint32_t sequence, uint32_t *words)
{
    words[SEQUENCE] = sequence;
    words[WAKES] = state->wake_count;
    words[ANOMALIES] = state->anomaly_count;
    words[SCORE] = state->last_score;
    words[BAD_COMMANDS] = state->bad_command_count;
    words[RESETS] = state->reset_count | (uint32_t)state->fault_count << 16;
    words[THRESHOLD] = state->threshold;
    words[SETTINGS] = state->period_s | state->segments << 12 | state->plan << 16 |
                      (state->settings_changed ? 1u : 0u) << 20 | state->log_count << 24 | STATE_VERSION << 28;
    for (uint32_t i = 0; i < STATE_LOG_CAPACITY; i++) {
        const log_entry_t *entry = &state->log[i];
        words[LOG + 2u * i] = entry->reset_flags | (uint32_t)entry->fault << 8 | (uint32_t)entry->wake << 16;
        words[LOG + 2u * i + 1u] = entry->address;
    }
    words[CRC] = crc32_ieee(words, CRC * sizeof words[0]);
}

void state_unpack(const uint32_t *words, state_t *state)
{
    state->wake_count = words[WAKES];
    state->anomaly_count = words[ANOMALIES];
    state->last_score = words[SCORE];
    state->bad_command_count = words[BAD_COMMANDS];
    state->reset_count = (uint16_t)words[RESETS];
    state->fault_count = (uint16_t)(words[RESETS] >> 16);
    state->threshold = words[THRESHOLD];
    state->period_s = words[SETTINGS] & 0xFFFu;
    state->segments = words[SETTINGS] >> 12 & 15u;
    state->plan = words[SETTINGS] >> 16 & 15u;
    state->settings_changed = (words[SETTINGS] >> 20 & 1u) != 0u;
    state->log_count = words[SETTINGS] >> 24 & 15u;
    for (uint32_t i = 0; i < STATE_LOG_CAPACITY; i++) {
        uint32_t word = words[LOG + 2u * i];
        state->log[i] = (log_entry_t){(uint8_t)word, (uint8_t)(word >> 8), (uint16_t)(word >> 16), words[LOG + 2u * i + 1u]};
    }
    /* Another image may know fewer plans than the one that stored this. */
    bool usable = state->period_s >= 1u && state->period_s <= STATE_PERIOD_MAX_S && state->segments >= 1u &&
                  state->segments <= WINDOW_SEGMENTS_MAX && state->plan < CLOCK_PLAN_COUNT;
    if (!state->settings_changed || !usable) {
        state_default_settings(state);
    }
    if (state->log_count > STATE_LOG_CAPACITY) {
        state->log_count = 0;
    }
}
