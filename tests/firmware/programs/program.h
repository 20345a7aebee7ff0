/* SPDX-License-Identifier: Apache-2.0 */
/* What main.c runs. */
#ifndef TEST_PROGRAM_H
#define TEST_PROGRAM_H

#include <stdint.h>

#define EXCHANGE_BYTES 40960u

/* A test writes the flash's settings and the input, then the count, and waits until the count is 0. */
typedef struct {
    uint32_t flash_acr;
    uint32_t count; /* of vectors, one after the other in `input` */
    uint32_t error;
    uint32_t cycles; /* of the last program_run() */
    int8_t input[EXCHANGE_BYTES / 2u];
    int8_t output[EXCHANGE_BYTES / 2u];
} exchange_t;

extern volatile exchange_t exchange;

/* An error code, 0 for none. */
uint32_t program_load(void);
void program_run(uint32_t number);

#endif
