# SPDX-License-Identifier: Apache-2.0
"""Integer features of a vibration window, bit for bit what the firmware computes.

One window is one or two segments of 1024 ADC codes at 2 kHz. It becomes 32 log band energies in int8:

1. remove the rounded mean, scale the 12-bit codes by 8 so that they fill 16 bits;
2. multiply by a Hann window in Q15;
3. 1024-point radix-2 decimation-in-time FFT in int32, halved with rounding in each of its 10 stages,
   so the result is the DFT divided by 1024 and no stage can overflow (see `FFT_PEAK_BOUND`);
4. power of bins 1..512 summed into 32 bands of 16 bins (31.25 Hz each at 2 kHz);
5. of a window of two segments, the mean of the two energies of each band, halves rounded up (Welch's method
   without overlap);
6. log2 of each band with 3 fraction bits: one int8 step is an eighth of an octave of energy, 0.376 dB.

Every operation is on integers of stated width with stated rounding, so C and numpy cannot differ.
The tables are functions here; the firmware's C tables are generated from them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SAMPLE_RATE_HZ = 2000
"""Rate at which the firmware's timer triggers the ADC."""
WINDOW_SAMPLES = 1024
"""Length of one segment, the transform's."""
MAX_SEGMENTS = 2
"""A window is this many segments at most."""
BAND_COUNT = 32
BAND_BINS = 16
STAGE_COUNT = 10
INPUT_SCALE = 0.125
"""Quantisation of the model's input and output: one step is 1/8 of log2(energy)."""
INPUT_ZERO_POINT = -128

FFT_PEAK_BOUND = 32776
"""No FFT value exceeds this modulus, for any window of 12-bit codes.

|x - mean| <= 4095 bounds |v| by 4095 * 8 = 32760. A stage maps moduli up to M to at most
(M + M * (1 + 2**-15) + sqrt(1/2)) / 2 + sqrt(1/2) < M + 1.6: the rounded twiddle's modulus is within 2**-15
of 1, the twiddled term is rounded by at most 1/2 per component and the halved sum again by at most 1/2.
Ten stages add at most 16. A product sum is at most 32776 * 32769 + 16384 < 2**31 (Cauchy-Schwarz): it fits
int32.

Behind the window it is less, and int16 holds every value, which the firmware relies on: the first stage adds
samples half a window apart, whose weights add up to 1, and halves, so no modulus exceeds 16382 after it.
"""

_CHUNK_WINDOWS = 128  # windows transformed at once: keeps the intermediates near the cache's size


