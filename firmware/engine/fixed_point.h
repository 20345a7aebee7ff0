/* SPDX-License-Identifier: Apache-2.0 */
/* Logistic function and hyperbolic tangent in 32-bit fixed point, to the bit as TFLite Micro's reference kernels have
 * them from gemmlowp: exp(-x) from a polynomial and a product of powers, then a reciprocal by Newton's method. */
#ifndef HIL_FIXED_POINT_H
#define HIL_FIXED_POINT_H

#include <stdint.h>

#define FIXED_POINT_INPUT_BITS 4 /* integer bits of the argument: Q4.27 */

/* 1 / (1 + exp(-x)) and tanh(x) of x in Q4.27 as Q0.31. */
int32_t fixed_logistic(int32_t x);
int32_t fixed_tanh(int32_t x);

/* exp(x) of x <= 0 in Q5.26, and 1 / (1 + x) of 0 <= x <= 1 in Q0.31; both as Q0.31. */
int32_t fixed_exp_of_negative(int32_t x);
int32_t fixed_one_over_one_plus(int32_t x);

#endif
