/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HIL_CONVOLUTION_H
#define HIL_CONVOLUTION_H

#include <stdint.h>

#include "layer.h"

/* Bytes of scratch memory of CONV_2D: what the kernel sees at one place, as it is and widened to 16 bits. A kernel of one
 * element needs no copy. */
uint32_t convolution_scratch_bytes(const window_t *window);

void convolve(const convolution_t *layer, const int8_t *input, int8_t *output, uint32_t *scratch);

/* Output channel n sees input channel n * channels / outputs alone. */
void convolve_depthwise(const convolution_t *layer, const int8_t *input, int8_t *output);

#endif
