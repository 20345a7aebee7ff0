/* SPDX-License-Identifier: Apache-2.0 */
/* The number-theoretic transform of 256 coefficients modulo 3329 and back, as lattice cryptography has it: 16-bit
 * loads and stores, multiplications with Montgomery's reduction, factors from flash. */
#include <stdint.h>

#include "ntt_factors.h"

#define MODULUS 3329
#define INVERSE (-3327) /* of MODULUS, modulo 2^16 */

static int16_t poly[256];

static inline int16_t multiply(int16_t a, int16_t b)
{
    int32_t product = (int32_t)a * b;
    int16_t low = (int16_t)(product * INVERSE);
    return (int16_t)((product - (int32_t)low * MODULUS) >> 16);
}

static inline int16_t reduce(int16_t a)
{
    return (int16_t)(a - MODULUS * ((20159 * (int32_t)a + (1 << 25)) >> 26));
}

static void forward(void)
{
    uint32_t factor = 1;
    for (uint32_t length = 128; length >= 2u; length >>= 1) {
        for (uint32_t start = 0; start < 256u; start += 2u * length) {
            int16_t zeta = factors[factor++];
            for (uint32_t j = start; j < start + length; j++) {
                int16_t turned = multiply(zeta, poly[j + length]);
                poly[j + length] = (int16_t)(poly[j] - turned);
                poly[j] = (int16_t)(poly[j] + turned);
            }
        }
    }
}

static void backward(void)
{
    uint32_t factor = 127;
    for (uint32_t length = 2; length <= 128u; length <<= 1) {
        for (uint32_t start = 0; start < 256u; start += 2u * length) {
            int16_t zeta = factors[factor--];
            for (uint32_t j = start; j < start + length; j++) {
                int16_t kept = poly[j];
                poly[j] = reduce((int16_t)(kept + poly[j + length]));
                poly[j + length] = multiply(zeta, (int16_t)(poly[j + length] - kept));
            }
        }
    }
}

uint32_t program(void)
{
    for (uint32_t i = 0; i < 256u; i++) {
        poly[i] = (int16_t)(i * 13u);
    }
    forward();
    backward();
    uint32_t sum = 0;
    for (uint32_t i = 0; i < 256u; i++) {
        sum = sum * 31u + (uint16_t)poly[i];
    }
    return sum;
}
