/* SPDX-License-Identifier: Apache-2.0 */
/* Extracts the features of windows of one segment that a test puts into RAM, and counts the cycles of the last. */
#include "features.h"
#include "program.h"

uint32_t program_load(void)
{
    return 0;
}

void program_run(uint32_t number)
{
    const uint16_t *codes = (const uint16_t *)&exchange.input[number * WINDOW_SAMPLES * 2u];
    features_extract(codes, 1, (int8_t *)&exchange.output[number * FEATURE_COUNT]);
}
