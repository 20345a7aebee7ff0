# SPDX-License-Identifier: Apache-2.0
"""firmware/src/features.c and its generated tables against the definition in hil.golden.features."""

from __future__ import annotations

import ctypes

import numpy as np
import numpy.typing as npt
import pytest

from hil.golden import features as golden

SAMPLE = np.arange(golden.WINDOW_SAMPLES)


def extract(library: ctypes.CDLL, codes: npt.NDArray[np.uint16]) -> npt.NDArray[np.int8]:
    """features_extract() of each window."""
    outputs = np.empty((len(codes), golden.BAND_COUNT), dtype=np.int8)
    segments = codes.shape[1] // golden.WINDOW_SAMPLES
    for row, window in enumerate(np.ascontiguousarray(codes)):
        library.features_extract(
            window.ctypes.data_as(ctypes.c_void_p),
            ctypes.c_uint32(segments),
            outputs[row].ctypes.data_as(ctypes.c_void_p),
        )
    return outputs


def tones(count: int) -> npt.NDArray[np.uint16]:
    """Sines of any frequency from a fraction of an LSB to clipping."""
    rng = np.random.default_rng(5)
    amplitude = 10 ** rng.uniform(-1.0, 3.5, (count, 1))
    cycles = rng.uniform(0.0, 512.0, (count, 1)) * SAMPLE / golden.WINDOW_SAMPLES
    phase = 2.0 * np.pi * (cycles + rng.random((count, 1)))
    return np.clip(np.round(2048 + amplitude * np.sin(phase)), 0, 4095).astype(np.uint16)


def extremes() -> npt.NDArray[np.uint16]:
    """Windows at the ends of the range: constants, the steepest waves, single pulses."""
    return np.array(
        [
            0 * SAMPLE,
            0 * SAMPLE + 4095,
            np.where(SAMPLE % 2, 4095, 0),
            np.where(SAMPLE < 512, 4095, 0),
            np.where(SAMPLE == 512, 4095, 0),
            np.where(SAMPLE == 0, 0, 4095),
        ],
        dtype=np.uint16,
    )


@pytest.mark.parametrize(
    "codes",
    [
        pytest.param(np.random.default_rng(1).integers(0, 4096, (100, 1024)).astype(np.uint16), id="noise"),
        pytest.param(np.random.default_rng(2).integers(2046, 2050, (50, 1024)).astype(np.uint16), id="quiet"),
        pytest.param(tones(150), id="tones"),
        pytest.param(extremes(), id="extremes"),
        pytest.param(
            np.random.default_rng(3).integers(0, 4096, (50, 2048)).astype(np.uint16), id="2 segments"
        ),
        pytest.param(tones(100).reshape(50, 2048), id="2 segments of different tones"),
    ],
)
def test_features_equal_the_golden_definition(
    pure_firmware: ctypes.CDLL, codes: npt.NDArray[np.uint16]
) -> None:
    np.testing.assert_array_equal(extract(pure_firmware, codes), golden.features(codes))


def test_generated_tables_equal_the_golden_definition(pure_firmware: ctypes.CDLL) -> None:
    hann = np.array((ctypes.c_int16 * 1024).in_dll(pure_firmware, "hann_q15"))
    np.testing.assert_array_equal(hann, golden.hann_q15())
    words = np.array((ctypes.c_uint32 * 512).in_dll(pure_firmware, "rotations_q15"))
    np.testing.assert_array_equal(words.view(np.int16).reshape(-1, 2).T, golden.twiddle_q15())
