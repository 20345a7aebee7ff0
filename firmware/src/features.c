/* SPDX-License-Identifier: Apache-2.0 */
#include "features.h"

#include "tables.h"

#define STAGE_COUNT 10u /* log2(WINDOW_SAMPLES) */
#define BAND_BINS 16u
#define Q15_HALF 16384

_Static_assert(WINDOW_SAMPLES == 1u << STAGE_COUNT, "the FFT's length");
_Static_assert(FEATURE_COUNT *BAND_BINS == WINDOW_SAMPLES / 2u, "bands cover bins 1..512");

/* Every FFT value stays below 32777 in modulus (|input| <= 32760, each stage halves), so a twiddle product and the sum
 * of two fit int32. */
static int32_t re[WINDOW_SAMPLES];
static int32_t im[WINDOW_SAMPLES];

static uint32_t reversed(uint32_t index)
{
    uint32_t result = 0;
    for (unsigned bit = 0; bit < STAGE_COUNT; bit++) {
        result = result << 1 | (index >> bit & 1u);
    }
    return result;
}

/* Mean-free, scaled from 12 to 16 bits, Hann-weighted, in the order that the FFT's first stage reads. */
static void load_windowed(const uint16_t *codes)
{
    int32_t sum = 0;
    for (uint32_t n = 0; n < WINDOW_SAMPLES; n++) {
        sum += codes[n];
    }
    int32_t mean = (sum + (int32_t)WINDOW_SAMPLES / 2) >> STAGE_COUNT;
    for (uint32_t n = 0; n < WINDOW_SAMPLES; n++) {
        int32_t centred = (codes[n] - mean) * 8;
        uint32_t place = reversed(n);
        re[place] = (centred * hann_q15[n] + Q15_HALF) >> 15;
        im[place] = 0;
    }
}

/* Radix-2 decimation in time; halves with rounding in each stage, so the result is the DFT / 1024. */
static void transform(void)
{
    for (uint32_t half = 1; half < WINDOW_SAMPLES; half *= 2u) {
        uint32_t twiddle_step = WINDOW_SAMPLES / (2u * half);
        for (uint32_t j = 0; j < half; j++) {
            int32_t w_re = cos_q15[j * twiddle_step];
            int32_t w_im = -sin_q15[j * twiddle_step];
            for (uint32_t a = j; a < WINDOW_SAMPLES; a += 2u * half) {
                uint32_t b = a + half;
                int32_t t_re = (re[b] * w_re - im[b] * w_im + Q15_HALF) >> 15;
                int32_t t_im = (re[b] * w_im + im[b] * w_re + Q15_HALF) >> 15;
                int32_t a_re = re[a];
                int32_t a_im = im[a];
                re[a] = (a_re + t_re + 1) >> 1;
                im[a] = (a_im + t_im + 1) >> 1;
                re[b] = (a_re - t_re + 1) >> 1;
                im[b] = (a_im - t_im + 1) >> 1;
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

/* Adds the energy of each band of the spectrum in `re`, `im`. */
static void add_band_energies(uint64_t *energies)
{
    for (uint32_t band = 0; band < FEATURE_COUNT; band++) {
        for (uint32_t k = 0; k < BAND_BINS; k++) {
            uint32_t bin = 1u + band * BAND_BINS + k;
            energies[band] += (uint32_t)(re[bin] * re[bin] + im[bin] * im[bin]);
        }
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
