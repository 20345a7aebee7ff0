/* SPDX-License-Identifier: Apache-2.0 */
/* The interface of engine/network.h in front of a TensorFlow Lite Micro library that the user supplies
 * (-DENGINE=tflm), so that the two can be compared on one bench. An image has one network: a second
 * network_load() is refused. */
#ifndef HIL_NETWORK_H
#define HIL_NETWORK_H

#include <stdint.h>

#include "config.h"
#include "element_type.h"
#include "protocol.h"

#define NETWORK_ENGINE "tflm" /* as the console names it */

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint32_t input_size; /* in elements */
    uint32_t output_size;
    element_type_t input_type;
    element_type_t output_type;
    uint32_t arena_needed_bytes; /* what the library says it used; 0 where it could not tell: it failed */
    __attribute__((aligned(16))) uint8_t arena[NETWORK_ARENA_BYTES];
} network_t;

hil_error_t network_load(network_t *network, const void *file, uint32_t size);

/* An inference that the library fails leaves zeros. */
void network_invoke(const network_t *network, const void *input, void *output);

#ifdef __cplusplus
}
#endif

#endif
