/* SPDX-License-Identifier: Apache-2.0 */
#include "features.h"

#include "complex_q15.h"
#include "tables.h"

#define STAGE_COUNT 10u /* log2(WINDOW_SAMPLES) */
#define BAND_BINS 16u
#define FEW_ROTATIONS 32u

_Static_assert(WINDOW_SAMPLES == 1u << STAGE_COUNT, "the FFT's length");
_Static_assert(FEATURE_COUNT *BAND_BINS == WINDOW_SAMPLES / 2u, "bands cover bins 1..512");

/* int16 holds every value: |input| <= 32760 before the first stage; that adds samples half a window apart, whose Hann
 * weights add up to 1, and halves, so the modulus is below 16383 from then on and grows by less than 2 in each stage. */
static complex_q15_t spectrum[WINDOW_SAMPLES];

/* The index with its bits in reverse order, plus one in that order: the carry runs from the highest bit down. */
static inline uint32_t next_reversed(uint32_t index)
{
    uint32_t bit = WINDOW_SAMPLES / 2u;
    while ((index & bit) != 0u) {
        index ^= bit;
        bit >>= 1;
    }
    return index | bit;
}

/* Mean-free, scaled from 12 to 16 bits, Hann-weighted, in the order that the FFT's first stage reads. */
static void load_windowed(const uint16_t *codes)
{
    int32_t sum = 0;
    for (uint32_t n = 0; n < WINDOW_SAMPLES; n++) {
        sum += codes[n];
    }
    int32_t mean = (sum + (int32_t)WINDOW_SAMPLES / 2) >> STAGE_COUNT;
    uint32_t place = 0;
    for (uint32_t n = 0; n < WINDOW_SAMPLES; n++) {
        int32_t centred = (codes[n] - mean) * 8;
        spectrum[place] = complex_of((centred * hann_q15[n] + Q15_HALF) >> 15, 0);
        place = next_reversed(place);
    }
}

static inline void butterfly(complex_q15_t *a, complex_q15_t *b, complex_q15_t rotation)
{
    complex_q15_t term = rotated(*b, rotation);
    complex_q15_t other = *a;
    *a = half_sum(other, term);
    *b = half_difference(other, term);
}

/* Radix-2 decimation in time; halves with rounding in each stage, so the result is the DFT / 1024. The butterflies of a
 * stage may come in any order: the longer loop is the inner one. */
static void transform(void)
{
    for (uint32_t half = 1; half < WINDOW_SAMPLES; half *= 2u) {
        uint32_t step = WINDOW_SAMPLES / (2u * half);
        if (half < FEW_ROTATIONS) {
            for (uint32_t j = 0; j < half; j++) {
                complex_q15_t rotation = rotations_q15[j * step];
                for (uint32_t a = j; a < WINDOW_SAMPLES; a += 2u * half) {
                    butterfly(&spectrum[a], &spectrum[a + half], rotation);
                }
            }
        } else {
            for (uint32_t start = 0; start < WINDOW_SAMPLES; start += 2u * half) {
                const complex_q15_t *rotation = rotations_q15;
                for (complex_q15_t *a = &spectrum[start]; a < &spectrum[start + half]; a++) {
                    butterfly(a, a + half, *rotation);
                    rotation += step;
                }
            }
        }
    }
}

/* Piecewise linear log2 with 5 fraction bits; 0 for 0. A band's energy is below 2^36, so `<< 5` loses nothing. */
static int32_t log2_q5(uint64_t energy)
{
    uint32_t high = (uint32_t)(energy >> 32);
    uint32_t low = (uint32_t)energy;
    if (high == 0u && low == 0u) {
        return 0;
    }
    uint32_t msb = high != 0u ? 63u - (uint32_t)__builtin_clz(high) : 31u - (uint32_t)__builtin_clz(low);
    uint32_t fraction = (uint32_t)(energy << 5 >> msb) & 31u;
    return (int32_t)(msb << 5 | fraction);
}

/* Adds the energy of each band of the spectrum. */
static void add_band_energies(uint64_t *energies)
{
    const complex_q15_t *bin = &spectrum[1];
    for (uint32_t band = 0; band < FEATURE_COUNT; band++) {
        uint64_t energy = energies[band];
        for (const complex_q15_t *end = bin + BAND_BINS; bin < end; bin++) {
            energy = add_power(energy, *bin);
        }
        energies[band] = energy;
    }
}

void features_extract(const uint16_t *codes, uint32_t segments, int8_t *features)
{
    static uint64_t energies[FEATURE_COUNT];
    for (uint32_t band = 0; band < FEATURE_COUNT; band++) {
        energies[band] = 0;
    }
    for (uint32_t segment = 0; segment < segments; segment++) {
        load_windowed(&codes[segment * WINDOW_SAMPLES]);
        transform();
        add_band_energies(energies);
    }
    for (uint32_t band = 0; band < FEATURE_COUNT; band++) {
        uint64_t mean = segments == 2u ? (energies[band] + 1u) >> 1 : energies[band];
        int32_t value = (log2_q5(mean) >> 2) - 128; /* 8 steps per octave from zero point -128 */
        features[band] = (int8_t)(value > 127 ? 127 : value);
    }
}
