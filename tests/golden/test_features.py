# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from hil.golden import features as golden
from hil.golden.features import features


def scalar_features(codes: list[int]) -> list[int]:
    """The definition once more, in plain Python integers and loops, as the C code does it."""
    mean = (sum(codes) + 512) >> 10
    hann, (cos, sin) = golden.hann_q15().tolist(), [table.tolist() for table in golden.twiddle_q15()]
    re = [0] * 1024
    im = [0] * 1024
    for n, code in enumerate(codes):
        re[int(f"{n:010b}"[::-1], 2)] = (((code - mean) << 3) * hann[n] + 16384) >> 15
    half = 1
    while half < 1024:
        for start in range(0, 1024, 2 * half):
            for j in range(half):
                k = j * (512 // half)
                a, b = start + j, start + j + half
                t_re = (re[b] * cos[k] + im[b] * sin[k] + 16384) >> 15
                t_im = (im[b] * cos[k] - re[b] * sin[k] + 16384) >> 15
                re[a], re[b] = (re[a] + t_re + 1) >> 1, (re[a] - t_re + 1) >> 1
                im[a], im[b] = (im[a] + t_im + 1) >> 1, (im[a] - t_im + 1) >> 1
        half *= 2
    inputs = []
    for band in range(32):
        energy = sum(re[k] ** 2 + im[k] ** 2 for k in range(1 + 16 * band, 17 + 16 * band))
        msb = energy.bit_length() - 1
        log = 0 if energy == 0 else (msb << 5) | (((energy << 5) >> msb) & 31)
        inputs.append(max(-128, min(127, (log >> 2) - 128)))
    return inputs


def sine_codes(frequency_hz: float, amplitude: float) -> np.ndarray:
    n = np.arange(1024)
    return np.round(2048 + amplitude * np.sin(2 * np.pi * frequency_hz * n / 2000 + 0.3)).astype(np.uint16)


def test_equals_a_scalar_implementation_bit_for_bit():
    rng = np.random.default_rng(1)
    windows = np.stack(
        [
            rng.integers(0, 4096, 1024),
            rng.integers(2040, 2056, 1024),
            np.where(np.arange(1024) < 512, 0, 4095),
            np.full(1024, 4095),
            sine_codes(583.0, 100.0),
        ]
    ).astype(np.uint16)
    assert features(windows).tolist() == [scalar_features(window.tolist()) for window in windows]


def test_integer_fft_is_within_its_rounding_of_a_float_fft():
    rng = np.random.default_rng(2)
    samples = golden.windowed(rng.integers(0, 4096, (64, 1024)).astype(np.uint16))
    re, im = golden.fft_q15(samples)
    exact = np.fft.fft(samples.astype(np.float64), axis=1) / 1024
    # Per stage: at most sqrt(1/2) from rounding the halved sums, half of sqrt(1/2) from rounding the twiddled
    # term, and 2**-16 of the values (up to FFT_PEAK_BOUND, here far less) from the rounded twiddles.
    peak = float(np.abs(samples).max())
    bound = golden.STAGE_COUNT * (1.5 * np.sqrt(0.5) + peak * 2.0**-16)
    error = np.abs(re + 1j * im - exact)
    assert error.max() < bound
    # Errors are random: the typical one is a good deal smaller, and a systematic one would show here.
    assert np.sqrt(np.mean(error**2)) < 1.5


def test_band_logs_are_within_their_bound_of_a_float_implementation():
    rng = np.random.default_rng(3)
    codes = np.clip(2048 + 500 * rng.standard_normal((200, 1024)), 0, 4095).astype(np.uint16)
    x = codes.astype(np.float64)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    spectrum = np.fft.rfft((x - x.mean(axis=1, keepdims=True)) * 8 * window, axis=1) / 1024
    energy = (np.abs(spectrum[:, 1:513]) ** 2).reshape(200, 32, 16).sum(axis=2)
    steps = 8 * np.log2(energy)
    # Rounding adds an rms error below 1.5 per bin (tested above), so sqrt(energy) moves by at most 6
    # (Minkowski); the linear log2 is low by up to 0.0861, and truncation to a step takes up to 1 more.
    difference = features(codes).astype(np.float64) + 128 - steps
    root = np.sqrt(energy)
    assert np.all(difference <= 16 * np.log2(1 + 6 / root))
    assert np.all(difference >= 16 * np.log2(1 - 6 / root) - 8 * 0.0861 - 1)
    assert np.median(16 * 6 / root) < 1  # the bound is a tight one here


def test_fft_bound_holds_for_the_worst_inputs():
    n = np.arange(1024)
    rows = []
    for k in (0, 1, 2, 3, 16, 100, 255, 256, 257, 511, 512):
        for quadrant in (0.0, 0.7):
            rows.append(np.where(np.cos(2 * np.pi * k * n / 1024 + quadrant) >= 0, 32760, -32760))
    samples = np.array(rows, dtype=np.int32)
    # The transform is linear in its stages, so a whole-scale start is the worst any stage can be given.
    re, im = golden.fft_q15(samples)
    assert np.hypot(re, im).max() <= golden.FFT_PEAK_BOUND
    reference = np.fft.fft(samples, axis=1) / 1024
    assert np.abs(re + 1j * im - reference).max() < 20  # an overflow would be off by thousands


def test_window_cannot_exceed_the_bound_the_fft_relies_on():
    codes = np.zeros((2, 1024), dtype=np.uint16)
    codes[0, 512] = 4095
    codes[1] = 4095
    codes[1, 512] = 0
    assert np.abs(golden.windowed(codes)).max() <= 32760


def test_windowed_values_fit_int16_in_every_stage(monkeypatch: pytest.MonkeyPatch):
    n = np.arange(1024)
    rng = np.random.default_rng(6)
    rows = [np.where(np.cos(2 * np.pi * k * n / 1024 + 0.1) >= 0, 4095, 0) for k in (1, 2, 7, 128, 256, 511)]
    rows += [np.where(n % 512 == 0, 4095, 0), np.where(n == 512, 4095, 0), np.where(n == 512, 0, 4095)]
    windows = np.vstack([rows, 4095 * rng.integers(0, 2, (200, 1024))]).astype(np.uint16)
    samples = golden.windowed(windows)
    assert np.abs(samples).max() <= 32760
    for stages in range(1, golden.STAGE_COUNT + 1):
        monkeypatch.setattr(golden, "STAGE_COUNT", stages)
        re, im = golden.fft_q15(samples)
        assert np.hypot(re, im).max() <= 16382 + 2 * stages


@pytest.mark.parametrize("band", [0, 1, 9, 18, 31])
def test_a_sine_raises_its_own_band(band: int):
    frequency_hz = (1 + 16 * band + 7.5) * 2000 / 1024
    values = features(sine_codes(frequency_hz, 1000.0)[np.newaxis])[0]
    assert int(np.argmax(values)) == band
    assert values[band] > np.delete(values, band).max() + 60


def test_a_window_of_two_segments_has_their_mean_energy():
    rng = np.random.default_rng(5)
    loud, quiet = rng.integers(0, 4096, (20, 1024)), rng.integers(2040, 2056, (20, 1024))
    segments = np.stack([loud, quiet], axis=1).astype(np.uint16)
    windows = segments.reshape(20, 2048)
    energies = golden.band_energies(segments.reshape(-1, 1024)).reshape(20, 2, 32)
    for window, (first, second) in zip(features(windows).tolist(), energies.tolist(), strict=True):
        means = [(a + b + 1) // 2 for a, b in zip(first, second, strict=True)]
        logs = golden.log2_q5(np.array(means, dtype=np.uint64)) >> 2
        assert window == np.clip(logs - 128, -128, 127).tolist()
    # Half the energy is one octave less; the same segment twice is that segment.
    difference = features(windows).astype(int) - features(segments[:, 0])
    assert set(np.unique(difference).tolist()) <= {-8, -7}
    assert np.array_equal(features(np.tile(segments[:, 0], 2)), features(segments[:, 0]))


def test_doubling_the_amplitude_adds_two_octaves_of_energy():
    low, high = features(np.stack([sine_codes(300.0, 400.0), sine_codes(300.0, 800.0)]))[:, 9]
    assert 15 <= int(high) - int(low) <= 17


def test_tables_have_the_values_of_their_definition():
    hann = golden.hann_q15()
    assert hann[[0, 256, 512, 768]].tolist() == [0, 16383, 32767, 16384]
    assert np.abs(hann[1:] - hann[:0:-1]).sum() == 2  # symmetric but for the two ties
    cos, sin = golden.twiddle_q15()
    assert (cos[0], cos[128], cos[256], sin[0], sin[256]) == (32767, 23170, 0, 0, 32767)
    assert sorted(golden.bit_reversal().tolist()) == list(range(1024))
    assert golden.bit_reversal()[[1, 2, 512]].tolist() == [512, 256, 1]


def test_a_flat_signal_has_no_energy():
    assert features(np.full((1, 1024), 2048, dtype=np.uint16)).tolist() == [[-128] * 32]


def test_chunks_do_not_show():
    codes = np.random.default_rng(4).integers(0, 4096, (300, 1024)).astype(np.uint16)
    assert np.array_equal(features(codes)[250:], features(codes[250:]))


@pytest.mark.parametrize(
    ("codes", "complaint"),
    [
        (np.zeros((2, 512), dtype=np.uint16), r"\[n, 1024\].*\[2, 512\]"),
        (np.zeros((2, 3072), dtype=np.uint16), r"\[n, 2048\].*\[2, 3072\]"),
        (np.zeros(1024, dtype=np.uint16), r"\[1024\]"),
        (np.full((1, 1024), 4096, dtype=np.uint16), "4096"),
    ],
)
def test_wrong_windows_are_refused(codes: np.ndarray, complaint: str):
    with pytest.raises(ValueError, match=complaint):
        features(codes)
