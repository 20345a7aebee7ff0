/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCHMARK_PROGRAM_H
#define BENCHMARK_PROGRAM_H

#include <stdint.h>

/* The work: about a second of an 80 MHz part. Returns what depends on all of it; every emulator must find the same. */
uint32_t program(void);

extern volatile uint32_t program_result;

#endif
