/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "check.h"
#include "clock.h"
#include "config.h"
#include "state.h"

static state_t example(void)
{
    state_t state;
    state_clear(&state);
    state.wake_count = 0xFFFFFFFFu;
    state.anomaly_count = 2;
    state.last_score = 3;
    state.bad_command_count = 4;
    state.period_s = STATE_PERIOD_MAX_S;
    state.segments = WINDOW_SEGMENTS_MAX;
    state.plan = CLOCK_PLAN_COUNT - 1u;
    state.threshold = 0xFFFFFFFFu;
    state.settings_changed = true;
    state_log_start(&state, 0x0C, 0, 0);
    state_log_start(&state, 0x44, 3, 0x08001234u);
    return state;
}

static void check_round_trip(void)
{
    state_t state = example(), back;
    uint32_t words[STATE_WORDS];
    state_pack(&state, 7, words);
    memset(&back, 0xA5, sizeof back);
    state_unpack(words, &back);
    CHECK_EQUAL(back.wake_count, 0xFFFFFFFFu);
    CHECK_EQUAL(back.anomaly_count, 2);
    CHECK_EQUAL(back.last_score, 3);
    CHECK_EQUAL(back.bad_command_count, 4);
    CHECK_EQUAL(back.reset_count, 2);
    CHECK_EQUAL(back.fault_count, 1);
    CHECK_EQUAL(back.period_s, STATE_PERIOD_MAX_S);
    CHECK_EQUAL(back.segments, WINDOW_SEGMENTS_MAX);
    CHECK_EQUAL(back.plan, CLOCK_PLAN_COUNT - 1u);
    CHECK_EQUAL(back.threshold, 0xFFFFFFFFu);
    CHECK_EQUAL(back.log_count, 2);
    CHECK_EQUAL(back.log[0].reset_flags, 0x0C);
    CHECK_EQUAL(back.log[1].fault, 3);
    CHECK_EQUAL(back.log[1].wake, 0xFFFF);
    CHECK_EQUAL(back.log[1].address, 0x08001234u);
}

/* Any torn store leaves the copy before it; a single flipped bit does too. */
static void check_torn_stores(void)
{
    state_t state = example();
    uint32_t copies[STATE_COPIES][STATE_WORDS] = {{0}};
    CHECK_EQUAL(state_newest((const uint32_t(*)[STATE_WORDS])copies), STATE_COPIES);
    state_pack(&state, 0xFFFFFFFFu, copies[0]);
    state.wake_count++;
    uint32_t next[STATE_WORDS];
    state_pack(&state, 0, next);
    for (uint32_t stored = 0; stored <= STATE_WORDS; stored++) {
        memset(copies[1], 0x5A, sizeof copies[1]);
        memcpy(copies[1], next, stored * sizeof next[0]);
        uint32_t newest = state_newest((const uint32_t(*)[STATE_WORDS])copies);
        CHECK_EQUAL(newest, stored == STATE_WORDS ? 1 : 0); /* also where the sequence number wraps round */
    }
    for (uint32_t bit = 0; bit < 32u * STATE_WORDS; bit++) {
        copies[1][bit / 32u] ^= 1u << (bit % 32u);
        CHECK_EQUAL(state_newest((const uint32_t(*)[STATE_WORDS])copies), 0);
        copies[1][bit / 32u] ^= 1u << (bit % 32u);
    }
}

static void check_settings(void)
{
    state_t state = example(), back;
    uint32_t words[STATE_WORDS];
    state.settings_changed = false; /* then those of the image that runs hold */
    state_pack(&state, 1, words);
    state_unpack(words, &back);
    CHECK_EQUAL(back.period_s, WAKE_PERIOD_S);
    CHECK_EQUAL(back.threshold, HIL_ANOMALY_THRESHOLD);

    state = example();
    state.plan = CLOCK_PLAN_COUNT; /* of an image that knows more plans */
    state_pack(&state, 1, words);
    state_unpack(words, &back);
    CHECK_EQUAL(back.plan, CLOCK_PLAN);
    CHECK_EQUAL(back.period_s, WAKE_PERIOD_S);
    CHECK_EQUAL(back.wake_count, 0xFFFFFFFFu);
}

static void check_log(void)
{
    state_t state;
    state_clear(&state);
    for (uint32_t i = 0; i < 70000u; i++) {
        state.wake_count = i;
        state_log_start(&state, i, 1, i);
    }
    CHECK_EQUAL(state.reset_count, UINT16_MAX);
    CHECK_EQUAL(state.fault_count, UINT16_MAX);
    CHECK_EQUAL(state.log_count, STATE_LOG_CAPACITY);
    CHECK_EQUAL(state.log[0].address, 69997);
    CHECK_EQUAL(state.log[STATE_LOG_CAPACITY - 1u].address, 69999);
}

int main(void)
{
    check_round_trip();
    check_torn_stores();
    check_settings();
    check_log();
    return check_result();
}
