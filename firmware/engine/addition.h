/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HIL_ADDITION_H
#define HIL_ADDITION_H

#include <stdint.h>

#include "layer.h"

#define ADDITION_LEFT_SHIFT 20u /* bits by which the inputs are widened before they are brought to one scale */

void add(const addition_t *layer, uint32_t count, const int8_t *first, const int8_t *second, int8_t *output);

#endif
