/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HIL_SOFTMAX_H
#define HIL_SOFTMAX_H

#include <stdint.h>

#include "layer.h"

#define SOFTMAX_INPUT_BITS 5u  /* integer bits of the exponential's argument: Q5.26 */
#define SOFTMAX_SUM_BITS 12u   /* of the sum of exponentials: Q12.19 */
#define SOFTMAX_MAX_DEPTH 511u /* so many equal inputs: the reference kernel ends the program at more */

/* Over each `depth` of the `count` values; the output's scale is 1/256 and its zero point -128. */
void softmax(const softmax_t *layer, uint32_t count, const int8_t *input, int8_t *output);

#endif
