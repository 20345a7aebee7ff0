# SPDX-License-Identifier: Apache-2.0
"""The features as the part computes them, with DSP instructions: exact, and within a cycle budget."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from hil.golden.features import features
from tests.firmware.core_program import TOOLCHAINS, CoreProgram, build_program


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_features_are_exact_on_the_core(tmp_path: Path, toolchain: Literal["zig", "gcc"]) -> None:
    program = CoreProgram(build_program(toolchain, "features", tmp_path))
    rng = np.random.default_rng(51)
    n = np.arange(1024)
    codes = np.vstack(
        [
            rng.integers(0, 4096, (6, 1024)),
            rng.integers(2040, 2056, (6, 1024)),
            4095 * (rng.integers(0, 2, (6, 1024))),
            np.where(n % 2, 4095, 0),
            np.where(n < 512, 4095, 0),
            np.where(n == 512, 4095, 0),
            np.where((n == 256) | (n == 768), 0, 4095),
        ]
    ).astype(np.uint16)
    outputs, cycles = program.run(codes, 32)
    np.testing.assert_array_equal(outputs, features(codes))
    assert cycles < 155_000  # twice what the assembler shows the butterflies to take
