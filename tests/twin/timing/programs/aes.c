/* SPDX-License-Identifier: Apache-2.0 */
/* AES-128 of 16 blocks by a table of 256 words in flash: rounds of table look-ups and rotations, as the fast
 * implementations for Cortex-M4 have them. The last round takes the S-box out of the same table. */
#include <stdint.h>

#include "aes_table.h"

static uint32_t keys[44];

static inline uint32_t turn(uint32_t word, uint32_t bits) { return word >> bits | word << (32u - bits); }

static inline uint32_t box(uint32_t byte) { return table[byte & 255u] >> 8 & 255u; }

static void expand(uint32_t seed)
{
    uint32_t round_constant = 1;
    for (uint32_t i = 0; i < 4u; i++) {
        keys[i] = seed *= 0x01000193u;
    }
    for (uint32_t i = 4; i < 44u; i++) {
        uint32_t word = keys[i - 1u];
        if (i % 4u == 0u) {
            word = box(word >> 8) | box(word >> 16) << 8 | box(word >> 24) << 16 | box(word) << 24;
            word ^= round_constant;
            round_constant = round_constant << 1 ^ (round_constant >> 7) * 0x11Bu;
        }
        keys[i] = keys[i - 4u] ^ word;
    }
}

static void encrypt(uint32_t state[4])
{
    uint32_t a = state[0] ^ keys[0], b = state[1] ^ keys[1], c = state[2] ^ keys[2], d = state[3] ^ keys[3];
    for (const uint32_t *key = keys + 4; key < keys + 40; key += 4) {
#define ROUND(w, x, y, z)                                                                                              \
    (table[(w) & 255u] ^ turn(table[(x) >> 8 & 255u], 24) ^ turn(table[(y) >> 16 & 255u], 16) ^                        \
     turn(table[(z) >> 24], 8))
        uint32_t e = ROUND(a, b, c, d) ^ key[0], f = ROUND(b, c, d, a) ^ key[1];
        uint32_t g = ROUND(c, d, a, b) ^ key[2], h = ROUND(d, a, b, c) ^ key[3];
        a = e, b = f, c = g, d = h;
    }
#define LAST(w, x, y, z) (box(w) | box((x) >> 8) << 8 | box((y) >> 16) << 16 | box((z) >> 24) << 24)
    state[0] = LAST(a, b, c, d) ^ keys[40];
    state[1] = LAST(b, c, d, a) ^ keys[41];
    state[2] = LAST(c, d, a, b) ^ keys[42];
    state[3] = LAST(d, a, b, c) ^ keys[43];
}

uint32_t program(void)
{
    uint32_t state[4] = {1u, 2u, 3u, 4u};
    expand(0x811C9DC5u);
    for (uint32_t block = 0; block < 16u; block++) {
        state[0] ^= block;
        encrypt(state);
    }
    return state[0] ^ state[1] ^ state[2] ^ state[3];
}