def _round_half_up(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    return np.floor(values + 0.5).astype(np.int32)


def hann_q15() -> npt.NDArray[np.int32]:
    """The periodic Hann window, 1024 entries of round_half_up(32767 * (0.5 - 0.5 * cos(2 pi n / 1024))).

    Evaluated in float64, where the two ties fall apart: 16383 at n = 256 and 16384 at n = 768. All other
    entries are at least 0.005 away from a tie, so every correct cosine gives the same table.
    """
    n = np.arange(WINDOW_SAMPLES)
    return _round_half_up(32767.0 * (0.5 - 0.5 * np.cos(2.0 * np.pi * n / WINDOW_SAMPLES)))


def twiddle_q15() -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """(cos, sin) of 2 pi k / 1024 for k = 0..511 in Q15: round_half_up(32768 * value), clamped to 32767.

    The factor the transform uses is W = cos - j sin, so its imaginary part is the negated `sin` entry
    (-32767 at k = 256, because the clamp comes before the sign).
    """
    angle = 2.0 * np.pi * np.arange(WINDOW_SAMPLES // 2) / WINDOW_SAMPLES
    cos = np.minimum(_round_half_up(32768.0 * np.cos(angle)), 32767).astype(np.int32)
    sin = np.minimum(_round_half_up(32768.0 * np.sin(angle)), 32767).astype(np.int32)
    return cos, sin


def bit_reversal() -> npt.NDArray[np.int32]:
    """The order in which the transform's first stage reads its input: index n with its 10 bits reversed."""
    n = np.arange(WINDOW_SAMPLES, dtype=np.int32)
    reverse = np.zeros_like(n)
    for bit in range(STAGE_COUNT):
        reverse |= ((n >> bit) & 1) << (STAGE_COUNT - 1 - bit)
    return reverse


_HANN = hann_q15()
_COS, _SIN = twiddle_q15()
_REVERSED = bit_reversal()


def windowed(codes: npt.NDArray[np.uint16]) -> npt.NDArray[np.int32]:
    """Mean-free, scaled and Hann-weighted samples `v` of windows `codes` [n, 1024]: int32 [n, 1024]."""
    x = codes.astype(np.int32)
    mean = (x.sum(axis=1, keepdims=True, dtype=np.int32) + WINDOW_SAMPLES // 2) >> STAGE_COUNT
    centred = (x - mean) << 3
    return np.asarray((centred * _HANN + 16384) >> 15)


def fft_q15(samples: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """(re, im) of the DFT / 1024 of real windows [n, 1024], |sample| <= 32760: int32 [n, 1024] each."""
    count = samples.shape[0]
    re = samples[:, _REVERSED]
    im = np.zeros_like(re)
    for stage in range(STAGE_COUNT):
        half = 1 << stage
        step = WINDOW_SAMPLES // (2 * half)
        w_re, w_im = _COS[::step], -_SIN[::step]
        pairs_re = re.reshape(count, step, 2, half)
        pairs_im = im.reshape(count, step, 2, half)
        a_re, b_re = pairs_re[:, :, 0], pairs_re[:, :, 1]
        a_im, b_im = pairs_im[:, :, 0], pairs_im[:, :, 1]
        t_re = (b_re * w_re - b_im * w_im + 16384) >> 15
        t_im = (b_re * w_im + b_im * w_re + 16384) >> 15
        re = np.stack(((a_re + t_re + 1) >> 1, (a_re - t_re + 1) >> 1), axis=2).reshape(count, -1)
        im = np.stack(((a_im + t_im + 1) >> 1, (a_im - t_im + 1) >> 1), axis=2).reshape(count, -1)
    return re, im


def band_energies(codes: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint64]:
    """Energy per band of segments `codes` [n, 1024]: uint64 [n, 32]; band i holds bins 1+16i .. 16+16i."""
    re, im = fft_q15(windowed(codes))
    in_band = slice(1, 1 + BAND_COUNT * BAND_BINS)
    power = (re[:, in_band] ** 2 + im[:, in_band] ** 2).astype(np.uint64)
    return np.asarray(power.reshape(-1, BAND_COUNT, BAND_BINS).sum(axis=2, dtype=np.uint64))


def mean_over_segments(energies: npt.NDArray[np.uint64], segments: int) -> npt.NDArray[np.uint64]:
    """Energies [n * segments, 32] of consecutive segments as means [n, 32], halves rounded up."""
    total = energies.reshape(-1, segments, BAND_COUNT).sum(axis=1, dtype=np.uint64)
    return np.asarray((total + np.uint64(segments // 2)) // np.uint64(segments))


def log2_q5(energies: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
    """Piecewise linear log2 with 5 fraction bits: most significant bit and the 5 bits below it; 0 for 0."""
    # Energies stay below 2**53 (512 * 2**31), so the float's exponent is the exact bit position.
    msb = np.maximum(np.frexp(energies.astype(np.float64))[1] - 1, 0).astype(np.uint64)
    fraction = ((energies << np.uint64(5)) >> msb) & np.uint64(31)
    log = (msb << np.uint64(5)) | fraction
    return np.where(energies == 0, 0, log).astype(np.int32)


def features(codes: npt.NDArray[np.uint16]) -> npt.NDArray[np.int8]:
    """The model's inputs for windows of ADC codes.

    Args:
        codes: uint16 [n, 1024] or [n, 2048], 12-bit codes 0..4095.

    Returns:
        int8 [n, 32]; (value + 128) / 8 is log2 of the band's energy.

    Raises:
        ValueError: the shape is another or a code does not fit 12 bits.
    """
    segments, rest = divmod(codes.shape[1], WINDOW_SAMPLES) if codes.ndim == 2 else (0, 0)
    if rest != 0 or not 1 <= segments <= MAX_SEGMENTS:
        raise ValueError(
            f"features() takes windows of shape [n, {WINDOW_SAMPLES}] or "
            f"[n, {MAX_SEGMENTS * WINDOW_SAMPLES}], got {list(codes.shape)}"
        )
    if codes.size and int(codes.max()) > 4095:
        raise ValueError(f"features() takes 12-bit ADC codes 0..4095, got {int(codes.max())}")
    inputs = np.empty((codes.shape[0], BAND_COUNT), dtype=np.int8)
    for start in range(0, codes.shape[0], _CHUNK_WINDOWS):
        chunk = slice(start, start + _CHUNK_WINDOWS)
        energies = band_energies(codes[chunk].reshape(-1, WINDOW_SAMPLES))
        quantised = (log2_q5(mean_over_segments(energies, segments)) >> 2) + INPUT_ZERO_POINT
        inputs[chunk] = np.clip(quantised, -128, 127)
    return inputs
