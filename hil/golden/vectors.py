# SPDX-License-Identifier: Apache-2.0
"""Input vectors that tell two implementations of an int8 network apart.

Uniform random inputs alone hide wrong roundings: the accumulators are then large and few of them land near a
rounding boundary. So the mixture also holds inputs near the zero point, extremes, and what the sensor gives.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hil.golden.data.faults import FAULTS
from hil.golden.data.windows import machine_windows
from hil.golden.features import BAND_COUNT, INPUT_ZERO_POINT, features
from hil.golden.random_models import random_inputs
from hil.golden.tflite_model import Model

_NEAR = 3  # LSB around the zero point


def inference_vectors(count: int, seed: int) -> npt.NDArray[np.int8]:
    """`count` input vectors, int8 [count, 32]: four kinds in turn, so that any prefix has them all.

    Row 4k is uniform, 4k + 1 within 3 LSB of the zero point, 4k + 2 made of the values -128, -1, 0, 1, 127,
    4k + 3 the features of a machine's window, normal and faulty in turn. The first of the third kind are the
    constant vectors of each of those values.
    """
    rng = np.random.default_rng(seed)
    quarter = -(-count // 4)
    shape = (quarter, BAND_COUNT)
    uniform = rng.integers(-128, 128, shape)
    near = np.clip(INPUT_ZERO_POINT + rng.integers(-_NEAR, _NEAR + 1, shape), -128, 127)
    edges = np.array([-128, 127, 0, -1, 1])
    boundary = rng.choice(edges, shape)
    boundary[: edges.size] = edges[:quarter, np.newaxis]
    mixture = np.stack([uniform, near, boundary, _machine_vectors(quarter, seed)], axis=1)
    return mixture.reshape(-1, BAND_COUNT)[:count].astype(np.int8)


def vectors_for(model: Model, count: int, seed: int) -> npt.NDArray[Any]:
    """`count` input vectors of any network: those of :func:`inference_vectors` if it takes features."""
    if model.input_size == BAND_COUNT and model.input_dtype == np.int8:
        return inference_vectors(count, seed)
    return random_inputs(model, np.random.default_rng(seed), count)


def _machine_vectors(count: int, seed: int) -> npt.NDArray[np.int8]:
    kinds: list[str | None] = [None, *FAULTS]
    per_kind = -(-count // len(kinds))
    vectors = [
        features(machine_windows([seed], per_kind, fault, 0.0 if fault is None else 1.0)) for fault in kinds
    ]
    return np.stack(vectors, axis=1).reshape(-1, BAND_COUNT)[:count]
