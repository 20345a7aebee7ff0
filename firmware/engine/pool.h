/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HIL_POOL_H
#define HIL_POOL_H

#include <stdint.h>

#include "layer.h"

/* Mean and maximum of what the kernel sees; what is outside of the image does not count. The mean is rounded, halves away
 * from zero. */
void average_pool(const pool_t *layer, const int8_t *input, int8_t *output);
void max_pool(const pool_t *layer, const int8_t *input, int8_t *output);

#endif
