/* SPDX-License-Identifier: Apache-2.0 */
/* Q15 tables that tools/tables.py writes at build time; it holds their definition. */
#ifndef HIL_TABLES_H
#define HIL_TABLES_H

#include <stdint.h>

#include "config.h"

extern const int16_t hann_q15[WINDOW_SAMPLES];
extern const int16_t cos_q15[WINDOW_SAMPLES / 2u]; /* cos(2 pi k / WINDOW_SAMPLES) */
extern const int16_t sin_q15[WINDOW_SAMPLES / 2u];

#endif
