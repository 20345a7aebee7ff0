/* SPDX-License-Identifier: Apache-2.0 */
/* The rig's door to the detector: a struct in RAM that a debugger reads and writes while the core runs.
 *
 * The rig halts the part at reset, writes control = "SERV", request = ~"SERV" and magic = 0, lets it run and polls
 * magic. RAM is random after power-on, so one word alone asks for nothing. From then on each change of `request` runs
 * `command` once; `response` follows it when status and results are in place. Anything but "SERV" in control ends the
 * service with a reset. */
#ifndef HIL_MAILBOX_H
#define HIL_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "protocol.h"

#define MAILBOX_MAGIC 0x4D424F58u /* "MBOX" */
#define MAILBOX_VERSION 1u
#define MAILBOX_SERVE 0x53455256u /* "SERV" */
#define MAILBOX_TENSOR_CAPACITY 64u

enum {
    MAILBOX_INFER = 1,    /* input -> output */
    MAILBOX_FEATURES = 2, /* samples -> input -> output */
};

typedef struct {
    uint32_t magic; /* written last at boot */
    uint32_t version;
    uint32_t control;
    uint32_t request;
    uint32_t response;
    uint32_t command;
    uint32_t status; /* error_t */
    uint32_t cycles;
    uint32_t score;
    uint32_t input_size;
    uint32_t output_size;
    int8_t input[MAILBOX_TENSOR_CAPACITY];
    int8_t output[MAILBOX_TENSOR_CAPACITY];
    uint16_t samples[WINDOW_SAMPLES];
} mailbox_t;

_Static_assert(offsetof(mailbox_t, control) == 8, "mailbox layout");
_Static_assert(offsetof(mailbox_t, score) == 32, "mailbox layout");
_Static_assert(offsetof(mailbox_t, input) == 44, "mailbox layout");
_Static_assert(offsetof(mailbox_t, samples) == 172, "mailbox layout");
_Static_assert(sizeof(mailbox_t) == 2220, "mailbox layout");
_Static_assert(FEATURE_COUNT <= MAILBOX_TENSOR_CAPACITY, "a tensor fits");

/* Fills in the header and says whether the rig asked for the service. Call once at boot. */
bool mailbox_open(void);

/* Serves until the rig ends it, then resets. Call on clock plan 0. `model_error` answers every inference if set;
 * `samples` is room for a window. */
_Noreturn void mailbox_serve(error_t model_error, uint16_t *samples);

#endif
