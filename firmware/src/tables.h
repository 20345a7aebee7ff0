/* SPDX-License-Identifier: Apache-2.0 */
/* Q15 tables that tools/tables.py writes at build time; it holds their definition. */
#ifndef HIL_TABLES_H
#define HIL_TABLES_H

#include <stdint.h>

#include "config.h"

extern const int16_t hann_q15[WINDOW_SAMPLES];
/* cos(2 pi k / WINDOW_SAMPLES) in the lower half of each word, sin in the upper one. */
extern const uint32_t rotations_q15[WINDOW_SAMPLES / 2u];

#endif
