# SPDX-License-Identifier: Apache-2.0
"""A rig whose other end is not ours: the drivers meet a bench that speaks the instruments' own protocols."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.config import load_rig
from hil.firmware.build import build
from hil.firmware.image import Image
from hil.rig import Rig, open_rig

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def reference_image() -> Image:
    return Image.load(build())


@pytest.fixture(scope="module")  # no longer: other tests close the VISA library that all share
def contract_rig() -> Iterator[Rig]:
    with open_rig(load_rig(ROOT / "rig_configs" / "sim.toml")) as rig:
        yield rig
