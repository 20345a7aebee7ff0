/* SPDX-License-Identifier: Apache-2.0 */
/* From an int32 accumulator to an int8 output, exactly as the reference kernels of TFLite Micro round. */
#ifndef HIL_REQUANTISE_H
#define HIL_REQUANTISE_H

#include <stdbool.h>
#include <stdint.h>

/* A real factor as multiplier / 2^31 * 2^shift. */
typedef struct {
    int32_t multiplier;
    int32_t shift;
} requantise_t;

/* The factor input_scale * weight_scale / output_scale, computed as double arithmetic would. The scales come as the
 * bit patterns of float32. False if one is not a positive normal number or the factor is 2^30 or more. */
bool requantise_prepare(requantise_t *factor, uint32_t input_scale, uint32_t weight_scale, uint32_t output_scale);

/* value * factor, rounded twice: after the multiplication and after the shift. */
int32_t requantise(int32_t value, requantise_t factor);

#endif
