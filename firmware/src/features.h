/* SPDX-License-Identifier: Apache-2.0 */
/* Features of a vibration window: 32 log band energies, bit for bit as hil.golden.features defines them. */
#ifndef HIL_FEATURES_H
#define HIL_FEATURES_H

#include <stdint.h>

#include "config.h"

#define FEATURES_MAX_SEGMENTS 2u

/* `codes`: `segments` (1 or 2) times WINDOW_SAMPLES 12-bit ADC codes; the segments' band energies are averaged, halves
 * rounded up. `features`: FEATURE_COUNT values; (value + 128) / 8 is log2 of the band's energy. Uses static scratch
 * memory: not reentrant. */
void features_extract(const uint16_t *codes, uint32_t segments, int8_t *features);

#endif
