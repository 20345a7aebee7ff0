# SPDX-License-Identifier: Apache-2.0
"""Random networks for the golden tests."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hil.golden.tflite_model import FullyConnected, Model
from hil.golden.tflite_tensors import Activation


def _random_model(
    rng: np.random.Generator,
    sizes: tuple[int, ...],
    *,
    per_channel: bool,
    activations: list[Activation],
    weight_gain: float = 1.0,
) -> Model:
    """A network of `sizes`; a weight_gain far above 1 makes multipliers that overflow int32."""
    layers = []
    scale, zero_point = float(np.float32(rng.uniform(0.01, 0.3))), int(rng.integers(-128, 128))
    for position in range(len(sizes) - 1):
        inputs, outputs = sizes[position], sizes[position + 1]
        output_scale = float(np.float32(rng.uniform(0.003, 0.06) * np.sqrt(inputs)))
        output_zero_point = int(rng.integers(-128, 128))
        layers.append(
            FullyConnected(
                weights=rng.integers(-127, 128, (outputs, inputs)).astype(np.int8),
                bias=rng.integers(-3000, 3000, outputs).astype(np.int32),
                weight_scales=(weight_gain * rng.uniform(0.002, 0.02, outputs if per_channel else 1)).astype(
                    np.float32
                ),
                input_scale=scale,
                input_zero_point=zero_point,
                output_scale=output_scale,
                output_zero_point=output_zero_point,
                activation=activations[position % len(activations)],
            )
        )
        scale, zero_point = output_scale, output_zero_point
    return Model(tuple(layers), "random")


@pytest.fixture
def random_model() -> Callable[..., Model]:
    return _random_model
