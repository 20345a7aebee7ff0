/* SPDX-License-Identifier: Apache-2.0 */
/* Fills the tables of KERNEL_LOOK_UP: what an operator makes of each int8, by the arithmetic of its reference kernel. */
#ifndef HIL_LOOK_UP_TABLE_H
#define HIL_LOOK_UP_TABLE_H

#include <stdint.h>

#include "protocol.h"

typedef struct {
    uint32_t scale_bits; /* of the float32 */
    int32_t zero_point;  /* -128 .. 127 */
} quantisation_t;

/* What real `value` is in steps of the quantisation, clamped to int8. */
int32_t quantised(float value, quantisation_t quantisation);

/* `builtin`: TFLITE_RELU, RELU6, LOGISTIC, TANH or QUANTIZE. */
error_t look_up_table_fill(int8_t *table, uint32_t builtin, quantisation_t input, quantisation_t output);

#endif
